"""The HTTP routes: who may ask, what may be asked, and what is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.testclient import TestClient

from glmtts_core import __version__
from glmtts_core.api import routes as api
from glmtts_core.api.access import AccessMiddleware
from glmtts_core.errors import SettingsError
from glmtts_core.host_names import HostRules, parse_host_list
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import ScriptedEngine
from tests.speaking import ANNA, BERT, request
from tests.waiting import BOUND_S, wait_until

OWN = "http://127.0.0.1:7860"
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}


def client_of(studio: Studio, address: str = "127.0.0.1", wait_s: float = BOUND_S) -> TestClient:
    """Return a client at ``address`` that talks to the app of ``studio``."""
    rules = HostRules(extra=studio.settings.allowed_hosts)
    app = Starlette(
        routes=api.routes(lambda: studio, cleanup_wait_s=wait_s),
        middleware=[Middleware(AccessMiddleware, rules=rules)],
    )
    return TestClient(app, base_url=OWN, client=(address, 50_000))


@pytest.fixture
def client(studio) -> TestClient:
    return client_of(studio)


@pytest.fixture
def with_pages(studio) -> TestClient:
    """A client of an app that answers whatever is no route of ours, as the pages' server does."""

    front_page = PlainTextResponse("the front page")
    routes = [*api.routes(lambda: studio), Mount("/", front_page)]
    return TestClient(Starlette(routes=routes), base_url=OWN, client=("127.0.0.1", 50_000))


@pytest.fixture
def guarded(settings) -> Iterator[Studio]:
    """A studio whose routes ask for a token."""
    hosts = parse_host_list("studio.example")
    with_token = settings.model_copy(
        update={"api_token": SecretStr("hunter2"), "allowed_hosts": hosts}
    )
    with closing(Studio(with_token, ScriptedEngine)) as studio:
        yield studio


def held(studio: Studio, session_id: str = ANNA):
    """Start a synthesis that waits in the middle of its first piece."""
    studio.engine.gate.clear()
    job = studio.submit(session_id, request())
    assert studio.engine.reached.wait(BOUND_S)
    return job


# -- health ------------------------------------------------------------------------------------


def test_health_tells_version_and_state(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "version": __version__, "engine": "not_loaded", "queued": 0},
    )


def test_health_tells_how_many_wait(client, studio):
    held(studio)
    studio.submit(BERT, request())
    answer = client.get("/healthz").json()
    assert (answer["engine"], answer["queued"]) == ("speaking", 1)


def test_a_setting_that_cannot_be_used_is_told_in_one_sentence():
    def broken() -> Studio:
        raise SettingsError("settings.unknown_close", name="GLMTTS_X", close="GLMTTS_Y")

    app = Starlette(routes=api.routes(broken))
    answer = TestClient(app, base_url=OWN).get("/healthz")
    assert answer.status_code == 500
    assert "GLMTTS_X" in answer.json()["error"]


def test_a_request_through_a_proxy_is_not_taken_for_a_local_one(client, studio):
    answer = client.post("/api/cleanup", headers={"X-Forwarded-For": "203.0.113.7"})
    assert answer.status_code == 403
    assert studio.engine.released == []


# -- cleanup -----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b" \r\n", b"{}", b'{"level": "trim"}', b'{"force": true}'])
def test_no_body_or_an_empty_one_means_a_trim(client, studio, body):
    answer = client.post("/api/cleanup", content=body)
    assert (answer.status_code, answer.json()["level"]) == (200, "trim")
    assert studio.engine.released == ["trim"]


def test_the_report_tells_promise_and_fact(client, studio):
    studio.sessions.entry(ANNA).caches.put(LedgerKind.VOICE_CACHE, "voice", object(), 2**20)
    report = client.post("/api/cleanup").json()
    assert report["promised"] == {"bytes": 2**20, "exact": False}
    assert report["line"] == "resident_set_bytes"
    assert report["by_layer"]["caches"] == 2**20
    assert report["regained_bytes"] >= 0
    assert report["seconds"] >= 0


def test_the_caches_of_all_idle_sessions_are_dropped(client, studio):
    for session_id in (ANNA, BERT):
        caches = studio.sessions.entry(session_id).caches
        caches.put(LedgerKind.VOICE_CACHE, "voice", object(), 2**20)
    client.post("/api/cleanup")
    assert studio.ledger.snapshot().total_bytes() == 0


def test_an_unload_drops_the_weights(client, studio):
    assert studio.load(ANNA).wait(BOUND_S)
    answer = client.post("/api/cleanup", json={"level": "unload"})
    assert (answer.status_code, answer.json()["level"]) == (200, "unload")
    assert not studio.engine.loaded


def test_an_offload_keeps_the_weights_at_hand(client, studio):
    assert studio.load(ANNA).wait(BOUND_S)
    answer = client.post("/api/cleanup", json={"level": "offload"})
    assert (answer.status_code, answer.json()["level"]) == (200, "offload")
    assert studio.engine.released == ["offload"]


def test_a_trim_while_a_job_runs_is_done_at_its_safe_point(client, studio):
    job = held(studio)
    assert client.post("/api/cleanup").status_code == 200
    assert not job.finished


def test_an_unload_while_a_job_runs_is_refused_and_says_so(client, studio):
    held(studio)
    answer = client.post("/api/cleanup", json={"level": "unload"})
    assert answer.status_code == 409
    assert "1 job" in answer.json()["error"]


def test_a_forced_unload_waits_for_the_running_job_and_says_so(studio):
    held(studio)
    answer = client_of(studio, wait_s=0.05).post(
        "/api/cleanup", json={"level": "unload", "force": True}
    )
    assert (answer.status_code, answer.json()["status"]) == (202, "waiting")
    studio.engine.gate.set()
    wait_until(lambda: studio.engine.released == ["unload"])


def test_a_cleanup_that_breaks_is_told_in_one_sentence(client, studio):
    studio.engine.fail_releasing_with = lambda: RuntimeError("the driver is gone")
    answer = client.post("/api/cleanup")
    assert answer.status_code == 500
    assert "the driver is gone" in answer.json()["error"]


def test_a_studio_that_closes_is_told_in_one_sentence(settings):
    studio = Studio(settings, ScriptedEngine)
    studio.close()
    answer = client_of(studio).post("/api/cleanup")
    assert (answer.status_code, answer.json()) == (503, {"error": "The program is closing."})


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/cleanup", "POST"),
        ("HEAD", "/api/cleanup", "POST"),
        ("PUT", "/api/cleanup", "POST"),
        ("DELETE", "/api/cleanup", "POST"),
        ("OPTIONS", "/api/cleanup", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("POST", "/api/batch/some/results.zip", "GET, HEAD"),
    ],
)
def test_a_method_that_a_route_does_not_take_is_told_with_those_it_takes(
    with_pages, studio, method, path, allowed
):
    answer = with_pages.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert method == "HEAD" or allowed in answer.json()["error"]
    assert studio.engine.released == []


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/cleanup/", "/api/nothing", "/api/a/b/c"])
def test_an_address_that_is_no_route_is_not_answered_with_the_front_page(with_pages, path):
    answer = with_pages.get(path)
    assert answer.status_code == 404
    assert path in answer.json()["error"]


def test_every_route_is_guarded_but_for_those_that_opt_out_by_name(studio):
    guarded = client_of(studio, "192.168.1.5")
    open_routes = set()
    for route in api.routes(lambda: studio):
        path = re.sub(r"{.*?}", "a", route.path)
        answers = [guarded.request(method, path) for method in ("GET", "POST")]
        if any(answer.status_code != 403 for answer in answers):
            open_routes.add(route.name)
    assert open_routes == api.OPEN_ROUTES == {"healthz"}


def test_the_levels_that_there_are_stand_in_the_refusal_of_another(client):
    told = client.post("/api/cleanup", json={"level": "everything"}).json()["error"]
    assert all(level in told for level in ("trim", "offload", "unload"))


# -- bodies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b'{"levels": "trim"}', 422, "levels"),
        (b'{"level": "everything"}', 422, "level"),
        (b'{"level": 1}', 422, "level"),
        (b'{"level": null}', 422, "level"),
        (b'{"force": 1}', 422, "force"),
        (b'{"force": "yes"}', 422, "force"),
        (b'{"level": "trim", "force": NaN}', 422, "force"),
        (b"[]", 422, "body"),
        (b'"trim"', 422, "body"),
        (b"null", 422, "body"),
        (b"level=trim", 400, "not JSON"),
        (b'{"level": "trim"', 400, "not JSON"),
        (b"\xff\xfe\x00", 400, "not JSON"),
        (b"[" * 4000, 400, "not JSON"),
        (b'{"a":' * 800, 400, "not JSON"),
        (b" " * 4097, 413, "4096 bytes"),
        (json.dumps({"level": "x" * 5000}).encode(), 413, "4096 bytes"),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_in_one_sentence(client, studio, body, status, told):
    answer = client.post("/api/cleanup", content=body)
    assert answer.status_code == status
    assert told in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert studio.engine.released == []


def test_a_body_that_comes_in_pieces_is_limited_too(client):
    answer = client.post("/api/cleanup", content=(b" " * 1000 for _ in range(5)))
    assert answer.status_code == 413


# -- who may ask -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:8888"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://localhost:7860"},
        {"Origin": "http://127.0.0.1:7860@evil.example"},
        {"Origin": "http://127.0.0.1:7860.evil.example"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": OWN, "Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_what_a_foreign_page_would_send_is_refused(client, studio, headers):
    # a page may send a form or plain text without asking first; so does this request
    headers = headers | {"Content-Type": "text/plain"}
    answer = client.post("/api/cleanup", content=b"{}", headers=headers)
    assert answer.status_code == 403
    assert "other pages" in answer.json()["error"]
    assert studio.engine.released == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": OWN},
        {"Origin": OWN, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost:7860", "Host": "localhost:7860"},
        {"Origin": "http://[::1]:7860", "Host": "[::1]:7860"},
        {"Host": "127.0.0.2:7860"},
    ],
    ids=str,
)
def test_programs_and_pages_of_this_machine_may_ask(client, headers):
    assert client.post("/api/cleanup", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "localhost.evil.example", "["]
)
def test_a_foreign_name_that_points_here_is_refused(client, studio, host):
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    answer = client.post("/api/cleanup", headers=headers)
    assert answer.status_code == 403
    assert studio.engine.released == []


@pytest.mark.parametrize("address", ["192.168.1.5", "10.0.0.1", "8.8.8.8", "fe80::1", "somewhere"])
def test_other_machines_are_refused_without_a_token(studio, address):
    answer = client_of(studio, address).post("/api/cleanup")
    assert answer.status_code == 403
    assert "GLMTTS_API_TOKEN" in answer.json()["error"]
    assert studio.engine.released == []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1"])
def test_every_address_of_this_machine_may_ask(studio, address):
    assert client_of(studio, address).post("/api/cleanup").status_code == 200


def test_who_brings_the_token_may_ask_from_anywhere(guarded):
    headers = {"Authorization": "Bearer hunter2", "Host": "studio.example"}
    answer = client_of(guarded, "192.168.1.5").post("/api/cleanup", headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer hunter3"},
        {"Authorization": "Bearer hunter22"},
        {"Authorization": "Bearer "},
        {"Authorization": "hunter2"},
        {"Authorization": "Basic hunter2"},
        {"Authorization": "Bearer hünter2".encode()},
    ],
    ids=str,
)
def test_without_the_right_token_not_even_this_machine_may_ask(guarded, headers):
    answer = client_of(guarded).post("/api/cleanup", headers=headers)
    assert answer.status_code == 401
    assert "hunter2" not in answer.text
    assert guarded.engine.released == []


def test_a_foreign_page_is_refused_though_it_has_the_token(guarded):
    headers = {"Authorization": "Bearer hunter2", "Origin": "https://evil.example"}
    assert client_of(guarded).post("/api/cleanup", headers=headers).status_code == 403


def test_who_may_not_ask_learns_nothing_about_the_body(client):
    headers = {"Origin": "https://evil.example"}
    assert client.post("/api/cleanup", content=b"{", headers=headers).status_code == 403


# -- wording -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ({"content": b"{"}, "不是 JSON"),
        ({"json": {"level": 1}}, "字段 level 无效"),
        ({"content": b" " * 4097}, "4096 字节"),
    ],
)
def test_who_reads_chinese_is_answered_in_chinese(client, call, told):
    assert told in client.post("/api/cleanup", headers=CHINESE, **call).json()["error"]


def test_a_foreign_page_of_a_chinese_reader_is_refused_in_chinese(client):
    headers = CHINESE | {"Origin": "null"}
    assert "拒绝" in client.post("/api/cleanup", headers=headers).json()["error"]


def test_who_reads_something_else_first_is_answered_in_english(client):
    headers = {"Accept-Language": "fr,zh;q=0.5"}
    assert "not JSON" in client.post("/api/cleanup", content=b"{", headers=headers).json()["error"]
