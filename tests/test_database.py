"""A database keeps what was committed, refuses what it cannot trust, and says so in a sentence.

No test reads the bytes of a file that its own process has open as a database: closing the handle
would drop SQLite's locks.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import random
import signal
import sqlite3
import stat
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final

import psutil
import pytest

from glmtts_core import database, database_connection
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.database import Database, Schema, build_database, open_database
from glmtts_core.errors import StorageError
from tests.forked import forked
from tests.full_disk import full_disk
from tests.waiting import BOUND_S

WORDS: Final = Schema(
    0x574F5244,
    (
        (
            "CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
            "CREATE TABLE use (word INTEGER NOT NULL REFERENCES word)",
        ),
    ),
)
#: The same kind of database, a version later.
NEXT_WORDS: Final = Schema(
    WORDS.application_id,
    (*WORDS.migrations, ("ALTER TABLE word ADD COLUMN heard INTEGER NOT NULL DEFAULT 0",)),
)
OTHER_KIND: Final = Schema(0x4F544852, WORDS.migrations)
PAGE_BYTES: Final = 4096
SOME: Final = 200


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is, alone in its folder; the name holds what a URI would misread."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    return folder / "words ?#%41 词.db"


@pytest.fixture
def built(path: Path) -> Path:
    """A database with some pages of rows, closed."""
    build_database(path, WORDS, fill_some)
    return path


def fill_some(connection: sqlite3.Connection) -> None:
    insert(connection, *(f"{number:0500}" for number in range(SOME)))


def insert(connection: sqlite3.Connection, *texts: str) -> None:
    connection.executemany("INSERT INTO word (text) VALUES (?)", [(text,) for text in texts])


def add(opened: Database, *texts: str) -> None:
    with opened.transaction() as connection:
        insert(connection, *texts)


def texts(opened: Database) -> list[str]:
    return [text for (text,) in opened.rows("SELECT text FROM word ORDER BY id")]


def texts_in(path: Path) -> list[str]:
    with closing(open_database(path, WORDS, writes=False)) as opened:
        return texts(opened)


def journal_of(opened: Database) -> str:
    return opened.row("PRAGMA journal_mode")[0]


def found_in(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return what lies in a folder: for each name its kind and, of a file, its bytes.

    Not shared memory, which holds nothing that SQLite does not make anew.
    """
    return {
        entry.name: (
            stat.S_IFMT(entry.lstat().st_mode),
            entry.read_bytes() if entry.is_file() else b"",
        )
        for entry in folder.iterdir()
        if not entry.name.endswith("-shm")
    }


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@contextmanager
def refused(key: str, place: Path) -> Iterator[None]:
    """Expect one sentence, which names ``place`` in both languages."""
    with pytest.raises(StorageError) as caught:
        yield
    assert caught.value.message.key == key
    assert all(f"{place}" in caught.value.text(language) for language in LANGUAGES)


def no_shared_memory(path: Path) -> Path:
    """Let shared memory not work for a database; return what stands in its way."""
    (blocked := Path(f"{path}-shm")).mkdir()
    return blocked


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[Path, str]], None]:
    """Let folders be where file systems of some kinds are mounted."""
    some = psutil.disk_partitions(all=True)[0]

    def mount(kinds: dict[Path, str]) -> None:
        mounts = [
            some._replace(mountpoint=f"{folder}", fstype=kind)
            for folder, kind in {Path("/"): "ext4", **kinds}.items()
        ]
        monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounts)

    return mount


# -- durability --------------------------------------------------------------------------------


def test_a_new_database_has_a_write_ahead_log(path):
    with closing(open_database(path, WORDS, create=True)) as opened:
        assert journal_of(opened) == "wal"


@pytest.mark.parametrize("writes", [True, False])
def test_every_transaction_is_flushed_to_the_disk(built, writes):
    full = 2
    with closing(open_database(built, WORDS, writes=writes)) as opened:
        assert opened.row("PRAGMA synchronous") == (full,)


def test_a_flush_to_the_disk_is_also_asked_for_with_a_rollback_journal(path):
    no_shared_memory(path)
    full = 2
    with closing(open_database(path, WORDS, create=True)) as opened:
        assert opened.row("PRAGMA synchronous") == (full,)


def test_a_row_cannot_refer_to_one_that_is_not_there(built):
    with (
        closing(open_database(built, WORDS)) as opened,
        pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"),
        opened.transaction() as connection,
    ):
        connection.execute("INSERT INTO use VALUES (?)", (SOME + 1,))


def test_an_error_inside_a_transaction_takes_all_of_it_back(built):
    with closing(open_database(built, WORDS)) as opened:
        with pytest.raises(ZeroDivisionError), opened.transaction() as connection:
            insert(connection, "never")
            raise ZeroDivisionError
        assert len(texts(opened)) == SOME


def test_a_database_works_after_an_error_inside_a_transaction(built):
    with closing(open_database(built, WORDS)) as opened:
        with pytest.raises(ZeroDivisionError), opened.transaction():
            raise ZeroDivisionError
        add(opened, "after")
        assert texts(opened)[-1] == "after"


@pytest.mark.parametrize("last_one_writes", [True, False])
def test_closing_leaves_nothing_but_the_one_file(built, last_one_writes):
    writer = open_database(built, WORDS)
    reader = open_database(built, WORDS, writes=False)
    add(writer, "kept")
    first, last = (reader, writer) if last_one_writes else (writer, reader)
    first.close()
    last.close()
    assert names_in(built.parent) == [built.name]
    assert texts_in(built)[-1] == "kept"


def test_what_a_closed_database_is_asked_is_no_damage(built):
    opened = open_database(built, WORDS)
    opened.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened.rows("SELECT 1")


def test_a_reader_cannot_write(built):
    with (
        closing(open_database(built, WORDS, writes=False)) as opened,
        refused("storage.write", built.parent),
    ):
        add(opened, "never")


# -- the journal where shared memory does not work ---------------------------------------------


def test_without_shared_memory_a_new_database_has_a_rollback_journal(path):
    no_shared_memory(path)
    with closing(open_database(path, WORDS, create=True)) as opened:
        add(opened, "kept")
        assert (journal_of(opened), texts(opened)) == ("delete", ["kept"])


def test_without_shared_memory_a_database_leaves_its_write_ahead_log(built):
    open_database(built, WORDS).close()  # from here on with a write-ahead log
    no_shared_memory(built)
    with closing(open_database(built, WORDS)) as opened:
        assert (journal_of(opened), len(texts(opened))) == ("delete", SOME)


def test_with_shared_memory_again_a_database_goes_back_to_a_write_ahead_log(path):
    blocked = no_shared_memory(path)
    open_database(path, WORDS, create=True).close()
    blocked.rmdir()
    with closing(open_database(path, WORDS)) as opened:
        assert journal_of(opened) == "wal"


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs"])
def test_on_a_network_file_system_a_new_database_has_a_rollback_journal(mounted, path, kind):
    mounted({path.parent: kind})
    with closing(open_database(path, WORDS, create=True)) as opened:
        add(opened, "kept")
        assert (journal_of(opened), texts(opened)) == ("delete", ["kept"])


def test_on_a_network_file_system_a_database_leaves_its_write_ahead_log(mounted, built):
    open_database(built, WORDS).close()
    mounted({built.parent: "nfs4"})
    with closing(open_database(built, WORDS)) as opened:
        assert (journal_of(opened), len(texts(opened))) == ("delete", SOME)


def test_a_local_file_system_inside_a_network_one_has_a_write_ahead_log(mounted, path):
    mounted({path.parent.parent: "nfs4", path.parent: "ext4"})
    with closing(open_database(path, WORDS, create=True)) as opened:
        assert journal_of(opened) == "wal"


def test_a_database_is_built_where_locks_on_files_are_one_kind(monkeypatch, path):
    def like_nfs(handle: int, operation: int) -> None:
        # over NFS, flock locks the bytes that SQLite locks; so does this lock of an open file
        whole_file = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        fcntl.fcntl(handle, fcntl.F_OFD_SETLK, whole_file)

    monkeypatch.setattr("glmtts_core.files.fcntl.flock", like_nfs)
    monkeypatch.setattr(database_connection, "_BUSY_S", 0.05)
    build_database(path, WORDS, fill_some)
    assert len(texts_in(path)) == SOME


# -- what is refused ---------------------------------------------------------------------------


def _newer(path: Path) -> None:
    build_database(path, NEXT_WORDS, fill_some)


def _newer_in_a_log(path: Path) -> None:
    open_database(path, NEXT_WORDS, create=True).close()


def _of_another_kind(path: Path) -> None:
    build_database(path, OTHER_KIND, fill_some)


def _of_no_kind(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE word (text)")


def _damaged_header(path: Path) -> None:
    build_database(path, WORDS, fill_some)
    with path.open("r+b") as file:
        file.write(random.Random(1).randbytes(100))


def _half(path: Path) -> None:
    build_database(path, WORDS, fill_some)
    os.truncate(path, path.stat().st_size // 2)


def _random_bytes(path: Path) -> None:
    path.write_bytes(random.Random(2).randbytes(5 * PAGE_BYTES))


@pytest.mark.parametrize("writes", [True, False])
@pytest.mark.parametrize(
    ("make", "key"),
    [
        pytest.param(_newer, "database.newer", id="newer"),
        pytest.param(_newer_in_a_log, "database.newer", id="newer with a log"),
        pytest.param(_of_another_kind, "database.damaged", id="another application's"),
        pytest.param(_of_no_kind, "database.damaged", id="nobody's"),
        pytest.param(_damaged_header, "database.damaged", id="damaged header"),
        pytest.param(_half, "database.damaged", id="cut in half"),
        pytest.param(_random_bytes, "database.damaged", id="random bytes"),
        pytest.param(Path.touch, "database.damaged", id="empty"),
        pytest.param(os.mkfifo, "database.damaged", id="a pipe"),
        pytest.param(Path.mkdir, "database.damaged", id="a folder"),
    ],
)
def test_what_is_no_usable_database_is_refused_and_left_untouched(
    path, make: Callable[[Path], None], key, writes
):
    make(path)
    before = found_in(path.parent)
    with refused(key, path):
        open_database(path, WORDS, writes=writes, create=writes)
    assert found_in(path.parent) == before
    assert names_in(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("schema", "key"), [(NEXT_WORDS, "database.newer"), (OTHER_KIND, "database.damaged")]
)
def test_what_is_refused_stays_so_beside_a_journal(path, schema, key):
    build_database(path, schema, fill_some)
    # what journal_mode = PERSIST leaves after a transaction
    Path(f"{path}-journal").write_bytes(bytes(PAGE_BYTES))
    before = found_in(path.parent)
    with refused(key, path):
        open_database(path, WORDS)
    assert found_in(path.parent) == before


def test_a_damaged_page_is_told_when_it_is_read(built):
    damage_a_page(built)
    with (
        closing(open_database(built, WORDS)) as opened,
        refused("database.damaged", built),
    ):
        texts(opened)


def test_a_database_that_is_not_there_is_told_from_a_damaged_one(path):
    with pytest.raises(FileNotFoundError):
        open_database(path, WORDS)


def damage_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4 * PAGE_BYTES)  # a page of the first rows
        file.write(random.Random(3).randbytes(PAGE_BYTES))


# -- a writer that was killed ------------------------------------------------------------------


def _be_killed_while_writing(path: Path, schema: Schema) -> None:
    opened = open_database(path, schema)
    add(opened, "committed")
    with opened.transaction() as connection:
        connection.execute("PRAGMA cache_size = 5")  # pages: the rest goes to the disk
        connection.execute("UPDATE word SET text = text || 'x' WHERE text != 'committed'")
        insert(connection, *(f"{number:0500}" for number in range(SOME)))
        os.kill(os.getpid(), signal.SIGKILL)


def kill_a_writer(path: Path, schema: Schema = WORDS) -> None:
    child = forked(_be_killed_while_writing, path, schema)
    child.join(BOUND_S)
    assert child.exitcode == -signal.SIGKILL


@pytest.mark.process
@pytest.mark.parametrize("writes", [True, False])
def test_a_killed_writer_leaves_all_that_was_committed_and_nothing_else(built, writes):
    before = texts_in(built)
    kill_a_writer(built)
    assert Path(f"{built}-wal").stat().st_size > 0
    with closing(open_database(built, WORDS, writes=writes)) as opened:
        assert texts(opened) == [*before, "committed"]


@pytest.mark.process
@pytest.mark.parametrize("writes", [True, False])
def test_so_does_one_with_a_rollback_journal(built, writes):
    before = texts_in(built)
    no_shared_memory(built)
    kill_a_writer(built)
    assert Path(f"{built}-journal").stat().st_size > 0
    with closing(open_database(built, WORDS, writes=writes)) as opened:
        assert texts(opened) == [*before, "committed"]


@pytest.mark.process
def test_what_a_killed_writer_left_is_found_through_a_link(built, tmp_path):
    kill_a_writer(built)
    (link := tmp_path / "link.db").symlink_to(built)
    assert texts_in(link)[-1] == "committed"


@pytest.mark.process
@pytest.mark.parametrize("writes", [True, False])
def test_a_damaged_page_beside_what_a_killed_writer_left_is_refused(built, writes):
    kill_a_writer(built)
    damage_a_page(built)
    (log := Path(f"{built}-wal")).write_bytes(log.read_bytes()[: committed_bytes(log)])
    before = found_in(built.parent)
    with refused("database.damaged", built):
        open_database(built, WORDS, writes=writes)
    assert found_in(built.parent) == before


@pytest.mark.process
def test_a_newer_database_whose_writer_was_killed_is_refused_and_left_untouched(path):
    build_database(path, NEXT_WORDS, fill_some)
    kill_a_writer(path, NEXT_WORDS)
    before = found_in(path.parent)
    with refused("database.newer", path):
        open_database(path, WORDS)
    assert found_in(path.parent) == before


@pytest.mark.process
def test_a_newer_database_with_a_journal_to_roll_back_does_not_become_an_older_one(path):
    build_database(path, NEXT_WORDS, fill_some)
    no_shared_memory(path)
    kill_a_writer(path, NEXT_WORDS)
    with refused("database.newer", path):
        open_database(path, WORDS)
    with closing(open_database(path, NEXT_WORDS)) as opened:
        assert opened.row("PRAGMA user_version") == (len(NEXT_WORDS.migrations),)


def committed_bytes(log: Path) -> int:
    """Return up to where a log holds whole transactions."""
    data = log.read_bytes()
    ends = [
        start + 24 + PAGE_BYTES
        for start in range(32, len(data), 24 + PAGE_BYTES)
        if data[start + 4 : start + 8] != bytes(4)
    ]
    return ends[-1]


# -- versions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("writes", [True, False])
def test_an_older_database_is_brought_up_to_date(built, writes):
    with closing(open_database(built, NEXT_WORDS, writes=writes)) as opened:
        assert opened.row("SELECT count(*), sum(heard) FROM word") == (SOME, 0)


def test_a_migration_that_fails_leaves_the_older_version(built):
    broken = Schema(WORDS.application_id, (*NEXT_WORDS.migrations, ("no statement",)))
    with refused("database.damaged", built):
        open_database(built, broken)
    with closing(open_database(built, WORDS)) as opened:
        assert len(texts(opened)) == SOME


def test_a_version_that_became_newer_since_it_was_looked_at_is_not_set_back(monkeypatch, path):
    # how it stood when it was looked at: older than what opens it now
    build_database(path, Schema(WORDS.application_id, ((),)))
    newest = Schema(WORDS.application_id, ((), (), ()))
    begin = database.immediate

    @contextmanager
    def overtaken(connection: sqlite3.Connection) -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(database, "immediate", begin)
            open_database(path, newest).close()
        with begin(connection):
            yield

    with refused("database.newer", path), closing(sqlite3.connect(path)) as connection:
        monkeypatch.setattr(database, "immediate", overtaken)
        with database.database_errors(path):
            database._migrate(connection, path, Schema(WORDS.application_id, ((), ())))


# -- several at once ---------------------------------------------------------------------------


def test_a_reader_sees_what_is_committed_while_a_writer_is_at_work(built):
    with (
        closing(open_database(built, WORDS)) as writer,
        closing(open_database(built, WORDS, writes=False)) as reader,
    ):
        add(writer, "committed")
        with writer.transaction() as connection:
            insert(connection, "not yet")
            # one that had to wait could only give up: the writer goes on after it
            assert texts(reader)[-1] == "committed"
        assert texts(reader)[-1] == "not yet"


def test_a_database_can_be_opened_for_reading_while_a_writer_is_at_work(built):
    with closing(open_database(built, WORDS)) as writer, writer.transaction() as connection:
        insert(connection, "not yet")
        assert len(texts_in(built)) == SOME


def test_two_writers_take_turns(path):
    build_database(path, WORDS, lambda connection: insert(connection, "0"))
    rounds = 50

    def count_up() -> None:
        with closing(open_database(path, WORDS)) as opened:
            for _ in range(rounds):
                with opened.transaction() as connection:
                    ((text,),) = connection.execute("SELECT text FROM word").fetchall()
                    connection.execute("UPDATE word SET text = ?", (int(text) + 1,))

    threads = [threading.Thread(target=count_up) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(BOUND_S)
    assert texts_in(path) == [f"{2 * rounds}"]


def test_a_writer_that_waits_for_too_long_says_so(monkeypatch, built):
    monkeypatch.setattr(database_connection, "_BUSY_S", 0.05)
    with (
        closing(open_database(built, WORDS)) as first,
        closing(open_database(built, WORDS)) as second,
        first.transaction(),
        refused("database.busy", built),
    ):
        add(second, "never")


@pytest.mark.parametrize("at_work", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_opening_waits_for_a_writer_before_it_changes_the_journal(built, at_work):
    opened: list[Database] = []
    opener = threading.Thread(target=lambda: opened.append(open_database(built, WORDS)))
    with closing(sqlite3.connect(built)) as writer:
        writer.execute(at_work)
        opener.start()
        opener.join(0.2)  # one that does not wait ends at once
        writer.execute("COMMIT")
    opener.join(BOUND_S)
    with closing(opened[0]):
        assert journal_of(opened[0]) == "wal"


def _create(folder: Path, rounds: int, both: Barrier) -> None:
    for number in range(rounds):
        both.wait(BOUND_S)
        with closing(open_database(folder / f"{number}.db", WORDS, create=True)) as opened:
            add(opened, f"{os.getpid()}")


@pytest.mark.process
def test_two_processes_that_create_at_once_share_one_database(tmp_path):
    rounds = 25
    both = multiprocessing.get_context("forkserver").Barrier(2)
    children = [forked(_create, tmp_path, rounds, both) for _ in range(2)]
    for child in children:
        child.join(BOUND_S)
    assert [child.exitcode for child in children] == [0, 0]
    found = {path.name: sorted(texts_in(path)) for path in tmp_path.iterdir()}
    pids = sorted(f"{child.pid}" for child in children)
    assert found == {f"{number}.db": pids for number in range(rounds)}


# -- a file that is no longer there ------------------------------------------------------------


def _remove(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    build_database(path.with_name("other"), WORDS)
    path.with_name("other").replace(path)


@pytest.mark.parametrize("use", [texts, add], ids=["read", "write"])
@pytest.mark.parametrize("lose", [_remove, _replace])
def test_a_file_that_is_no_longer_the_one_that_was_opened_is_refused(built, lose, use):
    with closing(open_database(built, WORDS)) as opened:
        lose(built)
        with refused("database.replaced", built):
            use(opened)


@pytest.mark.parametrize("use", [texts, add], ids=["read", "write"])
def test_a_folder_that_is_gone_is_told_as_such(built, use):
    with closing(open_database(built, WORDS)) as opened:
        built.parent.rename(built.parent.with_name("renamed"))
        with refused("storage.folder_gone", built.parent):
            use(opened)


def test_closing_leaves_the_database_alone_that_replaced_its_own(built):
    opened = open_database(built, WORDS)
    add(opened, "only in the old one")
    for entry in list(built.parent.iterdir()):
        entry.unlink()
    with closing(open_database(built, WORDS, create=True)) as other:
        add(other, "kept")
        opened.close()
        assert texts(other) == ["kept"]
    assert texts_in(built) == ["kept"]


def test_what_was_not_yet_written_back_does_not_get_into_a_file_that_replaced_it(built):
    with closing(open_database(built, WORDS)) as opened:
        add(opened, "only in the old one")
        _replace(built)
        with refused("database.damaged", built):
            open_database(built, WORDS)


# -- a full disk -------------------------------------------------------------------------------


@contextmanager
def opened_with(path: Path, journal: str) -> Iterator[Database]:
    if journal == "delete":
        no_shared_memory(path)
    with closing(open_database(path, WORDS)) as opened:
        assert journal_of(opened) == journal
        yield opened


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_full_disk_is_told_in_one_sentence_and_changes_nothing(built, journal):
    with opened_with(built, journal) as opened:
        with full_disk(), refused("storage.write", built.parent):
            add(opened, "never")
        assert len(texts(opened)) == SOME


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_database_works_again_when_the_disk_has_room(built, journal):
    with opened_with(built, journal) as opened:
        with full_disk(), refused("storage.write", built.parent):
            add(opened, "never")
        add(opened, "after")
        assert texts(opened)[-1] == "after"


def test_a_database_that_cannot_be_opened_on_a_full_disk_is_left_as_it_was(built):
    open_database(built, WORDS).close()
    before = found_in(built.parent)[built.name]
    with full_disk(), refused("storage.write", built.parent):
        open_database(built, WORDS)
    assert found_in(built.parent)[built.name] == before


def test_a_database_can_be_opened_again_when_the_disk_has_room(built):
    open_database(built, WORDS).close()
    with full_disk(), refused("storage.write", built.parent):
        open_database(built, WORDS)
    with closing(open_database(built, WORDS)) as opened:
        assert (journal_of(opened), len(texts(opened))) == ("wal", SOME)


# -- building ----------------------------------------------------------------------------------


def test_what_is_built_has_its_first_rows(path):
    build_database(path, WORDS, lambda connection: insert(connection, "first"))
    assert texts_in(path) == ["first"]


def test_building_leaves_nothing_but_the_one_file(built):
    assert names_in(built.parent) == [built.name]


def test_an_error_while_the_first_rows_are_put_in_leaves_nothing(path):
    def fill(connection: sqlite3.Connection) -> None:
        fill_some(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        build_database(path, WORDS, fill)
    assert found_in(path.parent) == {}


def test_building_on_a_full_disk_leaves_nothing(path):
    with full_disk(), refused("storage.write", path.parent):
        build_database(path, WORDS, fill_some)
    assert found_in(path.parent) == {}


def test_building_leaves_a_file_of_that_name_as_it_is(path):
    path.write_bytes(b"there already")
    before = found_in(path.parent)
    with pytest.raises(FileExistsError):
        build_database(path, WORDS)
    assert found_in(path.parent) == before


def test_building_in_a_folder_that_is_gone_does_not_make_it_anew(path):
    path.parent.rmdir()
    with pytest.raises(FileNotFoundError):
        build_database(path, WORDS)
    assert not path.parent.exists()


# -- a folder that can only be read ------------------------------------------------------------


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch, built: Path) -> Iterator[Path]:
    """A database with a write-ahead log in a folder that this user cannot change."""
    open_database(built, WORDS).close()
    if os.geteuid() == 0:  # who may change everything
        real = os.access
        monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    built.chmod(0o400)
    built.parent.chmod(0o500)
    yield built
    built.parent.chmod(0o700)


def test_a_database_in_a_read_only_folder_can_be_read(read_only):
    assert len(texts_in(read_only)) == SOME


def test_reading_in_a_read_only_folder_leaves_nothing_beside(read_only):
    before = found_in(read_only.parent)
    with closing(open_database(read_only, WORDS, writes=False)) as opened:
        texts(opened)
        assert names_in(read_only.parent) == [read_only.name]
    assert found_in(read_only.parent) == before


def test_opening_for_writing_in_a_read_only_folder_is_refused(read_only):
    before = found_in(read_only.parent)
    with refused("storage.write", read_only.parent):
        open_database(read_only, WORDS)
    assert found_in(read_only.parent) == before


def test_an_older_database_in_a_read_only_folder_is_not_changed(read_only):
    before = found_in(read_only.parent)
    with refused("storage.write", read_only.parent):
        open_database(read_only, NEXT_WORDS, writes=False)
    assert found_in(read_only.parent) == before


def test_what_another_program_changes_meanwhile_is_seen_after_opening_anew(monkeypatch, built):
    with closing(open_database(built, WORDS)) as writing, monkeypatch.context() as patch:
        writing.close()
        patch.setattr(database, "_may_write", lambda _: False)
        with closing(open_database(built, WORDS, writes=False)) as looking:
            assert not looking.replaced
            patch.undo()
            with closing(open_database(built, WORDS)) as again:
                add(again, "later")
                assert looking.replaced
            assert looking.replaced
            with closing(open_database(built, WORDS, writes=False)) as anew:
                assert "later" in texts(anew)


# -- paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["很长的名字" * 10, "long " * 20])
def test_a_path_that_sqlite_cannot_open_is_told_with_how_much_it_is_too_long(tmp_path, name):
    folder = tmp_path
    while len(os.fsencode(folder)) < 520:
        folder /= name
    folder.mkdir(parents=True)
    with pytest.raises(StorageError) as refusal:
        build_database(folder / "words.db", WORDS)
    assert refusal.value.message.key == "database.long_path"
    assert list(folder.iterdir()) == []


def test_the_longest_path_that_is_not_refused_works(tmp_path):
    folder = tmp_path
    while len(os.fsencode(folder)) < 400:
        folder /= "folder"
    longest = 504 - len(os.fsencode(folder)) - 1
    folder.mkdir(parents=True)
    path = folder / "w.db"
    build_database(path, WORDS)
    longer = folder / ("w" * longest)
    path.rename(longer)
    with closing(open_database(longer, WORDS)) as opened:
        add(opened, "word")
    assert texts_in(longer) == ["word"]
    with refused("database.long_path", longer.parent):
        open_database(longer.rename(folder / ("w" * (longest + 1))), WORDS)


def test_a_link_that_leads_to_itself_is_told(path):
    path.symlink_to(path)
    with pytest.raises((StorageError, OSError)):
        open_database(path, WORDS)
