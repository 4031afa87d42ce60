"""The process that serves the pages never needs PyTorch: engines have processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from glmtts_core.places import PROGRAM_DIR

pytestmark = pytest.mark.process

_HEAVY = ("torch", "transformers", "onnxruntime")
#: Every module of these packages, and nothing that a click brings in.
_IMPORTED = """
import importlib, pkgutil, sys
import glmtts_core.diagnostics, glmtts_core.ui
for package in (glmtts_core.diagnostics, glmtts_core.ui):
    for each in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(each.name)
"""
_READ = """
import sys
from glmtts_core.engines.glmtts.text.spoken_text import sentences_of
for frontend in ("studio", "reference"):
    assert sentences_of("今天3.5元, at 10:30.", frontend)
"""


@pytest.mark.parametrize("script", [_IMPORTED, _READ], ids=["imports", "reading"])
def test_neither_diagnostics_nor_the_reading_preview_brings_heavy_libraries(script):
    tell = f"print([name for name in {_HEAVY!r} if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", script + tell],
        cwd=PROGRAM_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "[]"
