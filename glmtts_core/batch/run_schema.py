"""The tables of ``run.db``; what they mean is said where they are read and written."""

from __future__ import annotations

from typing import Final

from glmtts_core.database import Schema

#: What needs eyes first: failures, then what is spoken, what is done, and what waits.
RANK: Final = "CASE shown WHEN 'failed' THEN 0 WHEN 'running' THEN 1 WHEN 'done' THEN 2 ELSE 3 END"
SCHEMA: Final = Schema(
    application_id=0x474C4D42,  # "GLMB"
    migrations=(
        (
            # header, line, message, memory, reason and voices are JSON, checked when read
            """CREATE TABLE run (
                id INTEGER PRIMARY KEY CHECK (id = 1),
                header TEXT NOT NULL,
                input_version INTEGER NOT NULL,
                state TEXT NOT NULL,
                reason TEXT,
                started_s REAL,
                active_s REAL NOT NULL
            ) STRICT""",
            """CREATE TABLE attempt (
                id INTEGER PRIMARY KEY,
                uttid TEXT NOT NULL,
                content_hash TEXT NOT NULL,
                started_s REAL NOT NULL,
                ended_s REAL,
                outcome TEXT NOT NULL CHECK (outcome IN
                    ('running', 'done', 'failed', 'retried', 'stopped', 'crashed')),
                seconds REAL,
                audio_s REAL,
                memory TEXT,
                voices TEXT,
                reason TEXT
            ) STRICT""",
            "CREATE INDEX attempt_of ON attempt (uttid, content_hash, outcome)",
            "CREATE INDEX attempt_retried ON attempt (outcome) WHERE outcome = 'retried'",
            """CREATE TABLE line (
                position INTEGER PRIMARY KEY,
                line TEXT NOT NULL,
                uttid TEXT NOT NULL UNIQUE,
                file_stem TEXT NOT NULL UNIQUE,
                content_hash TEXT NOT NULL,
                state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
                lost INTEGER NOT NULL CHECK (lost IN (0, 1)),
                attempt INTEGER REFERENCES attempt (id),
                audio_s REAL,  -- as the attempt's: summed at every tick of a page
                shown TEXT NOT NULL GENERATED ALWAYS AS
                    (CASE WHEN lost AND state = 'done' THEN 'queued' ELSE state END) VIRTUAL
            ) STRICT""",
            "CREATE INDEX line_shown ON line (shown, audio_s)",
            f"CREATE INDEX line_rank ON line ({RANK})",
            "CREATE INDEX line_lost ON line (lost) WHERE lost",
            """CREATE TABLE set_aside (
                id INTEGER PRIMARY KEY,
                problem TEXT NOT NULL
            ) STRICT""",
            # what each file holds; content_hash is NULL while it is written
            """CREATE TABLE sound (
                file_stem TEXT PRIMARY KEY,
                content_hash TEXT,
                size_bytes INTEGER,
                modified_ns INTEGER,
                sha256 TEXT
            ) STRICT""",
            """CREATE TABLE cleanup (
                at_s REAL NOT NULL,
                regained_bytes INTEGER NOT NULL,
                seconds REAL NOT NULL
            ) STRICT""",
        ),
    ),
)
#: Seconds in which the run was at work that has not been ended: from its start to what came last.
UNFINISHED_S: Final = """max(0.0, started_s, coalesce((SELECT max(at_s) FROM cleanup), 0.0),
    coalesce((SELECT max(a.started_s, coalesce(a.ended_s, 0.0)) FROM attempt a
        ORDER BY a.id DESC LIMIT 1), 0.0)) - started_s"""
#: After lines were put in.
NOTE_LENGTHS: Final = """
    UPDATE line SET audio_s = (SELECT audio_s FROM attempt WHERE id = line.attempt)"""
