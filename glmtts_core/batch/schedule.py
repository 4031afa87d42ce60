"""In which order the lines of a run are spoken; the outputs keep the input's order all the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from glmtts_core.batch.line_table import LineTable
from glmtts_core.batch_files.lines import BatchLine, RunDefaults, reference_name_of, transcript_of


def speaking_order(positions: Iterable[int], table: LineTable, defaults: RunDefaults) -> list[int]:
    """Return ``positions`` so that lines which share a sample rate and a voice follow each other.

    A rate has its own part of the network, a voice its own prompt, and changing either costs work
    and memory. Groups come in the order of their first lines, and lines keep theirs within a group.
    A line that was being spoken when the process died comes after all others: should it be what
    ended the process, the others are safe.
    """
    waiting = list(positions)
    rates = _ranks(_rate(table.lines[position], defaults) for position in waiting)
    voices = _ranks(_voice(table.lines[position], defaults) for position in waiting)

    def key(position: int) -> tuple[int, int, int, int]:
        line = table.lines[position]
        return (
            table.status(position).crashes,
            rates[_rate(line, defaults)],
            voices[_voice(line, defaults)],
            position,
        )

    return sorted(waiting, key=key)


def _ranks(keys: Iterable[object]) -> dict[object, int]:
    ranks: dict[object, int] = {}
    for key in keys:
        ranks.setdefault(key, len(ranks))
    return ranks


def _rate(line: BatchLine, defaults: RunDefaults) -> int:
    return line.sample_rate_hz or defaults.sample_rate_hz


def _voice(line: BatchLine, defaults: RunDefaults) -> Sequence[str | None]:
    reference = reference_name_of(line, defaults)
    if reference is None:
        return ("voice", line.voice or defaults.voice)
    return ("reference", reference, transcript_of(line, defaults))
