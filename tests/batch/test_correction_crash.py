"""A process that is killed anywhere while a correction comes in leaves the old run or the new one.

What a kill leaves is looked at before the first change of names, opened files and databases, the
second, and so on until the new run holds; not in the middle of a folder's removal, after which
nothing depends on what it held.
What a kill does to a run that goes on is tried in `test_crash`.
"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from glmtts_core.audio import decode
from glmtts_core.batch.run_files import DATABASE_FILE
from glmtts_core.batch.states import LineState
from glmtts_core.batch.store import RunStore
from glmtts_core.batch_files.lines import BatchLine
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.cli.main import main
from tests.batch.kill_moments import moments_of_death, run_batch
from tests.batch.test_amending import recording
from tests.scripted_engine import CloningEngine

pytestmark = pytest.mark.process

#: Kills that are tried after the first one that has left the new run.
BEYOND = 8
OLD = {"a": "one", "b": "two is longer", "c": "three"}


@pytest.fixture(autouse=True)
def on_the_processor(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("GLMTTS_DEVICE", "cpu")


class Correction:
    """An input, its correction, and what has to be there in the end."""

    def __init__(self, root: Path, texts: dict[str, str], name: str = "new.jsonl") -> None:
        self.old, self.new = root / "old.jsonl", root / name
        self.texts = texts
        self.recordings, self.new_recordings = root / "recordings", root / "new-recordings"
        recording(self.recordings, "voice.wav", 220, 4)
        recording(self.new_recordings, "voice.wav", 220, 4)
        self.old.write_text(jsonl(OLD))
        self.new.write_text(jsonl(texts) if name.endswith("jsonl") else csv(texts))

    def begin(self, folder: Path) -> int:
        named = ["--reference", "voice.wav", "--references", f"{self.recordings}"]
        return main(["batch", f"{self.old}", "--out", f"{folder}", *named], CloningEngine)

    def arguments(self, folder: Path) -> list[str]:
        references = ["--references", f"{self.new_recordings}"]
        return [f"{self.new}", "--out", f"{folder}", "--resume", *references]


def jsonl(texts: dict[str, str]) -> str:
    return "".join(f"{json.dumps({'uttid': name, 'text': said})}\n" for name, said in texts.items())


def csv(texts: dict[str, str]) -> str:
    return "uttid,text\n" + "".join(f"{name},{said}\n" for name, said in texts.items())


def lines_of(folder: Path) -> tuple[BatchLine, ...]:
    with closing(RunStore(folder)) as store:
        return tuple(row.line for row in store.database.rows())


def texts_of(folder: Path) -> dict[str, str]:
    return {line.uttid: line.text for line in lines_of(folder)}


def assert_all_new(folder: Path, texts: dict[str, str], digest: str) -> None:
    assert texts_of(folder) == texts
    with closing(RunStore(folder)) as store:
        assert len(store.database.rows({LineState.DONE})) == len(texts)
        assert store.audio_names() == {f"{name}.wav" for name in texts}
        for row in store.database.rows():
            assert row.line.recording == digest
            sound = decode(store.wav(row.line), row.line.uttid)
            assert len(sound.samples) == 2_400 * len(row.line.text)
        assert [path.name for path in folder.glob("input-*")] == [store.input_path.parent.name]
    assert not list(folder.rglob(".*.part"))


def try_every_kill(tmp_path: Path, correction: Correction) -> int:
    """Return at which change of the disk the last kill was tried."""
    folder, new_digest = tmp_path / "run", correction_digest(correction)
    assert correction.begin(folder) == 0
    old = (OLD, lines_of(folder)[0].recording)
    new = (correction.texts, new_digest)
    changes = new_since = 0
    arguments = correction.arguments(folder)
    for left in moments_of_death(folder, tmp_path / "left", run_batch, *arguments):
        changes += 1
        # the old run or the new one, as a page or a listing would show it
        holds = (texts_of(left), lines_of(left)[0].recording)
        assert holds in (old, new)
        new_since += holds == new
        assert main(["batch", *correction.arguments(left)], CloningEngine) == 0
        assert_all_new(left, correction.texts, new_digest)
        if new_since == BEYOND:
            break
    assert new_since == BEYOND, "the new run never held"
    # what the killed process itself has left
    assert main(["batch", *correction.arguments(folder)], CloningEngine) == 0
    assert_all_new(folder, correction.texts, new_digest)
    return changes


def correction_digest(correction: Correction) -> str:
    return ReferenceFolder(correction.new_recordings).digest("voice.wav")


def test_a_correction_killed_anywhere_is_whole_or_not_there(tmp_path):
    # a line with another text, one line more, one less, and the whole in another format
    texts = {"a": "one", "b": "zwei", "d": "four"}
    assert try_every_kill(tmp_path, Correction(tmp_path, texts, "new.csv")) > 10


def test_a_changed_recording_killed_anywhere_is_whole_or_not_there(tmp_path):
    correction = Correction(tmp_path, OLD)
    recording(correction.new_recordings, "voice.wav", 330, 4)
    assert try_every_kill(tmp_path, correction) > 10


def test_a_new_run_killed_anywhere_while_it_is_made_is_whole_or_not_there(tmp_path):
    correction, folder = Correction(tmp_path, OLD), tmp_path / "run"

    def arguments(folder: Path) -> list[str]:
        named = ["--reference", "voice.wav", "--references", f"{correction.recordings}"]
        return [f"{correction.old}", "--out", f"{folder}", "--resume", *named]

    there_since = 0
    for left in moments_of_death(folder, tmp_path / "left", run_batch, *arguments(folder)):
        if (left / DATABASE_FILE).exists():
            assert texts_of(left) == OLD
            there_since += 1
        assert_carried_on(left, *arguments(left))
        if there_since == BEYOND:
            break
    assert there_since == BEYOND, "the run was never made"
    assert_carried_on(folder, *arguments(folder))


def assert_carried_on(folder: Path, *arguments: str) -> None:
    assert main(["batch", *arguments], CloningEngine) == 0
    with closing(RunStore(folder)) as store:
        assert len(store.database.rows({LineState.DONE})) == len(OLD)
        assert store.audio_names() == {f"{name}.wav" for name in OLD}
