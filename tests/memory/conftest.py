"""Fixtures of the memory tests: the stub driver, and children that talk to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.nvml import build_nvml_stub, c_compiler, stub_environment

CHILD = "tests.memory.nvml_child"
ROOT = Path(__file__).resolve().parents[2]


class NvmlChild:
    """A child process that reads devices through pynvml and the stub."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def read(self) -> dict[str, Any]:
        """Take one reading."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("read\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def device(self, index: int = 0) -> dict[str, Any]:
        """Take one reading and return one device of it."""
        return self.read()["devices"][index]

    def message_keys(self) -> list[str]:
        """Take one reading and return its messages' keys."""
        return [message["key"] for message in self.read()["messages"]]

    def close(self) -> None:
        """End the child by closing its input."""
        self._process.communicate(timeout=20)
        assert self._process.returncode == 0


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stub library; skips where it cannot be built."""
    if c_compiler() is None:
        pytest.skip("the NVML stub needs a C compiler (cc, gcc or clang)")
    return build_nvml_stub(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def nvml_state(tmp_path: Path) -> Path:
    """The file that steers the stub."""
    return tmp_path / "nvml-state.txt"


@pytest.fixture
def nvml_child(nvml_library: Path, nvml_state: Path) -> Iterator[Callable[..., NvmlChild]]:
    """Start children that read through the stub."""
    with ExitStack() as stack:

        def start(*options: str, library: Path = nvml_library) -> NvmlChild:
            child = NvmlChild(
                subprocess.Popen(
                    [sys.executable, "-m", CHILD, *options],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=ROOT,
                    env=stub_environment(library, nvml_state),
                )
            )
            stack.callback(child.close)
            return child

        yield start
