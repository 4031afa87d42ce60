"""The check of all lines before the first is spoken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from glmtts_core.batch_draft.dry_run import dry_run, missing_from
from glmtts_core.batch_files.lines import (
    BatchInput,
    BatchLine,
    RunDefaults,
    request_of,
    transcript_of,
)
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.batch_files.rows import read_batch
from glmtts_core.catalogue import LANGUAGES, text
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from glmtts_core.speech import ReferenceAudio
from tests.scripted_engine import CloningEngine, NativeEngine, ScriptedEngine
from tests.speaking import voice_wav

DEFAULTS = RunDefaults(voice="alpha")


class CountingFolder(ReferenceFolder):
    """Notes what is decoded."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.loaded: list[str] = []

    def load(self, name: str, transcript: str, max_s: float) -> ReferenceAudio:
        self.loaded.append(name)
        return super().load(name, transcript, max_s)


@pytest.fixture
def references(tmp_path: Path) -> CountingFolder:
    folder = CountingFolder(tmp_path / "references")
    folder.add("anna.wav", voice_wav())
    folder.add("broken.wav", b"no sound")
    folder.add("short.wav", voice_wav(1.0))
    folder.add("long.wav", voice_wav(31.0))
    folder.add("silent.wav", voice_wav(level=0.0))
    folder.add("clipped.wav", voice_wav(level=1.0))
    return folder


@pytest.fixture
def check(settings: Settings, references: ReferenceFolder):
    def run(
        *objects: Any, defaults: RunDefaults = DEFAULTS, engine: type = ScriptedEngine
    ) -> BatchInput:
        data = "".join(json.dumps(each) + "\n" for each in objects).encode()
        capabilities = engine(settings, Ledger()).capabilities
        return dry_run(read_batch(data, "a.jsonl"), defaults, references, capabilities, settings)

    return run


def test_good_lines_are_ready_and_bad_ones_set_aside_in_the_files_order(check):
    result = check(
        {"text": "one"},
        {"text": "x" * 6000},
        {"txt": "x"},
        {"text": "two", "voice": "nobody"},
        {"text": "two", "speed": 9},
        {"text": "two", "sample_rate": 11_025},
        {"text": "😀"},
        {"text": "two", "use_kv_cache": True},
        {"text": "three"},
    )
    assert [line.number for line in result.lines] == [1, 9]
    assert [problem.number for problem in result.problems] == [2, 3, 4, 5, 6, 7, 8]
    for problem in result.problems:
        assert json.loads(json.dumps(problem.to_dict())) == problem.to_dict()
        assert problem.message.text("en") != problem.message.text("zh")


def test_a_reference_is_refused_by_an_engine_that_cannot_clone(check):
    (problem,) = check({"text": "a", "prompt_audio": "anna.wav"}).problems
    assert problem.message.key == "request.no_reference"


def test_references_become_names_inside_the_folder(check):
    result = check(
        {"text": "a", "prompt_audio": "some/where/ANNA.wav"},
        {"text": "b", "prompt_audio": "bert.wav"},
        {"text": "c", "prompt_audio": "broken.wav"},
        {"text": "d", "prompt_audio": "../../anna"},
        engine=CloningEngine,
    )
    assert [line.prompt_audio for line in result.lines] == ["anna.wav"]
    assert [problem.message.key for problem in result.problems] == [
        "batch.reference.missing",
        "audio.unreadable",
        "batch.reference.outside",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_recording_that_cannot_be_cloned_sets_its_lines_aside(check, language):
    names = ("short.wav", "anna.wav", "long.wav", "silent.wav")
    result = check(*({"text": "a", "prompt_audio": name} for name in names), engine=CloningEngine)
    assert [line.prompt_audio for line in result.lines] == ["anna.wav"]
    assert [problem.message.text(language) for problem in result.problems] == [
        text("voice.too_short", language, name="short.wav", seconds="1.0", limit="3"),
        text("voice.too_long", language, name="long.wav", seconds="31.0", limit="30"),
        text("voice.silent", language, name="silent.wav"),
    ]


def test_a_recording_is_judged_once_however_many_lines_name_it(check, references):
    names = ("anna.wav", "voices/Anna.wav", "clipped.wav", r"C:\voices\clipped.wav", "short.wav")
    lines = [{"text": "a", "prompt_audio": name} for name in names] * 20
    result = check(*lines, engine=CloningEngine)
    assert references.loaded == ["anna.wav", "clipped.wav", "short.wav"]
    assert [hint.key for hint in result.hints] == ["voice.clipped"]
    assert (len(result.lines), len(result.problems)) == (80, 20)


def test_recordings_are_not_judged_for_an_engine_that_cannot_clone(check):
    names = ("short.wav", "clipped.wav")
    result = check(*({"text": "a", "prompt_audio": name} for name in names))
    assert {problem.message.key for problem in result.problems} == {"request.no_reference"}
    assert result.hints == ()


def test_one_reference_for_all_holds_where_a_line_names_none(check):
    defaults = RunDefaults(reference_name="anna.wav", reference_text="你好")
    result = check(
        {"text": "a"}, {"text": "b", "prompt_text": "x"}, defaults=defaults, engine=CloningEngine
    )
    assert len(result.lines) == 2
    assert [transcript_of(line, defaults) for line in result.lines] == ["你好", "x"]


def test_the_runs_reference_missing_is_said_at_every_line(check):
    defaults = RunDefaults(reference_name="nobody.wav")
    result = check({"text": "a"}, {"text": "b"}, defaults=defaults, engine=CloningEngine)
    assert [problem.number for problem in result.problems] == [1, 2]


def test_a_line_asks_for_what_it_says_and_else_for_what_the_run_says(check):
    defaults = RunDefaults(
        voice="alpha", speed=1.1, sample_rate_hz=32_000, seed=5, sampling="ras", history=True
    )
    lines = check(
        {"text": "a"},
        {"text": "b", "voice": "kumo", "speed": 0.9, "sample_rate": 24_000, "seed": 0},
        {"text": "c", "use_kv_cache": False, "sampling": "topk"},
        defaults=defaults,
        engine=CloningEngine,
    ).lines
    plain, own, switched = (request_of(line, defaults, None) for line in lines)
    assert (plain.voice, plain.speed, plain.sample_rate_hz, plain.seed) == ("alpha", 1.1, 32_000, 5)
    assert (plain.sampling, plain.history) == ("ras", True)
    assert (own.voice, own.speed, own.sample_rate_hz, own.seed) == ("kumo", 0.9, 24_000, 0)
    assert (switched.history, switched.sampling) == (False, "topk")


def test_of_a_corrected_file_only_what_is_missing_or_changed_runs(check):
    before = check({"uttid": "a", "text": "1"}, {"uttid": "b", "text": "2"})
    done = {line.uttid: line.content_hash for line in before.lines}
    after = check(
        {"uttid": "c", "text": "3"}, {"uttid": "b", "text": "changed"}, {"uttid": "a", "text": "1"}
    )
    todo, kept = missing_from(after.lines, done)
    assert [line.uttid for line in todo] == ["c", "b"]
    assert kept == 1


def test_voices_that_read_another_language_are_told_once_each(check):
    lines = [{"text": "明天见。"}, {"text": "Good night."}, {"text": "好。", "voice": "kumo"}]
    result = check(*lines * 6, defaults=RunDefaults(voice="ann"), engine=NativeEngine)
    assert len(result.lines) == 18
    assert [hint.key for hint in result.hints] == ["voice_language.mandarin_lines"] * 2
    told = [hint.text("en") for hint in result.hints]
    assert "ann reads Mandarin with an accent, in these lines: 1, 4, 7, 10, 13 …" in told[0]
    assert "kumo reads Mandarin with an accent, in these lines: 3, 6, 9, 12, 15 …" in told[1]
    assert all("mei" in sentence for sentence in told)


def test_lines_whose_languages_have_voices_need_no_hint(check):
    lines = [{"text": "明天见。"}, {"text": "Good night."}, {"text": "明天的 meeting"}]
    for defaults in (RunDefaults(), RunDefaults(voice="lin", second_voice="sam")):
        assert not check(*lines, defaults=defaults, engine=NativeEngine).hints


def test_a_second_voice_holds_for_lines_that_name_no_voice():
    defaults = RunDefaults(voice="mei", second_voice="sam")
    asked = [
        request_of(line, defaults, None)
        for line in (
            BatchLine(number=1, uttid="a", file_stem="a", text="你好"),
            BatchLine(number=2, uttid="b", file_stem="b", text="你好", voice="lin"),
            BatchLine(
                number=3, uttid="c", file_stem="c", text="你好", voice="lin", second_voice="ann"
            ),
        )
    ]
    pairs = [(request.voice, request.second_voice) for request in asked]
    assert pairs == [("mei", "sam"), ("lin", None), ("lin", "ann")]


def test_a_second_voice_of_the_same_language_sets_the_line_aside(check):
    lines = ({"text": "你好", "voice": "mei", "second_voice": "lin"}, {"text": "你好"})
    result = check(*lines, defaults=RunDefaults(voice="mei"), engine=NativeEngine)
    assert [problem.message.key for problem in result.problems] == ["request.second_voice_same"]


def test_what_is_left_out_is_told_once_a_part_with_its_lines(check):
    lines = [{"text": "你好🎉"}, {"text": "Hello → Привет"}, {"text": "再见"}]
    told = [hint.text("en") for hint in check(*lines * 3).hints]
    assert told == [
        "“🎉” will not be heard, in these lines: 1, 4, 7.",
        "“→” will not be heard, in these lines: 2, 5, 8.",
        "“Привет” will not be heard, in these lines: 2, 5, 8.",
    ]
