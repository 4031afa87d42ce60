"""When a run cleans up between its lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import with_config

from glmtts_core.byte_units import MIB
from glmtts_core.stored import STRICT

#: The built-in voice keeps about a gigabyte once long lines were spoken, and a trim takes a tenth
#: of a second: at half of that it pays, and short lines never get there.
DEFAULT_THRESHOLD_BYTES: Final = 512 * MIB


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class CleanupPolicy:
    """What makes a run clean up; several may hold. Running out of memory always does.

    Attributes:
        threshold_bytes: clean as soon as that much could be given back; None looks at no threshold.
        every_lines: clean after so many lines; None does not count.
        after_failure: clean after a line that failed.
    """

    threshold_bytes: int | None = DEFAULT_THRESHOLD_BYTES
    every_lines: int | None = None
    after_failure: bool = True

    def __post_init__(self) -> None:
        """Refuse what would clean without end.

        Raises:
            ValueError: a threshold or a number of lines below 1.
        """
        if any(each is not None and each < 1 for each in (self.threshold_bytes, self.every_lines)):
            raise ValueError("a threshold and a number of lines are at least 1")

    @classmethod
    def never(cls) -> CleanupPolicy:
        """Return the policy that leaves memory alone."""
        return cls(threshold_bytes=None, every_lines=None, after_failure=False)

    def wants_cleanup(self, *, lines_since: int, failed: bool, reclaimable_bytes: int) -> bool:
        """Tell whether to clean up now.

        Args:
            lines_since: lines since the last cleanup.
            failed: whether the line that has just ended failed.
            reclaimable_bytes: what a cleanup promises.
        """
        return (
            (self.after_failure and failed)
            or (self.every_lines is not None and lines_since >= self.every_lines)
            or (self.threshold_bytes is not None and reclaimable_bytes >= self.threshold_bytes)
        )
