"""A stored run that is damaged, or a newer version's, says so itself, and all others work."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from glmtts_core.batch.registry import Batches
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch.states import LineState
from glmtts_core.batch_files.lines import LineProblem
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.cli.main import main
from glmtts_core.engines.base import JobControl, SpokenAudio
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.errors import GLMTTSError
from glmtts_core.message import Message
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.studio import Studio
from tests.batch.runs import MoodyEngine, finish, lines, make_run, spoil
from tests.scripted_engine import ScriptedEngine
from tests.waiting import BOUND_S, wait_until

Change = Callable[[Path], None]
PROBLEM = LineProblem(9, "z", Message("batch.line.no_text", {"names": "text"}), "{}")
#: No JSON object at all.
NONSENSE = [b"{", b"[]", b"null", b'"x"', b"7", b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 5_000]


def sql(*statements: str) -> Change:
    """Return what changes cells of the database as another program might."""

    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            for statement in statements:
                connection.execute(statement)

    return change


def written(data: bytes) -> Change:
    return lambda path: path.write_bytes(data) and None


def in_json(column: str, name: str, value: str) -> Change:
    """Return what changes a value inside the JSON of each row of a column, such as "line.line"."""
    table, _, cell = column.partition(".")
    return sql(f"UPDATE {table} SET {cell} = json_set({cell}, '$.{name}', {value})")


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def noise(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4_096] + b"\xa5" * (len(data) - 4_096))


def of_another_program(path: Path) -> None:
    path.unlink()
    sql("CREATE TABLE songs (title TEXT)")(path)


DAMAGES: list[Change] = [
    written(b""),
    *map(written, NONSENSE),
    half,
    noise,
    of_another_program,
    sql("PRAGMA user_version = 99"),
    sql("DELETE FROM run"),
    sql("DROP TABLE set_aside"),
    sql("UPDATE run SET state = 'hibernating'"),
    sql("UPDATE run SET header = '[]'"),
    sql("UPDATE run SET header = '{'"),
    sql("UPDATE run SET reason = '\"tired\"'"),
    in_json("run.header", "mood", "'good'"),
    in_json("run.header", "policy", "json('{\"each_moon\": true}')"),
    in_json("run.header", "input_format", "'xml'"),
    in_json("run.header", "created_at", "'yesterday'"),
    in_json("run.header", "defaults", 'json(\'{"emotion": "happy"}\')'),
    in_json("run.header", "name", "json('[1]')"),
]
#: Noticed by who looks at the lines, not by the list of runs.
LINES: list[Change] = [
    sql("UPDATE line SET line = '[1]'"),
    sql("UPDATE line SET line = '{'"),
    in_json("line.line", "text", "7"),
    in_json("line.line", "emotion", "'happy'"),
    in_json("line.line", "speed", "'fast'"),
    in_json("line.line", "number", "0"),
    in_json("line.line", "file_stem", "'../../etc/passwd'"),
    in_json("line.line", "file_stem", "'a/b'"),
    in_json("attempt.memory", "line", "7"),
    sql("UPDATE attempt SET voices = '7'"),
    in_json("set_aside.problem", "number", "'9'"),
    in_json("set_aside.problem", "details", "json('[]')"),
]


@pytest.fixture
def studio(settings) -> Iterator[Studio]:
    with closing(Studio(settings, MoodyEngine)) as opened:
        yield opened


@pytest.fixture
def good(studio) -> BatchRun:
    """Another run, which has nothing to do with the damage."""
    run = make_run(studio, lines("other"), name="good.jsonl")
    finish(run)
    return run


@pytest.fixture
def broken(studio) -> Path:
    """The folder of a run that has spoken two lines, to be damaged."""
    run = make_run(studio, lines("one", "two"), problems=[PROBLEM])
    finish(run)
    run.store.close()
    return run.store.folder


def contents(folder: Path) -> dict[str, bytes]:
    passing = {"lock", "run.db-shm", "run.db-wal"}
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in passing)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def told_of(studio, good: BatchRun, broken: Path, look=BatchRun.view) -> GLMTTSError:
    """Return what a program that has just started says of the one run; the other must work."""
    batches = Batches(studio)
    listing = batches.listing()
    assert good.id in [each.id for each in listing.runs]
    assert sorted([each.id for each in (*listing.runs, *listing.unreadable)]) == sorted(
        [good.id, broken.name]
    )
    with pytest.raises(GLMTTSError) as refused:
        look(batches.run(broken.name))
    assert [str(each.error) for each in listing.unreadable] in ([], [str(refused.value)])
    again = batches.run(good.id)
    finish(again)
    assert again.view().counts.done == 1
    return refused.value


def assert_told(error: GLMTTSError, broken: Path) -> None:
    for language in LANGUAGES:
        sentence = error.text(language)
        assert "run.db" in sentence
        assert sentence.isprintable()
        assert len(sentence) < 500 + len(f"{broken}")


@pytest.mark.parametrize("change", DAMAGES)
def test_one_run_says_what_is_wrong_and_is_left_as_it_is(studio, good, broken, change):
    change(broken / "run.db")
    before = contents(broken)
    assert_told(told_of(studio, good, broken), broken)
    assert contents(broken) == before


@pytest.mark.parametrize("change", LINES)
def test_a_damaged_line_is_told_by_who_looks_at_the_lines(studio, good, broken, change):
    change(broken / "run.db")
    before = contents(broken)

    def look(run: BatchRun) -> None:
        run.lines.rows()
        run.lines.problems()

    assert_told(told_of(studio, good, broken, look), broken)
    assert contents(broken) == before


@pytest.mark.parametrize("instead", ["folder", "pipe"])
def test_what_is_no_file_in_its_place_is_told_and_not_waited_for(studio, good, broken, instead):
    (broken / "run.db").unlink()
    (os.mkfifo if instead == "pipe" else os.mkdir)(broken / "run.db")
    assert "run.db" in str(told_of(studio, good, broken))


@pytest.mark.parametrize("change", [*DAMAGES[::3], *LINES[::3]])
def test_the_command_says_so_too_and_does_nothing(
    studio, good, broken, capsys, monkeypatch, tmp_path, change
):
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"uttid": "a", "text": "one"}\n')
    change(broken / "run.db")
    before = contents(broken)
    assert main(["batch", "in.jsonl", "--out", f"{broken}", "--resume"], ScriptedEngine) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "run.db" in line
    assert contents(broken) == before


def test_a_run_that_cannot_be_read_can_be_deleted(studio, good, broken):
    (broken / "run.db").write_bytes(b"{")
    Batches(studio).remove(broken.name)
    assert not broken.exists()
    assert good.store.folder.exists()


def test_nothing_but_a_run_can_be_deleted_as_one(studio, good, settings):
    kept = settings.output_dir / "sessions"
    kept.mkdir(exist_ok=True)
    (kept / "precious.wav").write_bytes(b"RIFF")
    with pytest.raises(GLMTTSError, match="There is no batch run"):
        Batches(studio).remove("sessions")
    assert (kept / "precious.wav").exists()


def test_a_reason_that_a_newer_version_gave_is_told_by_its_name(studio, broken):
    newer = {"key": "batch.newer.reason", "details": {"moon": [1, {"a": None}]}}
    spoil(broken / "run.db", f"UPDATE run SET state = 'paused', reason = '{json.dumps(newer)}'")
    reason = Batches(studio).run(broken.name).view().reason
    assert reason is not None
    assert "batch.newer.reason" in reason.text("en")


def test_an_output_folder_that_is_a_file_is_told_in_one_sentence(studio, settings):
    shutil.rmtree(settings.output_dir, ignore_errors=True)
    settings.output_dir.write_bytes(b"")
    with pytest.raises(GLMTTSError, match=settings.output_dir.name):
        Batches(studio).listing()


def test_what_is_no_folder_hides_no_run(studio, good):
    (studio.settings.output_dir / "loop").symlink_to("loop")
    assert [each.id for each in Batches(studio).listing().runs] == [good.id]


# -- done means there --------------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def shortened(path: Path) -> None:
    """A sound that is whole, but another one."""
    other = path.with_name("other")
    data = path.read_bytes()
    size = len(data) - 44 - 2_000
    head = bytearray(data[:44])
    head[4:8] = (size + 36).to_bytes(4, "little")
    head[40:44] = size.to_bytes(4, "little")
    other.write_bytes(bytes(head) + data[44 : 44 + size])
    other.replace(path)


def with_odd_layout(place: int, value: bytes) -> Callable[[Path], None]:
    """Return what changes the bytes at ``place`` of the header, which tells how to read samples."""

    def change(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[place : place + len(value)] = value
        path.write_bytes(data)

    return change


ODD_LAYOUTS = [
    with_odd_layout(20, b"\xff\xff"),
    with_odd_layout(22, b"\0\0"),
    with_odd_layout(24, bytes(4)),
    with_odd_layout(32, b"\7\0"),
    with_odd_layout(34, b"\x0d\0"),
]


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "damage", [a_pipe, Path.unlink, cut, emptied, zeroed, shortened, *ODD_LAYOUTS]
)
def test_a_sound_that_is_not_there_whole_is_told_and_spoken_again(studio, broken, damage):
    sound = broken / "audio" / "b.wav"
    whole = sound.read_bytes()
    damage(sound)
    run = Batches(studio).run(broken.name)
    view = run.view()
    assert (view.counts.done, view.counts.queued, view.standing.lost) == (1, 1, 1)
    finish(run)
    assert (run.view().counts.done, run.view().standing.lost) == (2, 0)
    assert sound.read_bytes() == whole


@pytest.mark.parametrize("gone", ["audio", "audio/a.wav", "audio/b.wav"])
def test_a_sound_that_vanishes_while_the_run_goes_on_is_noticed_at_its_end(studio, gone):
    run = make_run(studio, lines("one", "two", "three"))
    studio.engine.moods["three"] = lambda before: studio.engine.gate.clear()
    run.start()
    wait_until(lambda: run.view().counts.done == 2 and not studio.engine.gate.is_set())
    path = run.store.folder / gone
    _take_away(path)
    studio.engine.gate.set()
    assert run.wait(BOUND_S)
    view = run.view()
    assert view.reason is not None
    assert str(run.store.audio_folder) in view.reason.text("en")
    assert "gone" in view.reason.text("en") or "no longer have" in view.reason.text("en")
    assert view.counts.done < 3
    assert len(run.lines.rows({LineState.QUEUED})) >= 1


def test_a_run_whose_folder_was_removed_meanwhile_ends_with_a_sentence(studio):
    studio.engine.gate.clear()
    run = make_run(studio, lines("one", "two"))
    run.start()
    assert studio.engine.reached.wait(BOUND_S)
    _take_away(run.store.folder)
    studio.engine.gate.set()
    assert run.wait(BOUND_S)
    reason = run.view().reason
    assert reason is not None
    assert f"{run.store.folder}" in reason.text("en")
    assert not run.store.folder.exists()


@pytest.mark.parametrize("lost", ["audio", "audio/a.wav"])
def test_the_command_speaks_again_what_is_lost_and_says_so(
    studio, broken, capsys, monkeypatch, tmp_path, lost
):
    monkeypatch.chdir(tmp_path)
    path = broken / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    given = broken / "input.jsonl"
    command = ["batch", f"{given}", "--out", f"{broken}", "--resume"]
    main(command, ScriptedEngine)
    assert "wait again" in capsys.readouterr().err
    manifest = [json.loads(line) for line in (broken / "manifest.jsonl").read_text().splitlines()]
    named = [entry["file"] for entry in manifest if entry["state"] == "done"]
    assert named
    assert all((broken / name).is_file() for name in named)


class Vandal(ScriptedEngine):
    """Something is taken away while the third line is spoken."""

    target = Path()

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        if len(self.spoken) == 2:
            _take_away(self.target)
        return super().synthesize(request, caches, control)


@pytest.mark.parametrize("gone", ["audio", "audio/a.wav", "audio/b.wav", "."])
def test_the_command_tells_of_what_vanishes_meanwhile_and_counts_what_is_there(
    capsys, monkeypatch, tmp_path, gone
):
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text("".join(f'{{"text": "{"long " * n}"}}\n' for n in (1, 2, 3)))
    monkeypatch.setattr(Vandal, "target", tmp_path / "out" / gone)
    assert main(["batch", "in.jsonl", "--out", "out"], Vandal) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "out" in said
    if gone == ".":
        assert "is gone" in said
        return
    manifest = [json.loads(line) for line in Path("out/manifest.jsonl").read_text().splitlines()]
    assert len(manifest) == 3
    named = [entry["file"] for entry in manifest if entry["state"] == "done"]
    assert len(named) < 3
    assert all((Path("out") / name).is_file() for name in named)


@pytest.mark.parametrize("data", [b"", b"\n\n", b" \t\r\n", b"\xef\xbb\xbf"])
def test_an_input_without_a_line_is_an_error_and_makes_no_run(capsys, monkeypatch, tmp_path, data):
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_bytes(data)
    assert main(["batch", "in.jsonl", "--out", "out"], ScriptedEngine) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not Path("out").exists()


def test_a_correction_that_leaves_no_line_changes_nothing(studio, broken, capsys, tmp_path):
    before = contents(broken)
    (tmp_path / "in.jsonl").write_bytes(b"\n")
    command = ["batch", f"{tmp_path / 'in.jsonl'}", "--out", f"{broken}", "--resume"]
    assert main(command, ScriptedEngine) == 1
    assert contents(broken) == before


def _take_away(path: Path) -> None:
    """Remove at one moment what is being written to meanwhile."""
    path.rename(path.parent.resolve() / "taken-away")
