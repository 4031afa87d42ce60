"""A run's results over HTTP: sent whole, only to who may have them."""

from __future__ import annotations

import io
import json
import zipfile
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from glmtts_core.api import downloads
from glmtts_core.api.access import AccessMiddleware
from glmtts_core.api.routes import routes
from glmtts_core.batch.registry import batches_of
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch_files.lines import RunDefaults
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.host_names import HostRules
from tests.batch.runs import spoil
from tests.waiting import BOUND_S

LINES = b'{"uttid": "a", "text": "one"}\nbad\n{"uttid": "b", "text": "two"}\n'


@pytest.fixture
def run(studio) -> BatchRun:
    """A run that has spoken two lines and set one aside."""
    made = batches_of(studio).create(
        "a.jsonl", LINES, read_batch(LINES), RunDefaults(voice="alpha")
    )
    made.start()
    assert made.wait(BOUND_S)
    return made


@pytest.fixture
def stranger(studio) -> TestClient:
    """A client on another machine."""
    app = Starlette(routes=routes(lambda: studio))
    return TestClient(app, "http://studio.example", client=("192.0.2.7", 5000))


@pytest.fixture
def local(studio) -> TestClient:
    """A client on this machine."""
    app = Starlette(routes=routes(lambda: studio))
    return TestClient(app, "http://127.0.0.1", client=("127.0.0.1", 5000))


def test_the_address_of_a_page_fetches_the_zip_from_anywhere(studio, run, stranger):
    answer = stranger.get(downloads.address(studio, run.id, "results.zip", "en"))
    assert answer.status_code == 200
    assert f'filename="{run.id}.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = {name.partition("/")[2] for name in archive.namelist()}
    assert {"audio/a.wav", "audio/b.wav", "manifest.jsonl", "report.html"} <= names


def test_the_manifest_accounts_for_every_line(studio, run, stranger):
    answer = stranger.get(downloads.address(studio, run.id, "manifest.jsonl", "zh"))
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [each["line"] for each in told] == [1, 2, 3]


def test_the_report_is_saved_and_not_opened_in_the_pages_origin(studio, run, stranger):
    answer = stranger.get(downloads.address(studio, run.id, "report.html", "en"))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<html" in answer.text


def test_without_the_key_only_this_machine_gets_anything(run, stranger, local):
    for result in downloads.RESULTS:
        assert stranger.get(f"/api/batch/{run.id}/{result}").status_code == 403
        assert local.get(f"/api/batch/{run.id}/{result}").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    ],
    ids=str,
)
def test_the_address_of_a_page_opens_nothing_to_a_foreign_one(studio, run, headers):
    middleware = [Middleware(AccessMiddleware, rules=HostRules())]
    app = Starlette(routes=routes(lambda: studio), middleware=middleware)
    client = TestClient(app, "http://127.0.0.1:7860", client=("127.0.0.1", 5000))
    address = downloads.address(studio, run.id, "manifest.jsonl", "en")
    assert client.get(address, headers=headers).status_code == 403
    assert client.get(address).status_code == 200


def test_a_key_opens_its_own_result_only(studio, run, stranger):
    query = urlsplit(downloads.address(studio, run.id, "manifest.jsonl", "en")).query
    assert stranger.get(f"/api/batch/{run.id}/results.zip?{query}").status_code == 403
    assert stranger.get(f"/api/batch/other/manifest.jsonl?{query}").status_code == 403


@pytest.mark.parametrize(
    "path", ["none/results.zip", "..%2F..%2Fetc/results.zip", "%2e%2e/results.zip", "x/run.json"]
)
def test_what_is_no_run_is_not_found(run, local, path):
    answer = local.get(f"/api/batch/{path}")
    assert answer.status_code == 404
    assert local.get(f"/api/batch/{run.id}/run.json").status_code == 404


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5_000, "a%0Ab", "%ED%A0%80", "a%00b"])
@pytest.mark.parametrize("place", ["run", "result"])
def test_an_odd_name_is_not_found_and_told_in_one_short_sentence(run, local, name, place):
    path = f"{name}/results.zip" if place == "run" else f"{run.id}/{name}"
    answer = local.get(f"/api/batch/{path}")
    assert answer.status_code == 404
    told = answer.json()["error"]
    assert (len(told) < 300, told.isprintable()) == (True, True)


@pytest.mark.parametrize("folder", ["my run", 'a"b', "a\nb", "我的任务", "50% #1?", "a\\b"])
@pytest.mark.parametrize("result", downloads.RESULTS)
def test_the_results_of_a_run_in_a_folder_of_any_name_can_be_fetched(
    studio, settings, stranger, folder, result
):
    made = batches_of(studio).create(
        "a.jsonl",
        LINES,
        read_batch(LINES),
        RunDefaults(voice="alpha"),
        folder=settings.output_dir / folder,
    )
    answer = stranger.get(downloads.address(studio, made.id, result, "en"))
    assert answer.status_code == 200
    header = answer.headers["content-disposition"]
    assert header.startswith("attachment; filename=")
    assert header.isprintable()


@pytest.mark.parametrize("name", ["manifest.jsonl", "report.html", "results.zip"])
def test_results_of_a_run_that_broke_meanwhile_are_refused_with_a_sentence(run, local, name):
    assert local.get(f"/api/batch/{run.id}/{name}").status_code == 200
    spoil(run.store.database_path)
    answer = local.get(f"/api/batch/{run.id}/{name}")
    assert answer.status_code == 500
    assert "run.db" in answer.json()["error"]


def test_sounds_can_be_fetched_without_the_input_file(run, local):
    run.store.input_path.unlink()
    packed = zipfile.ZipFile(io.BytesIO(local.get(f"/api/batch/{run.id}/results.zip").content))
    assert packed.testzip() is None
    assert [name for name in packed.namelist() if name.endswith(".wav")]
