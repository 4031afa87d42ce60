"""The tables of `studio.db`. Words and nested values are checked where they are read.

No number of a result and no id of an event is ever given again.
"""

from __future__ import annotations

from typing import Final

from glmtts_core.database import Schema

#: "GTst": tells this file from the program's other databases.
_APPLICATION_ID: Final = 0x47547374

_SESSION: Final = """
CREATE TABLE session (
    id TEXT PRIMARY KEY CHECK (length(id) = 32),
    first_used_s REAL NOT NULL,
    last_used_s REAL NOT NULL,
    last_number INTEGER NOT NULL CHECK (last_number >= 0)  -- the highest that was ever given
) STRICT, WITHOUT ROWID
"""
_RESULT: Final = """
CREATE TABLE result (
    session TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number >= 1),
    text TEXT NOT NULL,
    engine TEXT NOT NULL,
    voice TEXT NOT NULL,
    second_voice TEXT,
    sample_rate_hz INTEGER NOT NULL CHECK (sample_rate_hz > 0),
    speed REAL NOT NULL CHECK (speed > 0),
    seed INTEGER CHECK (seed >= 0),
    rehearsed INTEGER NOT NULL CHECK (rehearsed IN (0, 1)),
    spoken_at TEXT NOT NULL,  -- with its time zone
    spoken_s REAL NOT NULL,  -- the same moment as Unix time
    seconds REAL NOT NULL CHECK (seconds >= 0),
    audio_s REAL NOT NULL CHECK (audio_s >= 0),
    sound_bytes INTEGER NOT NULL CHECK (sound_bytes >= 0),
    memory TEXT NOT NULL,  -- JSON: a MemoryCost
    PRIMARY KEY (session, number)
) STRICT
"""
_CLEANUP: Final = """
CREATE TABLE cleanup (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_s REAL NOT NULL,
    session TEXT,  -- NULL: nobody's in particular
    asked_by TEXT NOT NULL,
    level TEXT NOT NULL,
    seconds REAL NOT NULL CHECK (seconds >= 0),
    line TEXT NOT NULL,  -- the figure that before, after and regained are of
    before_bytes INTEGER NOT NULL,
    after_bytes INTEGER NOT NULL,
    promised_bytes INTEGER NOT NULL,
    promise_exact INTEGER NOT NULL CHECK (promise_exact IN (0, 1)),
    regained_bytes INTEGER NOT NULL CHECK (regained_bytes >= 0),
    by_layer TEXT NOT NULL,  -- JSON: bytes by figure
    next_cost TEXT NOT NULL,
    next_load_s REAL,  -- from here on NULL until something was spoken
    next_seconds REAL,
    next_growth_bytes INTEGER
) STRICT
"""
_LOAD: Final = """
CREATE TABLE load (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_s REAL NOT NULL,
    session TEXT NOT NULL,
    engine TEXT NOT NULL,
    seconds REAL NOT NULL CHECK (seconds >= 0),
    memory TEXT NOT NULL  -- JSON: a MemoryCost
) STRICT
"""
_EVICTION: Final = """
CREATE TABLE eviction (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_s REAL NOT NULL,
    reason TEXT NOT NULL,
    needed_by TEXT NOT NULL,  -- the engine that the room was made for
    session TEXT,
    engines TEXT NOT NULL,  -- JSON: names of what was unloaded
    caches_of TEXT NOT NULL,  -- JSON: the sessions whose caches went
    seconds REAL NOT NULL CHECK (seconds >= 0),
    line TEXT NOT NULL,
    before_bytes INTEGER NOT NULL,
    after_bytes INTEGER NOT NULL,
    regained_bytes INTEGER NOT NULL CHECK (regained_bytes >= 0),
    by_layer TEXT NOT NULL
) STRICT
"""
_FAILURE: Final = """
CREATE TABLE failure (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_s REAL NOT NULL,
    session TEXT NOT NULL,
    priority TEXT NOT NULL,
    engine TEXT,
    seconds REAL NOT NULL CHECK (seconds >= 0),
    message TEXT NOT NULL,  -- JSON: key and details
    memory TEXT  -- JSON: a MemoryCost; NULL where it was not measured
) STRICT
"""
_EXPERIMENT: Final = """
CREATE TABLE experiment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_s REAL NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    started_s REAL NOT NULL,
    seconds REAL NOT NULL CHECK (seconds >= 0),
    outcome TEXT NOT NULL,
    message TEXT,  -- JSON: why it failed
    folder TEXT
) STRICT
"""
_ENGINE_LOSS: Final = """
CREATE TABLE engine_loss (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_s REAL NOT NULL,
    engine TEXT NOT NULL,
    message TEXT NOT NULL  -- JSON: how its process has ended
) STRICT
"""
_FIRST_EVENT_TABLES: Final = ("cleanup", "load", "eviction", "failure", "experiment")
#: Tables of which each row is something that happened at a moment.
EVENT_TABLES: Final = (*_FIRST_EVENT_TABLES, "engine_loss")

SCHEMA: Final = Schema(
    _APPLICATION_ID,
    (
        (
            _SESSION,
            _RESULT,
            # covers the sums and the order by which the oldest go
            "CREATE INDEX result_age ON result (spoken_s, session, number, sound_bytes)",
            _CLEANUP,
            _LOAD,
            _EVICTION,
            _FAILURE,
            _EXPERIMENT,
            *(f"CREATE INDEX {each}_age ON {each} (at_s)" for each in _FIRST_EVENT_TABLES),
        ),
        (_ENGINE_LOSS, "CREATE INDEX engine_loss_age ON engine_loss (at_s)"),
    ),
)
