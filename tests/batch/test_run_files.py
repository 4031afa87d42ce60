"""One holder of a run at a time, and the system's errors in one sentence."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from glmtts_core.batch.run_files import is_locked, run_lock
from glmtts_core.errors import BatchError, StorageError

HOLDER = """
import sys
from pathlib import Path
from glmtts_core.batch.run_files import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_has_one_holder_at_a_time_in_a_process_too(tmp_path):
    with run_lock(tmp_path):
        assert is_locked(tmp_path)
        with pytest.raises(BatchError, match="carried on"), run_lock(tmp_path):
            pass
    assert not is_locked(tmp_path)
    with run_lock(tmp_path):
        assert is_locked(tmp_path)


@pytest.mark.process
def test_another_process_keeps_this_one_out_until_it_dies(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert is_locked(tmp_path)
        with pytest.raises(BatchError), run_lock(tmp_path):
            pass
        holder.kill()
    with run_lock(tmp_path):
        pass


def test_two_who_look_are_not_in_each_others_way(tmp_path):
    with run_lock(tmp_path):
        pass
    with ThreadPoolExecutor(2) as lookers:
        assert not any(lookers.map(lambda _: is_locked(tmp_path), range(2_000)))


def test_looking_whether_a_run_is_locked_makes_no_file(tmp_path):
    assert not is_locked(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_locking_makes_no_folder_anew_that_is_gone(tmp_path):
    gone = tmp_path / "gone"
    with pytest.raises(StorageError, match="is gone"), run_lock(gone):
        pass
    assert not gone.exists()
