"""The command ``batch``: a file into a folder, stopped anywhere and carried on, each fault told."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from glmtts_core.audio import decode
from glmtts_core.cli import main
from glmtts_core.errors import EngineError
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from tests.parts import full_disk, wait_until
from tests.scripted_engine import ScriptedEngine


class Maker:
    """Makes scripted engines for the command line; those of the last commands are kept."""

    def __init__(self) -> None:
        self.made: list[ScriptedEngine] = []
        self.prepare = lambda engine: None

    def __call__(self, settings: Settings, ledger: Ledger) -> ScriptedEngine:
        self.made.append(ScriptedEngine(settings, ledger))
        self.prepare(self.made[-1])
        return self.made[-1]

    @property
    def spoken(self) -> list[str]:
        return [text for engine in self.made for text in engine.spoken]


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture(autouse=True)
def english_shell_in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("GLMTTS_DEVICE", "cpu")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")


def write(*lines: dict[str, object], name: str = "in.jsonl") -> None:
    Path(name).write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def batch(maker: Maker, *more: str) -> int:
    return main(["batch", "in.jsonl", "--out", "out", *more], maker)


def manifest() -> list[dict]:
    return [json.loads(line) for line in Path("out/manifest.jsonl").read_text().splitlines()]


def test_a_file_becomes_a_folder_of_sounds_with_manifest_and_report(maker, capsys):
    write({"uttid": "a", "text": "one"}, {"uttid": "b", "text": "two", "sample_rate": 32_000})
    assert batch(maker) == 0
    rates = [decode(Path(f"out/audio/{n}.wav").read_bytes(), n).sample_rate_hz for n in "ab"]
    assert rates == [24_000, 32_000]
    assert [entry["file"] for entry in manifest()] == ["audio/a.wav", "audio/b.wav"]
    assert Path("out/report.html").exists()
    assert "2 of 2 lines done" in capsys.readouterr().out


def test_options_hold_for_lines_that_say_nothing_else(maker):
    write({"text": "one"}, {"text": "two", "voice": "alpha", "speed": 0.9})
    assert batch(maker, "--voice", "kumo", "--speed", "1.5", "--sample-rate", "32000") == 0
    asked = {each.text: each for each in maker.made[0].requests}
    assert (asked["one"].voice, asked["one"].speed) == ("kumo", 1.5)
    assert (asked["two"].voice, asked["two"].speed) == ("alpha", 0.9)
    assert asked["one"].sample_rate_hz == 32_000


def test_bad_lines_are_told_by_number_and_the_others_are_spoken(maker, capsys):
    write({"text": "one"}, {"text": "two", "voice": "nobody"}, {"txt": "three"})
    assert batch(maker) == 1
    told = capsys.readouterr().err
    assert "line 2: There is no voice called nobody" in told
    assert "line 3: " in told
    assert [entry["state"] for entry in manifest()] == ["done", "set_aside", "set_aside"]


def test_a_line_that_fails_is_told_too(maker, capsys):
    maker.prepare = lambda engine: setattr(
        engine, "fail_with", lambda: EngineError("engine.unexpected", reason="bad mood")
    )
    write({"text": "one"})
    assert batch(maker) == 1
    assert "bad mood" in capsys.readouterr().err


def test_a_second_run_into_the_same_folder_needs_to_be_wished(maker, capsys):
    write({"text": "one"})
    batch(maker)
    assert batch(maker) == 1
    assert "--resume" in capsys.readouterr().err
    assert maker.spoken == ["one"]


def test_a_corrected_file_speaks_only_what_was_missing(maker):
    write({"text": "one"}, {"text": "two", "voice": "nobody"})
    assert batch(maker) == 1
    write({"text": "one"}, {"text": "two", "voice": "kumo"})
    assert batch(maker, "--resume") == 0
    assert maker.spoken == ["one", "two"]


def test_failed_lines_are_tried_again_when_asked_for(maker):
    maker.prepare = lambda engine: setattr(
        engine, "fail_with", lambda: EngineError("engine.unexpected", reason="bad mood")
    )
    write({"text": "one"})
    assert batch(maker) == 1
    maker.prepare = lambda engine: None
    assert batch(maker, "--resume") == 1
    assert batch(maker, "--resume", "--retry-failed") == 0


def test_resuming_where_there_is_no_run_yet_begins_one(maker):
    write({"text": "one"})
    assert batch(maker, "--resume") == 0


def test_a_stopped_command_is_carried_on_with_resume(maker, capsys):
    maker.prepare = lambda engine: engine.gate.clear()

    def stop() -> None:
        wait_until(lambda: maker.made and maker.made[0].reached.is_set())
        os.kill(os.getpid(), signal.SIGINT)

    write({"text": "one"}, {"text": "two"})
    stopper = threading.Thread(target=stop)
    stopper.start()
    assert batch(maker) == 130
    stopper.join()
    assert "--resume" in capsys.readouterr().err
    maker.prepare = lambda engine: None
    assert batch(maker, "--resume") == 0
    assert maker.spoken == ["one", "two"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--cleanup-every", "0"], "--cleanup-every 0 cannot be used"),
        (["--voice", "nobody"], "There is no voice called nobody"),
    ],
)
def test_options_that_cannot_be_used_are_told(maker, capsys, more, told):
    write({"text": "one"})
    assert batch(maker, *more) == 1
    assert told in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told_in_one_sentence(maker, capsys):
    assert batch(maker) == 1
    assert "in.jsonl cannot be read (No such file or directory)" in capsys.readouterr().err
    assert maker.made == []


def test_a_full_disk_is_told_in_one_sentence(maker, capsys):
    write({"text": "one"})
    with full_disk():
        assert batch(maker) == 1
    assert "Free some space" in capsys.readouterr().err


def test_nothing_is_written_but_the_runs_own_folder(maker, tmp_path):
    write({"text": "one"})
    batch(maker)
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "out"}


def test_progress_is_shown_on_a_terminal(maker, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    write(*({"text": f"line {n}"} for n in range(30)))
    assert batch(maker) == 0
    assert "lines/min" in capsys.readouterr().err
