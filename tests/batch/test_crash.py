"""A process that is killed at any moment loses nothing that was done, and leaves nothing half."""

from __future__ import annotations

import pytest

from tests.batch.crashing import crash_runs
from tests.batch.inside_kills import ACTS, kill_inside


@pytest.mark.process
def test_a_run_survives_being_killed_at_random_moments(tmp_path):
    seen = crash_runs(tmp_path, kills=3, seed=4, count=40, longest_s=0.25)
    assert seen.kills == 3
    assert seen.amid > 0
    assert (seen.redone, seen.torn, seen.partial, seen.lost) == (0, 0, 0, 0)


@pytest.mark.process
@pytest.mark.parametrize("act", ACTS)
def test_a_run_survives_a_kill_inside_of_what_changes_it(act, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    seen = kill_inside(tmp_path, ACTS[act], kills=2, seed=4, count=40)
    assert (seen.inside, seen.faults) == (2, [])
