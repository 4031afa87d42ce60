"""What a line would have needed is said as far as it is known."""

from __future__ import annotations

from glmtts_core.batch.coordinator import out_of_memory_reason
from glmtts_core.errors import OutOfMemoryError
from glmtts_core.memory.cost import MemoryCost
from tests.speaking import point

COST = MemoryCost("cpu", point(300), point(1_500), point(310))


def test_taken_and_missing_are_told():
    error = OutOfMemoryError("engine.out_of_memory", requested_bytes=2**31)
    told = out_of_memory_reason(error, COST).text("en")
    assert "had taken 1,200 MiB on top of 300 MiB and needed 2,048 MiB more at once" in told


def test_where_the_missing_block_is_unknown_it_is_not_made_up():
    told = out_of_memory_reason(OutOfMemoryError("engine.out_of_memory"), COST).text("en")
    assert "had taken 1,200 MiB on top of 300 MiB and needed more" in told


def test_where_nothing_was_measured_the_engines_own_words_stand():
    reason = out_of_memory_reason(OutOfMemoryError("engine.out_of_memory"), None)
    assert reason.key == "engine.out_of_memory"
