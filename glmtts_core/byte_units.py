"""The binary units that bytes are shown and bounded in."""

from __future__ import annotations

from typing import Final

MIB: Final = 2**20
GIB: Final = 2**30
