"""Which parts of which lines of a batch will not be heard."""

from __future__ import annotations

from collections.abc import Iterator

from glmtts_core.batch.line_numbers import listed
from glmtts_core.message import Message
from glmtts_core.text.reading import Reading


class ReadingHints:
    """Collects such parts, and says once a part which lines they are in."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}

    def note(self, number: int, reading: Reading) -> None:
        """Remember what line ``number`` leaves out."""
        for part in reading.left_out:
            self._lines.setdefault(part, []).append(number)

    def hints(self) -> Iterator[Message]:
        """Yield the sentences."""
        for part, numbers in self._lines.items():
            yield Message("read.left_out_of_lines", {"part": part, "lines": listed(numbers)})
