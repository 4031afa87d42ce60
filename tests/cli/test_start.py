"""A start that cannot succeed ends in one sentence, before an address is printed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from glmtts_core.cli.main import main
from glmtts_core.cli.start import check_address, check_start
from glmtts_core.errors import SettingsError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def start(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the start script in the environment of the tests; it must fail."""
    return subprocess.run(
        ["bash", "start_app.sh", "--no-install", *options],
        cwd=ROOT,
        env={**os.environ, "GLMTTS_VENV": sys.prefix, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_free_port_is_taken_and_left_free(free_port):
    check_address("127.0.0.1", free_port)
    check_address("localhost", free_port)


def test_a_busy_port_is_told(busy_port):
    with pytest.raises(SettingsError, match=f"port {busy_port} already"):
        check_address("127.0.0.1", busy_port)


@pytest.mark.parametrize("host", ["1.2.3.4", "999.1.1.1", "no such host", "a" * 70, "x.invalid"])
def test_a_host_that_is_not_this_machine_is_told(host, free_port):
    with pytest.raises(SettingsError, match="no address of this machine"):
        check_address(host, free_port)


def test_a_gpu_that_is_not_there_is_told(free_port, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(SettingsError, match="GLMTTS_DEVICE=cuda"):
        check_start("cuda", "127.0.0.1", free_port)


@pytest.mark.process
@pytest.mark.parametrize("port", ["99999", "0", "-1", "80a", "123456789012345678901", ""])
def test_what_is_no_port_is_refused(port, monkeypatch, capsys):
    monkeypatch.setenv("GLMTTS_LANGUAGE", "en")
    assert main(["start", "--port", port]) == 1
    assert capsys.readouterr() == (
        "",
        f"--port {port} is no port number: choose one from 1 to 65535, such as 7860.\n",
    )


@pytest.mark.process
def test_a_start_that_is_refused_prints_one_sentence_and_no_address(busy_port):
    for refused in (
        start("--port", str(busy_port)),
        start("--host", "1.2.3.4"),
        start("--port", "80a"),
        start("--port", "7860", GLMTTS_DEVICE="cuda", CUDA_VISIBLE_DEVICES=""),
        start(GLMTTS_THREADS="many"),
    ):
        assert refused.returncode == 1
        assert refused.stdout == ""
        assert len(refused.stderr.splitlines()) == 1
        assert "Traceback" not in refused.stderr
