"""The order of speaking: what shares a rate and a voice follows each other."""

from __future__ import annotations

from glmtts_core.batch.line_table import LineTable
from glmtts_core.batch.speaking import speaking_order

from glmtts_core.batch.states import LineStatus
from glmtts_core.batch_files.lines import RunDefaults
from tests.batch.runs import DEFAULTS, lines


def table_of(*values):
    good = lines(*("x" * len(values)))
    return LineTable([line.changed(**each) for line, each in zip(good, values, strict=True)], 0)


def order(table, defaults=DEFAULTS):
    return speaking_order(range(len(table.lines)), table, defaults)


def test_lines_of_one_voice_follow_each_other_in_the_inputs_order():
    table = table_of({}, {"voice": "kumo"}, {}, {"voice": "kumo"}, {"voice": "alpha"})
    assert order(table) == [0, 2, 4, 1, 3]


def test_a_sample_rate_is_changed_less_often_than_a_voice():
    table = table_of(
        {"sample_rate_hz": 32_000}, {}, {"sample_rate_hz": 32_000, "voice": "kumo"}, {}
    )
    assert order(table) == [0, 2, 1, 3]


def test_a_recording_and_what_is_said_in_it_make_a_voice():
    table = table_of(
        {"prompt_audio": "a.wav", "prompt_text": "hi"},
        {"prompt_audio": "b.wav", "prompt_text": "hi"},
        {"prompt_audio": "a.wav", "prompt_text": "hi"},
        {"prompt_audio": "a.wav", "prompt_text": "ho"},
    )
    assert order(table, RunDefaults()) == [0, 2, 1, 3]


def test_a_line_during_which_the_process_died_comes_last():
    table = table_of({}, {}, {})
    table.put(0, LineStatus(crashes=1))
    assert order(table) == [1, 2, 0]
