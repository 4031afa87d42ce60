"""What an engine's process keeps and has allocated, as it tells it: gone when the process is."""

from __future__ import annotations

from glmtts_core.engines.host.protocol import Figures, Forgotten, Recorded
from glmtts_core.memory.allocator import AllocatorReading
from glmtts_core.memory.ledger import Ledger, LedgerKind

_NOTHING = Figures(allocated_bytes=None, reserved_bytes=None, reclaimable_bytes=None, uuid=None)


class Mirror:
    """The process's part of the program's ledger, and its allocator's newest figures.

    Args:
        ledger: gets the entries.

    Attributes:
        figures: of the allocator.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.figures = _NOTHING
        self._ledger = ledger
        self._kept: set[tuple[LedgerKind, str, str]] = set()

    @property
    def reading(self) -> AllocatorReading:
        """The figures as an allocator gives them."""
        figures = self.figures
        return AllocatorReading(
            figures.allocated_bytes, figures.reserved_bytes, figures.reclaimable_bytes
        )

    def take(self, event: Recorded | Forgotten | Figures) -> None:
        """Take what the process tells."""
        match event:
            case Recorded():
                entry = event.entry
                self._kept.add((entry.kind, entry.owner, entry.name))
                self._ledger.keep(entry)
            case Forgotten():
                self._kept.discard((event.of, event.owner, event.name))
                self._ledger.forget(event.of, event.owner, event.name)
            case Figures():
                self.figures = event

    def clear(self) -> None:
        """Forget everything: the process has ended."""
        for key in self._kept:
            self._ledger.forget(*key)
        self._kept.clear()
        self.figures = _NOTHING
