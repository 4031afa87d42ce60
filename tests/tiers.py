"""Which tests run when: the tiers, the serial tail, and the marks that no test may go without.

A plugin of pytest, loaded by `conftest`. What a test does is watched through the interpreter's
audit events: a test that starts a process or opens the built-in voice's model, and is not marked
so, fails wherever it runs. So the fast tier, which goes by the marks, cannot grow slow unseen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Final

import pytest

from glmtts_core.engines.kokoro.model_file import MODEL_NAME
from glmtts_core.text import mandarin_preparing
from tests.forked import FORKED

#: Marks of tests that the fast tier leaves out.
SLOW: Final = ("browser", "process", "voice")
#: Audit events with which a process starts.
_STARTS: Final = frozenset(
    {
        "subprocess.Popen",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        FORKED,
    }
)


class MarkGuard:
    """Watches what the running test does without the mark for it.

    Attributes:
        offences: what the running test did, in words.
    """

    def __init__(self) -> None:
        self.offences: list[str] = []
        self._allowed = frozenset(SLOW)

    def watch(self, item: pytest.Item) -> None:
        """Hold what is done from now on against ``item``."""
        self.offences = []
        self._allowed = frozenset(name for name in SLOW if item.get_closest_marker(name))

    def look_away(self) -> None:
        """Let everything be done: no test runs."""
        self._allowed = frozenset(SLOW)

    def note(self, event: str, arguments: tuple[object, ...]) -> None:
        """Take an audit event; refuse what the running test is not marked for."""
        if event in _STARTS:
            # how Python itself finds a library, and what is made once for all tests
            harmless = bool(arguments) and (
                str(arguments[0]).endswith("ldconfig") or mandarin_preparing.CHILD in arguments
            )
            if not harmless and not self._allowed & {"browser", "process"}:
                self._refuse(f"starts a process ({event}) without the mark 'process'")
        elif event == "open" and "voice" not in self._allowed:
            path, _, flags = arguments
            written = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            if not written and str(path).endswith(MODEL_NAME):
                self._refuse("opens the built-in voice's model without the mark 'voice'")

    def _refuse(self, offence: str) -> None:
        self.offences.append(offence)
        # no Exception, which the code under test might handle
        pytest.fail(f"this test {offence}")


_guard = MarkGuard()
sys.addaudithook(_guard.note)


def pytest_configure() -> None:
    """Have PyTorch and NumPy, when they are imported, take one core: the other has other tests."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


@pytest.fixture
def mark_guard() -> MarkGuard:
    """The guard that watches this test."""
    return _guard


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Watch the test from its fixtures' setup to their teardown."""
    _guard.watch(item)
    try:
        return (yield)
    finally:
        _guard.look_away()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Fail a test whose offence was swallowed, by a thread or by the code under test."""
    yield
    if _guard.offences:
        pytest.fail(f"this test {_guard.offences[0]}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the choice of tests that `run.sh` makes; ``-m`` stays free for other ones."""
    group = parser.getgroup("tiers")
    group.addoption("--tier", choices=("all", "fast"), default="all", help="what to run")
    group.addoption(
        "--serial", choices=("with", "without", "only"), default="with", help="measuring tests"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not in the tier, or not in this part of it."""
    left_out = [item for item in items if not _chosen(item, config)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _chosen(item, config)]


def _chosen(item: pytest.Item, config: pytest.Config) -> bool:
    if config.getoption("tier") == "fast" and any(map(item.get_closest_marker, SLOW)):
        return False
    part = config.getoption("serial")
    return part == "with" or (part == "only") == bool(item.get_closest_marker("serial"))
