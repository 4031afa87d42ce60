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
from glmtts_core.batch.store import RunStore
from glmtts_core.cli.main import main
from glmtts_core.errors import EngineError
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from tests.batch.runs import spoil
from tests.cli.conftest import Maker
from tests.full_disk import full_disk
from tests.scripted_engine import CloningEngine, NativeEngine, ScriptedEngine
from tests.speaking import voice_wav
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("english_shell_in_an_empty_folder")


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


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("in.txt", "one\ntwo\n", "in.txt: plain text, one text a line, UTF-8, lines: 2"),
        ("in.json", '["one",\n"two"]', "in.json: JSON list, UTF-8, lines: 2"),
        ("in.csv", "text;voice\none;\ntwo;\n", "in.csv: CSV with “;” between columns"),
    ],
)
def test_what_a_file_was_taken_for_is_told(maker, capsys, name, content, told):
    Path(name).write_text(content)
    assert main(["batch", name, "--out", "out"], maker) == 0
    assert told in capsys.readouterr().err
    assert sorted(maker.spoken) == ["one", "two"]
    assert Path(f"out/input.{name[3:]}").read_text() == content


def test_a_file_that_its_name_tells_needs_no_words(maker, capsys):
    write({"text": "one"})
    assert batch(maker) == 0
    assert capsys.readouterr().err == ""


def test_unknown_fields_are_told_once(maker, capsys):
    write({"text": "one", "speaker": 1}, {"text": "two", "speaker": 2})
    assert batch(maker) == 0
    assert capsys.readouterr().err.count("speaker (2)") == 1


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
        (["--cleanup-every", "-3"], "--cleanup-every -3 cannot be used"),
        (["--voice", "nobody"], "There is no voice called nobody"),
        (["--engine", "Nobody"], "There is no engine called Nobody"),
        (["--speed", "nan"], "The speed NaN is no number above 0"),
        (["--speed", "1e400"], "The speed Infinity is no number above 0"),
        (["--speed", "-1"], "The speed -1.0 is no number above 0"),
        (["--sample-rate", "44100"], "44100 Hz is not on offer"),
        (["--sample-rate", "-24000"], "The sample rate -24000 is no whole number"),
        (["--seed", "-1"], "The seed -1 is no whole number from 0"),
        (["--seed", str(2**32)], "is no whole number from 0"),
        (["--reference-text", "hi"], "only together with --reference"),
        (["--voice", "kumo", "--reference", "a.wav"], "--voice and --reference cannot both"),
        (["--reference", "a.wav"], "a.wav"),
        (["--references", "nowhere"], "nowhere cannot be used as a folder"),
        (["--retry-failed"], "--retry-failed means something only together with --resume"),
        (["--override"], "--override means something only together with --resume"),
    ],
    ids=str,
)
def test_options_that_cannot_be_used_are_told_before_anything_is_written(
    maker, capsys, tmp_path, more, told
):
    # every line says for itself what the option would say: nothing of it is looked at
    write({"text": "one", "voice": "alpha", "speed": 1, "sample_rate": 24_000, "seed": 1})
    assert batch(maker, *more) == 1
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def snapshot() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--voice", "kumo"], "--voice – → kumo"),
        (["--speed", "1.5"], "--speed 1.0 → 1.5"),
        (["--sample-rate", "32000"], "--sample-rate 24000 → 32000"),
        (["--seed", "7"], "--seed – → 7"),
        (["--cleanup", "never"], "--cleanup auto → never"),
        (["--cleanup-every", "3"], "--cleanup-every – → 3"),
        (["--speed", "1.5", "--voice", "kumo"], "--voice – → kumo; --speed 1.0 → 1.5"),
    ],
    ids=str,
)
def test_carrying_on_with_other_settings_names_them_and_writes_nothing(maker, capsys, more, told):
    write({"text": "one"})
    assert batch(maker) == 0
    before = snapshot()
    write({"text": "one"}, {"text": "two"})
    capsys.readouterr()
    assert batch(maker, "--resume", *more) == 1
    err = capsys.readouterr().err
    assert told in err
    assert "--override" in err
    assert err.count("\n") == 1
    assert (snapshot(), maker.spoken) == (before, ["one"])


def test_settings_that_are_the_runs_own_or_left_out_carry_it_on(maker):
    asked = ["--voice", "kumo", "--speed", "1.5", "--cleanup", "never", "--cleanup-every", "3"]
    write({"text": "one"})
    assert batch(maker, *asked) == 0
    write({"text": "one"}, {"text": "two"})
    assert batch(maker, "--resume", *asked, "--engine", "Scripted") == 0
    write({"text": "one"}, {"text": "two"}, {"text": "three"})
    assert batch(maker, "--resume") == 0
    assert maker.spoken == ["one", "two", "three"]
    last = maker.made[-1].requests[-1]
    assert (last.voice, last.speed) == ("kumo", 1.5)


def test_overriding_speaks_again_what_sounds_different_and_nothing_else(maker):
    write({"text": "one"}, {"text": "two", "speed": 0.9}, {"text": "three", "voice": "alpha"})
    assert batch(maker) == 0
    assert batch(maker, "--resume", "--override", "--speed", "1.5") == 0
    assert maker.spoken == ["one", "two", "three", "one", "three"]
    assert batch(maker, "--resume", "--override", "--voice", "kumo") == 0
    assert maker.spoken[5:] == ["one", "two"]
    assert batch(maker, "--resume", "--override", "--cleanup", "never") == 0
    assert batch(maker, "--resume") == 0
    assert len(maker.spoken) == 7
    header = RunStore(Path("out")).database.header()
    assert (header.defaults.speed, header.defaults.voice) == (1.5, "kumo")
    assert header.policy.threshold_bytes is None


def test_a_run_that_left_its_engine_open_is_not_spoken_again_by_overriding_something_else(maker):
    write({"text": "one"}, {"text": "two", "speed": 0.9})
    assert batch(maker) == 0
    left_open = "UPDATE run SET header = json_set(header, '$.defaults.engine', NULL)"
    spoil(Path("out/run.db"), left_open)
    assert batch(maker, "--resume", "--override", "--speed", "1.5") == 0
    assert maker.spoken == ["one", "two", "one"]


@pytest.mark.parametrize(
    "more", [["--speed", "nan"], ["--voice", "nobody"], ["--engine", "Nobody"]], ids=str
)
def test_overriding_with_what_cannot_be_spoken_writes_nothing(maker, capsys, more):
    write({"text": "one"})
    assert batch(maker) == 0
    before = snapshot()
    assert batch(maker, "--resume", "--override", *more) == 1
    assert (snapshot(), capsys.readouterr().err.count("\n")) == (before, 1)


def test_a_run_whose_engine_is_gone_says_so_before_anything_is_written(maker, capsys):
    write({"text": "one"})
    assert batch(maker) == 0
    before = snapshot()
    write({"text": "one"}, {"text": "two"})
    assert main(["batch", "in.jsonl", "--out", "out", "--resume"], CloningEngine) == 1
    assert "There is no engine called Scripted" in capsys.readouterr().err
    assert snapshot() == before


def test_another_recording_for_all_is_a_difference_and_is_taken_with_override(tmp_path, capsys):
    for name in ("anna.wav", "bert.wav"):
        (tmp_path / name).write_bytes(voice_wav())
    write({"text": "one"}, {"text": "two", "voice": "kumo"})
    asked = ["batch", "in.jsonl", "--out", "out", "--references", "."]
    assert main([*asked, "--reference", "anna.wav", "--reference-text", "hi"], CloningEngine) == 0
    asked.append("--resume")
    assert main([*asked, "--reference", "bert.wav"], CloningEngine) == 1
    assert "--reference anna.wav → bert.wav" in capsys.readouterr().err
    assert main([*asked, "--reference-text", "ho"], CloningEngine) == 1
    assert "--reference-text hi → ho" in capsys.readouterr().err
    assert main([*asked, "--voice", "kumo"], CloningEngine) == 1
    assert "--reference anna.wav → –" in capsys.readouterr().err
    taken = ["--reference", "bert.wav", "--reference-text", "ho", "--override"]
    assert main([*asked, *taken], CloningEngine) == 0
    assert sorted(path.name for path in Path("out").rglob("bert*")) == ["bert.wav"]


def test_a_seed_that_changes_nothing_is_told(maker, capsys):
    write({"text": "one"})
    assert batch(maker, "--seed", "7") == 0
    assert "--seed changes nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["x" * 300, "a\0b", "a\nb" * 100, "x" * 300 + "/deeper", "in.jsonl"]
)
def test_a_folder_that_cannot_be_made_is_told_in_one_sentence(maker, capsys, name):
    write({"text": "one"})
    assert main(["batch", "in.jsonl", "--out", name], maker) == 1
    err = capsys.readouterr().err
    assert "cannot be used as a folder" in err
    assert err.count("\n") == 1
    assert maker.made == []


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "a\nb", "\udcff"])
def test_a_file_of_an_odd_name_is_told_in_one_sentence(maker, capsys, name):
    assert main(["batch", name, "--out", "out"], maker) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_whose_name_is_no_text_is_spoken_all_the_same(maker):
    write({"text": "one"}, name="\udcff\n.jsonl")
    assert main(["batch", "\udcff\n.jsonl", "--out", "out"], maker) == 0


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
    write(*({"text": f"line {n}"} for n in range(200)))
    assert batch(maker) == 0
    assert "lines/min" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--override", "--retry-failed"])
def test_what_is_asked_of_a_run_is_refused_where_there_is_none(
    option, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"text": "hello"}\n', encoding="utf-8")
    asked = ["batch", "in.jsonl", "--out", "mistyped", "--resume", option]
    assert main(asked, ScriptedEngine) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert option in sentence
    assert "mistyped" in sentence
    assert not Path("mistyped").exists()


@pytest.mark.parametrize(
    "theirs",
    ["report.html", "manifest.jsonl", "audio/a.wav", "input-3/a"],
)
def test_a_new_run_writes_over_nobodys_files(theirs, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"text": "hello"}\n', encoding="utf-8")
    path = Path("out") / theirs
    path.parent.mkdir(parents=True)
    path.write_text("precious", encoding="utf-8")
    assert main(["batch", "in.jsonl", "--out", "out"], ScriptedEngine) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert Path(theirs).parts[0] in sentence
    assert [each for each in Path("out").rglob("*") if each.is_file()] == [path]
    assert path.read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize("name", ["input.jsonl", "input-1.jsonl", "input-notes.jsonl"])
def test_a_run_may_lie_beside_its_input_and_other_files(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path(name).write_text('{"text": "hello"}\n', encoding="utf-8")
    Path("notes.txt").write_text("mine", encoding="utf-8")
    assert main(["batch", name, "--out", "."], ScriptedEngine) == 0
    assert main(["batch", name, "--out", ".", "--resume"], ScriptedEngine) == 0
    assert Path("notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_run_whose_engine_is_gone_is_carried_on_with_another(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"text": "hello"}\n', encoding="utf-8")
    assert main(["batch", "in.jsonl", "--out", "out", "--engine", "Cloning"], CloningEngine) == 0
    again = ["batch", "in.jsonl", "--out", "out", "--resume", "--engine", "Scripted"]
    assert main(again, ScriptedEngine) == 1
    assert "--override" in capsys.readouterr().err
    assert main([*again, "--override"], ScriptedEngine) == 0


# -- voices of several languages ---------------------------------------------------------------


class NativeMaker(Maker):
    """Makes engines with voices of both languages."""

    def __call__(self, settings: Settings, ledger: Ledger) -> ScriptedEngine:
        self.made.append(NativeEngine(settings, ledger))
        return self.made[-1]


def test_each_line_is_spoken_by_the_preferred_voice_of_its_language():
    write({"text": "明天见。"}, {"text": "Good night."}, {"text": "Good night.", "voice": "sam"})
    assert batch(NativeMaker()) == 0
    assert [entry["voices"] for entry in manifest()] == [["mei"], ["ann"], ["sam"]]


def test_a_second_voice_speaks_its_language_and_the_manifest_names_both():
    write({"text": "明天的 meeting"}, {"text": "好", "voice": "mei", "second_voice": "ann"})
    assert batch(NativeMaker(), "--voice", "lin", "--second-voice", "sam") == 0
    assert [entry["voices"] for entry in manifest()] == [["lin", "sam"], ["mei", "ann"]]


def test_voices_that_read_another_language_are_told_before_and_in_the_report(capsys):
    write({"text": "明天见。"}, {"text": "Good night."})
    assert batch(NativeMaker(), "--voice", "ann") == 0
    assert "ann reads Mandarin with an accent, in these lines: 1." in capsys.readouterr().err
    assert "<td>ann</td>" in Path("out/report.html").read_text()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--voice", "mei", "--second-voice", "lin"], "speak the same language"),
        (["--voice", "mei", "--second-voice", "kumo"], "neither Mandarin nor English"),
        (["--second-voice", "mei", "--reference", "a.wav"], "cannot both"),
    ],
)
def test_a_second_voice_that_cannot_be_followed_is_refused(capsys, more, told):
    write({"text": "one"})
    assert batch(NativeMaker(), *more) == 1
    assert told in capsys.readouterr().err


def test_overriding_the_second_voice_speaks_again():
    maker = NativeMaker()
    write({"text": "明天的 meeting"})
    assert batch(maker, "--voice", "mei") == 0
    assert batch(maker, "--resume", "--override", "--second-voice", "ann") == 0
    assert [entry["voices"] for entry in manifest()] == [["mei", "ann"]]
