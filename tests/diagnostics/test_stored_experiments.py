"""A stored experiment or blind test that is damaged says where, and what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from glmtts_core.diagnostics.findings import FINDINGS_FILE, load, save
from glmtts_core.diagnostics.research import listening
from glmtts_core.errors import StorageError
from tests.diagnostics.known_findings import NEVER, findings, trial

DAMAGES = [
    ("began_at", "9999-12-31T23:59:59-12:00"),
    ("began_at", "0001-01-01T00:00:00+12:00"),
    ("began_at", "2026-01-02T03:04:05"),
    ("began_at", 7),
    ("device", None),
    ("complete", "perhaps"),
    ("emotion", "glad"),
    ("experiment.arms", []),
    ("experiment.arms.0.policy", "sometimes"),
    ("experiment.arms.0.headroom_bytes", 1.5),
    ("experiment.repetitions", 10**400),
    ("trials", {}),
    ("trials.0.wall_s", float("inf")),
    ("trials.0.wall_s", "3"),
    ("trials.0.batch_lines", -1),
    ("trials.0.spoken.0.alarms", ["hibernating"]),
    ("trials.0.spoken.0.seconds", float("inf")),
    ("trials.0.spoken.0.seconds", float("nan")),
    ("trials.0.spoken.0.characters", 0),
    ("trials.0.spoken.0.peak_bytes", 10**400),
    ("trials.0.spoken.0.part", "encore"),
    ("trials.0.samples", [[0.0, float("inf")]]),
]


def put(stored: dict, place: str, value: object) -> None:
    """Change the value at a place such as ``trials.0.wall_s``."""
    *path, last = place.split(".")
    for name in path:
        stored = stored[int(name) if name.isdigit() else name]
    stored[last] = value


@pytest.mark.parametrize(("place", "value"), DAMAGES)
def test_damaged_findings_are_refused_with_place_and_fault(tmp_path: Path, place, value):
    save(findings([trial(NEVER, 1)]), tmp_path)
    path = tmp_path / FINDINGS_FILE
    stored = json.loads(path.read_bytes())
    put(stored, place, value)
    path.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(StorageError) as refused:
        load(tmp_path)
    said = refused.value.text("en")
    assert str(path) in said
    assert place.rpartition(".")[2] in said


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
@pytest.mark.parametrize("name", [FINDINGS_FILE, listening.LISTENING_FILE])
def test_what_is_no_experiment_names_its_file(tmp_path: Path, damaged, name):
    (tmp_path / name).write_bytes(damaged)
    with pytest.raises(StorageError) as refused:
        load(tmp_path) if name == FINDINGS_FILE else listening.load(tmp_path)
    assert name in refused.value.text("zh")


@pytest.mark.parametrize("change", [{"first_rating": 9}, {"preference": "neither"}, {"text": 7}])
def test_a_damaged_blind_test_is_refused(tmp_path: Path, change):
    judgement = {"text": "a", "first_arm": "x", "second_arm": "y", "preference": "same"} | change
    stored = {"arm": "x", "other_arm": "y", "judgements": [judgement]}
    (tmp_path / listening.LISTENING_FILE).write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(StorageError) as refused:
        listening.load(tmp_path)
    assert next(iter(change)) in refused.value.text("en")
