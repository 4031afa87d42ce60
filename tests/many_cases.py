"""Many cases in one test."""

from __future__ import annotations

from collections.abc import Iterable


def assert_none(wrong: Iterable[str]) -> None:
    """Fail with all that is wrong, a line each: for many cases that a test each would only slow."""
    told = list(wrong)
    assert not told, f"{len(told)} wrong:\n" + "\n".join(told)
