"""The start script's environment: made, repaired when half made, and installed only on a change.

The lists of requirements are empty here, so that nothing is downloaded.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the script and with requirements that ask for nothing."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "requirements.txt").write_text("# nothing\n", encoding="utf-8")
    return tmp_path


def prepare(checkout: Path, install: str = "yes") -> subprocess.CompletedProcess[str]:
    """Prepare the environment as the start script does, and say which Python it is."""
    script = f"set -euo pipefail; source scripts/environment.sh; prepare requirements.txt {install}"
    return subprocess.run(
        ["bash", "-c", f'{script}; echo "python: $python"'],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_a_half_made_environment_is_repaired_and_installed_only_on_a_change(checkout):
    # what a first start that was interrupted leaves: a Python without pip
    half_made = [sys.executable, "-m", "venv", "--without-pip", checkout / ".venv"]
    subprocess.run(half_made, check=True, timeout=60)

    repaired = prepare(checkout)
    assert repaired.returncode == 0, repaired.stderr
    assert "Installing requirements.txt" in repaired.stdout
    assert "python: .venv/bin/python" in repaired.stdout
    assert list((checkout / ".venv").glob("lib/python*/site-packages/pip"))

    assert prepare(checkout).stdout == "python: .venv/bin/python\n"
    (checkout / "requirements.txt").write_text("# still nothing\n", encoding="utf-8")
    assert "Installing" in prepare(checkout).stdout


def test_without_leave_to_install_nothing_is_made(checkout):
    refused = prepare(checkout, install="no")
    assert refused.returncode == 1
    assert "There is no environment in .venv" in refused.stderr
    assert not (checkout / ".venv").exists()


def test_a_folder_that_holds_something_else_is_never_cleared(checkout):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "letter.txt").write_text("dear", encoding="utf-8")
    refused = prepare(checkout)
    assert refused.returncode == 1
    assert "GLMTTS_VENV" in refused.stderr
    assert (checkout / ".venv" / "letter.txt").read_text(encoding="utf-8") == "dear"
