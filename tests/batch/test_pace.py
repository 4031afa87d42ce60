"""How fast a run goes: by characters, since its last start."""

from __future__ import annotations

import pytest

from glmtts_core.batch.pace import Pace


def test_nothing_is_told_before_the_first_line():
    reading = Pace(100).read()
    assert (reading.eta_s, reading.lines_per_min, reading.audio_per_s) == (None, None, None)
    assert reading.active_s >= 0


def test_what_remains_takes_as_long_as_what_was_done_did_by_character():
    pace = Pace(100)
    pace.ended(20, audio_s=2.0)
    reading = pace.read()
    assert reading.eta_s == pytest.approx(4 * reading.active_s)
    assert reading.lines_per_min == pytest.approx(60 / reading.active_s)
    assert reading.audio_per_s == pytest.approx(2 / reading.active_s)


def test_more_lines_make_it_longer():
    pace = Pace(20)
    pace.ended(20, audio_s=0.0)
    assert pace.read().eta_s == 0
    pace.more(40)
    reading = pace.read()
    assert reading.eta_s == pytest.approx(2 * reading.active_s)


def test_what_has_stopped_keeps_its_pace_and_has_no_end_in_sight():
    pace = Pace(40)
    pace.ended(20, audio_s=1.0)
    pace.stop()
    first = pace.read()
    assert first == pace.read()
    assert first.eta_s is None
