"""Colours and the line that is written over reach terminals only, and leave nothing behind."""

from __future__ import annotations

import io
import sys

import pytest

from glmtts_core.cli.terminal import StatusLine, show


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def test_words_are_plain_and_unbroken_where_there_is_no_terminal(narrow, capsys):
    show("[bold] :smile: " + "x" * 200, "red", mark="✗ ")
    assert capsys.readouterr().out == "✗ [bold] :smile: " + "x" * 200 + "\n"


def test_the_mark_is_coloured_on_a_terminal(narrow, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    show("flow", "green", mark="✓ ")
    assert terminal.getvalue() == "\x1b[32m✓ \x1b[0mflow\n"


def test_a_status_is_shown_nowhere_but_on_a_terminal(capsys):
    with StatusLine() as status:
        status.update("Speaking", 0.5)
    assert capsys.readouterr() == ("", "")


def test_a_status_fits_on_its_line_and_is_wiped(narrow, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with StatusLine() as status:
        status.update("合成" * 40, 0.5)
        shown = terminal.getvalue()
        status.update("合成" * 40, 0.5)
        assert terminal.getvalue() == shown
    assert "…" in shown
    assert shown.count("合") < 20
    assert "\n" not in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[2K")
