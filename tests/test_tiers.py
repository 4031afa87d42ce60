"""A test without the mark for what it does fails, and the tiers go by the marks."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from glmtts_core.engines.kokoro.model_file import MODEL_NAME

ROOT = Path(__file__).resolve().parents[1]
ONE_OF_EACH = """
from pytest import mark

@mark.browser
def test_browser(): pass
@mark.process
def test_process(): pass
@mark.serial
def test_serial(): pass
@mark.voice
def test_voice(): pass
def test_plain(): pass
"""


def test_a_test_that_starts_a_process_must_be_marked(mark_guard):
    with pytest.raises(pytest.fail.Exception, match="without the mark 'process'"):
        subprocess.run([sys.executable, "--version"])
    assert len(mark_guard.offences) == 1
    mark_guard.offences.clear()


def test_a_process_that_a_thread_starts_is_noted_too(mark_guard):
    def start() -> None:
        with pytest.raises(pytest.fail.Exception):
            subprocess.run([sys.executable, "--version"])

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert len(mark_guard.offences) == 1
    mark_guard.offences.clear()


def test_a_test_that_opens_the_voices_model_must_be_marked(mark_guard, tmp_path):
    (tmp_path / MODEL_NAME).write_bytes(b"model")
    with pytest.raises(pytest.fail.Exception, match="without the mark 'voice'"):
        (tmp_path / MODEL_NAME).read_bytes()
    mark_guard.offences.clear()


@pytest.mark.process
def test_a_marked_test_may_start_a_process(mark_guard):
    subprocess.run([sys.executable, "--version"], check=True)
    assert mark_guard.offences == []


@pytest.mark.process
@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--tier", "fast"], {"serial", "plain"}),
        (["--serial", "without"], {"browser", "process", "voice", "plain"}),
        (["--tier", "fast", "--serial", "only"], {"serial"}),
    ],
)
def test_tiers_and_parts_go_by_the_marks(tmp_path, options, left):
    (tmp_path / "test_each.py").write_text(ONE_OF_EACH, encoding="utf-8")
    configuration = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)]
    plugins = ["-p", "tests.tiers", "-p", "no:cacheprovider", "-p", "no:xdist"]
    arguments = [*configuration, *plugins, *options, "--collect-only", str(tmp_path)]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    found = {line.partition("::test_")[2] for line in ran.stdout.splitlines() if "::" in line}
    assert found == left, ran.stdout + ran.stderr
