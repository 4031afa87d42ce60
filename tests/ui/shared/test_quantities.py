"""Bytes, seconds and moments as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from glmtts_core.byte_units import GIB, MIB
from glmtts_core.ui.shared.quantities import change, moment, seconds, size


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 MiB"),
        (1, "0 MiB"),
        (0.3 * MIB, "0.3 MiB"),
        (9.94 * MIB, "9.9 MiB"),
        (10 * MIB, "10 MiB"),
        (312.4 * MIB, "312 MiB"),
        (GIB, "1.00 GiB"),
        (1.239 * GIB, "1.24 GiB"),
        (24 * GIB, "24.00 GiB"),
        (-5 * MIB, "-5.0 MiB"),
    ],
)
def test_a_size_has_as_many_digits_as_help(size_bytes, words):
    assert size(size_bytes) == words


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(5 * MIB, "+5.0 MiB"), (0, "+0 MiB"), (-5 * MIB, "−5.0 MiB"), (-2 * GIB, "−2.00 GiB")],
)
def test_a_change_has_its_sign_and_a_true_minus(size_bytes, words):
    assert change(size_bytes) == words


@pytest.mark.parametrize(
    ("value_s", "words"),
    [
        (0, "0.00 s"),
        (0.084, "0.08 s"),
        (4.21, "4.2 s"),
        (119.9, "119.9 s"),
        (120, "2 min 00 s"),
        (185, "3 min 05 s"),
        (179.6, "3 min 00 s"),
        (7199, "119 min 59 s"),
        (15_085, "4 h 11 min"),
    ],
)
def test_seconds_become_minutes_where_that_reads_better(value_s, words):
    assert seconds(value_s) == words


def test_a_moment_of_another_day_has_its_date():
    now = datetime.now().astimezone().replace(hour=12, minute=3, second=9)
    assert moment(now) == "12:03:09"
    assert moment(now - timedelta(days=6)) == f"{now - timedelta(days=6):%Y-%m-%d} 12:03"
