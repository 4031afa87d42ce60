"""What looks better on a terminal: colours, and a line that is written over; else plain text."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.control import Control
from rich.progress_bar import ProgressBar
from rich.segment import ControlType
from rich.text import Text

_BAR_COLUMNS = 24


def console(*, stderr: bool = False) -> Console:
    """Return what writes on a standard stream: words as they are, long lines unbroken."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def show(words: str, style: str = "", *, mark: str = "") -> None:
    """Print words on the standard output, the style on ``mark`` before them or on all of them."""
    console().print(Text.assemble((mark, style), words) if mark else Text(words, style))


class StatusLine:
    """One line of the terminal at standard error, written over as work goes on, gone in the end.

    Hides no cursor: the process may be killed at any moment.
    """

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self._shown:
            self._wipe()

    def update(self, words: str, fraction: float) -> None:
        """Show how far it is; nothing where there is no terminal."""
        if words == self._shown or not self._console.is_terminal:
            return
        self._shown = words
        self._wipe()
        bar = ProgressBar(1.0, fraction, width=_BAR_COLUMNS)
        line = Text(f" {words}", overflow="ellipsis", no_wrap=True)
        line.truncate(max(self._console.width - _BAR_COLUMNS - 1, 0))
        self._console.print(bar, end="")
        self._console.print(line, end="")

    def _wipe(self) -> None:
        self._console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))
