"""Garbage collection in the tests' own process: of what tests make, not of what was imported.

The program collects garbage whenever an engine is loaded or memory is cleaned up. Beside all tests
and all libraries, a million objects, that would take longer than the tests themselves. A plugin of
pytest, loaded by `conftest`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Final

import pytest

_FREEZE: Final = gc.freeze
_UNFREEZE: Final = gc.unfreeze
#: So many more modules are worth a collection of their objects.
_MANY_MODULES: Final = 100


class _Heap:
    """How many modules were imported when what is alive was exempted."""

    modules = 0

    def exempt(self) -> None:
        """Exempt what is alive from collection, where much was imported since the last time."""
        if len(sys.modules) >= self.modules + _MANY_MODULES:
            gc.collect()
            _FREEZE()
            self.modules = len(sys.modules)


_heap = _Heap()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Exempt what the collection of tests, or a test, has imported."""
    _heap.exempt()


@pytest.fixture(scope="session", autouse=True)
def what_is_exempt_stays_so() -> Iterator[None]:
    """Have the program neither exempt more nor take back what is; `real_freezing` lets it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "freeze", lambda: None)
        patch.setattr(gc, "unfreeze", lambda: None)
        yield


@pytest.fixture
def real_freezing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have objects really exempted from garbage collection, and collected again."""
    monkeypatch.setattr(gc, "freeze", _FREEZE)
    monkeypatch.setattr(gc, "unfreeze", _UNFREEZE)
    yield
    _UNFREEZE()
    gc.collect()
    _FREEZE()
