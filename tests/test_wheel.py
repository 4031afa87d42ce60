"""The wheel holds all that the program needs: installed in a clean folder, it speaks and serves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

import glmtts_core
from glmtts_core.audio import decode
from glmtts_core.settings import PREFIX
from tests.browser.app import ROOT, START_S, STOP_S, free_port, wait_for

pytestmark = pytest.mark.process
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
BUILD_S = 120.0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the wheel's contents; the packages are those of the tests."""
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    offline = ["--no-deps", "--no-index"]
    build = [*PIP, "wheel", *offline, "--no-build-isolation", "--wheel-dir", wheels, ROOT]
    # what a user keeps beside the configuration must not travel
    secrets = ROOT / ".streamlit" / "secrets.toml"
    ours = not secrets.exists()
    if ours:
        secrets.write_text("", encoding="utf-8")
    try:
        subprocess.run(build, check=True, timeout=BUILD_S)
    finally:
        if ours:
            secrets.unlink()
    (wheel,) = wheels.glob("*.whl")
    install = [*PIP, "install", *offline, "--target", folder, wheel]
    subprocess.run(install, check=True, timeout=BUILD_S)
    return folder


@pytest.fixture
def environment(installed: Path, tmp_path: Path) -> Mapping[str, str]:
    """What an installed program sees: no setting, no checkout, a home of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ours = {
        "PYTHONPATH": str(installed),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "CUDA_VISIBLE_DEVICES": "",
        "LC_ALL": "C.UTF-8",
    }
    return clean | ours


def command(installed: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(installed / "bin" / "glm-tts-studio"), *arguments]


def test_it_says_of_itself_what_the_one_list_and_the_one_version_say(installed):
    (info,) = installed.glob("*.dist-info")
    distribution: Distribution = PathDistribution(info)
    assert distribution.version == glmtts_core.__version__
    wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)\S*==(\S+)$", wanted, re.MULTILINE)
    required = [re.match(r"([\w.-]+)\S*==(\S+)$", each).groups() for each in distribution.requires]

    def plain(pins: list[tuple[str, str]]) -> set[tuple[str, str]]:
        return {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in pins}

    assert plain(required) == plain(pinned)


def test_every_file_of_the_program_is_in_it(installed):
    def files(folder: Path, prefix: str = "") -> set[str]:
        found = (path for path in folder.rglob("*") if path.is_file())
        names = {path.relative_to(folder).as_posix() for path in found}
        return {f"{prefix}{name}" for name in names if "__pycache__" not in name}

    pages = {"app/streamlit_app.py", "app/.streamlit/config.toml"}
    pages |= files(ROOT / "pages", "app/pages/")
    assert files(installed / "glmtts_core") == files(ROOT / "glmtts_core") | pages


def test_its_command_is_called_by_its_name(installed, environment, tmp_path):
    asked = command(installed, "check")
    told = subprocess.run(
        asked, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=START_S
    )
    assert told.returncode == 1
    assert f"Checkpoint in {tmp_path / 'data/glm-tts-studio/ckpt'}\n" in told.stdout
    assert "Fetch it with: glm-tts-studio download\n" in told.stdout


@pytest.mark.voice
def test_it_speaks(installed, environment, tmp_path):
    asked = command(installed, "say", "Hello, 世界。", "--out", "hello.wav")
    subprocess.run(asked, env=environment, cwd=tmp_path, check=True, timeout=START_S)
    audio = decode((tmp_path / "hello.wav").read_bytes(), "hello.wav")
    assert len(audio.samples) > audio.sample_rate_hz / 2


def test_it_starts_and_a_signal_ends_it(installed, environment, tmp_path):
    port = free_port()
    log = tmp_path / "log"
    with log.open("wb") as told:
        running = subprocess.Popen(
            command(installed, "start", "--port", str(port)),
            env=environment,
            cwd=tmp_path,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def get(path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return response.read()

    def answers() -> bool:
        assert running.poll() is None, log.read_text(encoding="utf-8")
        try:
            return json.loads(get("/healthz"))["version"] == glmtts_core.__version__
        except OSError:
            return False

    try:
        wait_for(answers, START_S, "the program answers")
        assert b"<html" in get("/synthesis")
        running.send_signal(signal.SIGTERM)
        running.wait(STOP_S)
    finally:
        running.kill()
        running.wait()
    written = log.read_text(encoding="utf-8")
    assert f"GLM-TTS Studio: http://127.0.0.1:{port}\n" in written
    assert "Traceback" not in written
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)
    assert {path.name for path in tmp_path.iterdir()} <= {"data", "log"}
