"""What a process of the program is started with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from glmtts_core.engines.host.started import _environment, start_attached
from glmtts_core.places import PACKAGE_DIR


def test_an_engines_process_is_not_told_the_token(monkeypatch):
    monkeypatch.setenv("GLMTTS_API_TOKEN", "secret")
    monkeypatch.setenv("glmtts_api_token", "secret")
    monkeypatch.setenv("GLMTTS_THREADS", "3")
    told = _environment(7)
    assert "secret" not in told.values()
    assert (told["GLMTTS_THREADS"], told["GLMTTS_LIFELINE"]) == ("3", "7")


@pytest.mark.process
def test_it_starts_where_the_package_is_found_wherever_settings_and_outputs_lie():
    process, lifeline = start_attached([sys.executable, "-c", "import os; print(os.getcwd())"])
    told, _ = process.communicate(timeout=60)
    os.close(lifeline)
    assert Path(told.decode().strip()) == PACKAGE_DIR.parent
