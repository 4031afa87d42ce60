"""Seeds: what every engine that draws at random takes."""

from __future__ import annotations

import secrets
from typing import Final

#: Seeds lie below this: what a signed 32-bit number holds.
SEEDS: Final = 2**31


def new_seed() -> int:
    """Return a seed that every engine takes."""
    return secrets.randbelow(SEEDS)
