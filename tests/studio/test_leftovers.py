"""What killed processes left is cleared; what a living one holds, or a user has, never is."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from glmtts_core.files import scratch_folder, sweep_partial, sweep_scratch, write_whole
from glmtts_core.sessions.result_files import session_folder
from glmtts_core.settings import Settings
from glmtts_core.studio.leftovers import sweep_leftovers
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import ScriptedEngine
from tests.speaking import ANNA
from tests.waiting import BOUND_S


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    tempfile.tempdir = None


@contextmanager
def writing(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that is in the middle of writing into ``folder``, until it is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.studio.leftovers_child", str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            assert Path(child.stdout.readline().strip()).is_dir()
            yield child
        finally:
            child.kill()
            child.wait(BOUND_S)


def partials(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))


@pytest.mark.process
@pytest.mark.parametrize(
    "place",
    [
        f"outputs/sessions/{ANNA}",
        f"outputs/sessions/{ANNA}/batch/references",
        "outputs/laboratory/2026-01-01",
        "outputs/batch-20260101-120000-abcd/audio",
        "cache",
        "outputs/sessions",
    ],
)
def test_what_a_killed_process_left_is_cleared_and_a_living_ones_is_not(
    tmp_path, own_temporary_folder, place
):
    outputs, cache, folder = tmp_path / "outputs", tmp_path / "cache", tmp_path / place
    with writing(folder) as child:
        assert sweep_leftovers(outputs, cache) == 0
        assert (len(partials(folder)), len(list(own_temporary_folder.iterdir()))) == (1, 1)
        child.kill()
        child.wait(BOUND_S)
        assert sweep_leftovers(outputs, cache) == 2
    assert (partials(folder), list(own_temporary_folder.iterdir())) == ([], [])


@pytest.mark.process
def test_a_studio_clears_leftovers_at_its_start(tmp_path, own_temporary_folder):
    settings = Settings(
        _env_file=None, device="cpu", output_dir=tmp_path / "outputs", cache_dir=tmp_path / "cache"
    )
    with writing(session_folder(settings.output_dir, ANNA)):
        pass
    studio = Studio(settings, ScriptedEngine)
    studio.close()
    assert (partials(tmp_path), list(own_temporary_folder.iterdir())) == ([], [])


def test_a_downloads_unfinished_files_and_what_users_keep_stay(tmp_path, own_temporary_folder):
    kept = [
        tmp_path / "outputs" / "my.abcdefgh.part",
        tmp_path / "outputs" / "sessions" / "notes.part",
        tmp_path / "cache" / "download" / "flow.pt.incomplete",
        own_temporary_folder / "glm-tts-scratch-of-mine" / "precious",
        own_temporary_folder / "tmpabcdefgh" / "file",
    ]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"data")
    assert sweep_leftovers(tmp_path / "outputs", tmp_path / "cache") == 0
    assert all(path.exists() for path in kept)


def test_links_and_pipes_that_look_like_leftovers_are_left_alone(tmp_path, own_temporary_folder):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_bytes(b"data")
    (own_temporary_folder / "glm-tts-scratch-abcdefgh").symlink_to(precious)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".abcdefgh.part").symlink_to(precious / "file")
    (folder / "link").symlink_to(precious, target_is_directory=True)
    os.mkfifo(folder / ".ijklmnop.part")
    assert (sweep_partial([folder]), sweep_scratch()) == (0, 0)
    assert (precious / "file").exists()


def test_a_scratch_folder_is_gone_afterwards(own_temporary_folder):
    with scratch_folder() as folder:
        (folder / "file").write_bytes(b"data")
    assert list(own_temporary_folder.iterdir()) == []


def test_writing_beside_a_sweep_that_never_rests_loses_nothing(tmp_path):
    ended = threading.Event()

    def sweep() -> None:
        while not ended.is_set():
            sweep_partial([tmp_path])
            sweep_scratch()

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for number in range(200):
            write_whole(tmp_path / "file", str(number).encode())
            assert (tmp_path / "file").read_bytes() == str(number).encode()
            with scratch_folder() as folder:
                (folder / "file").touch()
    finally:
        ended.set()
        sweeper.join()
