"""The check of all lines before the first is spoken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glmtts_core.audio import encode_wav
from glmtts_core.batch.dry_run import dry_run, missing_from
from glmtts_core.batch.lines import BatchInput, RunDefaults, request_of, transcript_of
from glmtts_core.batch.references import ReferenceFolder
from glmtts_core.batch.rows import read_batch
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from tests.scripted_engine import CloningEngine, ScriptedEngine

WAV = encode_wav(np.zeros(24_000, np.float32), 24_000)
DEFAULTS = RunDefaults(voice="alpha")


@pytest.fixture
def references(tmp_path: Path) -> ReferenceFolder:
    folder = ReferenceFolder(tmp_path / "references")
    folder.add("anna.wav", WAV)
    folder.add("broken.wav", b"no sound")
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
        assert problem.text("en") != problem.text("zh")


def test_a_reference_is_refused_by_an_engine_that_cannot_clone(check):
    (problem,) = check({"text": "a", "prompt_audio": "anna.wav"}).problems
    assert problem.key == "request.no_reference"


def test_references_become_names_inside_the_folder(check):
    result = check(
        {"text": "a", "prompt_audio": "some/where/ANNA.wav"},
        {"text": "b", "prompt_audio": "bert.wav"},
        {"text": "c", "prompt_audio": "broken.wav"},
        {"text": "d", "prompt_audio": "../../anna"},
        engine=CloningEngine,
    )
    assert [line.prompt_audio for line in result.lines] == ["anna.wav"]
    assert [problem.key for problem in result.problems] == [
        "batch.reference.missing",
        "audio.unreadable",
        "batch.reference.outside",
    ]


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
    defaults = RunDefaults("alpha", 1.1, 32_000, 5, "ras", True)
    lines = check(
        {"text": "a"},
        {"text": "b", "voice": "kumo", "speed": 0.9, "sample_rate": 24_000, "seed": 0},
        {"text": "c", "use_kv_cache": False, "sampling": "topk"},
        defaults=defaults,
        engine=CloningEngine,
    ).lines
    plain, own, switched = (request_of(line, defaults, None) for line in lines)
    assert (plain.voice, plain.speed, plain.sample_rate_hz, plain.seed) == ("alpha", 1.1, 32_000, 5)
    assert (plain.sampling, plain.use_history) == ("ras", True)
    assert (own.voice, own.speed, own.sample_rate_hz, own.seed) == ("kumo", 0.9, 24_000, 0)
    assert (switched.use_history, switched.sampling) == (False, "topk")


def test_of_a_corrected_file_only_what_is_missing_or_changed_runs(check):
    before = check({"uttid": "a", "text": "1"}, {"uttid": "b", "text": "2"})
    done = {line.uttid: line.content_hash for line in before.lines}
    after = check(
        {"uttid": "c", "text": "3"}, {"uttid": "b", "text": "changed"}, {"uttid": "a", "text": "1"}
    )
    todo, kept = missing_from(after.lines, done)
    assert [line.uttid for line in todo] == ["c", "b"]
    assert kept == 1
