"""The order of speaking, and what the engine is asked for: each recording read once in a row."""

from __future__ import annotations

import numpy as np
import pytest

from glmtts_core.audio import encode_wav
from glmtts_core.batch.speaking import LineRequests, speaking_order
from glmtts_core.batch.states import LineRow, LineStatus
from glmtts_core.batch_files.lines import RunDefaults
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.errors import AudioError, BatchError
from tests.batch.runs import DEFAULTS, lines


def rows(*values, crashes=()):
    good = lines(*("x" * len(values)))
    return [
        LineRow(position, line.changed(**each), LineStatus(crashes=int(position in crashes)))
        for position, (line, each) in enumerate(zip(good, values, strict=True))
    ]


def order(waiting, defaults=DEFAULTS):
    return [row.position for row in speaking_order(waiting, defaults)]


def test_lines_of_one_voice_follow_each_other_in_the_inputs_order():
    waiting = rows({}, {"voice": "kumo"}, {}, {"voice": "kumo"}, {"voice": "alpha"})
    assert order(waiting) == [0, 2, 4, 1, 3]


def test_a_sample_rate_is_changed_less_often_than_a_voice():
    waiting = rows({"sample_rate_hz": 32_000}, {}, {"sample_rate_hz": 32_000, "voice": "kumo"}, {})
    assert order(waiting) == [0, 2, 1, 3]


def test_a_recording_and_what_is_said_in_it_make_a_voice():
    waiting = rows(
        {"prompt_audio": "a.wav", "prompt_text": "hi"},
        {"prompt_audio": "b.wav", "prompt_text": "hi"},
        {"prompt_audio": "a.wav", "prompt_text": "hi"},
        {"prompt_audio": "a.wav", "prompt_text": "ho"},
    )
    assert order(waiting, RunDefaults()) == [0, 2, 1, 3]


def test_a_line_during_which_the_process_died_comes_last():
    assert order(rows({}, {}, {}, crashes=[0])) == [1, 2, 0]


# -- what the engine is asked for -------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    tone = (0.1 * np.sin(np.arange(24_000) / 20)).astype(np.float32)
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(encode_wav(tone, 24_000))
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    return ReferenceFolder(tmp_path)


def line(**values):
    return lines("one", **values)[0]


def test_a_line_without_a_recording_is_spoken_with_a_voice(folder):
    request = LineRequests(DEFAULTS, folder, 60.0).of(line())
    assert (request.text, request.voice, request.reference) == ("one", "alpha", None)


def test_lines_of_one_recording_share_its_samples(folder):
    requests = LineRequests(RunDefaults(reference_name="a.wav"), folder, 60.0)
    first = requests.of(line()).reference
    assert requests.of(line()).reference is first
    assert requests.of(line(prompt_audio="b.wav")).reference is not first


def test_what_is_said_in_it_goes_along(folder):
    requests = LineRequests(RunDefaults(), folder, 60.0)
    given = [requests.of(line(prompt_audio="a.wav", prompt_text=said)) for said in ("hi", "ho")]
    assert [each.reference.transcript for each in given] == ["hi", "ho"]


@pytest.mark.parametrize(("name", "error"), [("gone.wav", BatchError), ("broken.wav", AudioError)])
def test_a_recording_that_cannot_be_read_is_told(folder, name, error):
    with pytest.raises(error, match=name):
        LineRequests(RunDefaults(), folder, 60.0).of(line(prompt_audio=name))


def test_a_recording_that_is_too_long_is_refused(folder):
    with pytest.raises(AudioError):
        LineRequests(RunDefaults(), folder, 0.5).of(line(prompt_audio="a.wav"))
