"""How the numbers of lines are shown in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

#: Numbers that a sentence names; with more of them an ellipsis follows.
_SHOWN: Final = 5


def listed(numbers: Sequence[int]) -> str:
    """Return "1, 4, 7", with an ellipsis where there are many."""
    return ", ".join(map(str, numbers[:_SHOWN])) + " …" * (len(numbers) > _SHOWN)
