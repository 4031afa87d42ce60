"""Inspects a checkpoint's folder part by part: sizes, dtypes, damage; loads no weights.

Knows nothing about how a report is shown.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from glmtts_core.engines.glmtts.checkpoint.folder import Checkpoint, read_json
from glmtts_core.engines.glmtts.checkpoint.weight_sources import WeightSource, check_is_there
from glmtts_core.engines.glmtts.networks.flow_config import FlowConfig
from glmtts_core.engines.glmtts.networks.speaker import SpeakerModel
from glmtts_core.engines.glmtts.text.tokenizer import TextTokenizer
from glmtts_core.errors import CheckpointError, GLMTTSError


class PartName(StrEnum):
    """The parts of a checkpoint; the catalogue explains each."""

    LANGUAGE_MODEL = "language_model"
    FLOW = "flow"
    HIFT = "hift"
    VOCOS = "vocos"
    SPEECH_TOKENIZER = "speech_tokenizer"
    TEXT_TOKENIZER = "text_tokenizer"
    SPEAKER_MODEL = "speaker_model"


#: The vocoders: one of them is enough.
_VOCODERS = frozenset({PartName.HIFT, PartName.VOCOS})


@dataclass(frozen=True, slots=True)
class PartReport:
    """The state of one part.

    Attributes:
        name: which part.
        size_bytes: of all its files together.
        dtypes: of its weights, the one with the most bytes first; empty where no header has them.
        problem: why it cannot be used; None where it can.
    """

    name: PartName
    size_bytes: int
    dtypes: tuple[str, ...]
    problem: GLMTTSError | None


@dataclass(frozen=True, slots=True)
class CheckpointReport:
    """The state of a checkpoint.

    Attributes:
        parts: every part, in the order in which a sentence needs them.
    """

    parts: tuple[PartReport, ...]

    @property
    def sample_rates_hz(self) -> tuple[int, ...]:
        """The rates whose vocoder is usable."""
        rates = {PartName.HIFT: 24_000, PartName.VOCOS: 32_000}
        return tuple(
            rates[part.name] for part in self.parts if part.name in rates and part.problem is None
        )

    @property
    def is_usable(self) -> bool:
        """Whether GLM-TTS can speak with it, at one rate at least."""
        needed = (part for part in self.parts if part.name not in _VOCODERS)
        return all(part.problem is None for part in needed) and bool(self.sample_rates_hz)

    @property
    def size_bytes(self) -> int:
        """Bytes of all parts."""
        return sum(part.size_bytes for part in self.parts)


def inspect_checkpoint(checkpoint: Checkpoint) -> CheckpointReport:
    """Inspect every part: reads files and headers, but no weights."""
    parts = (
        _part(
            PartName.TEXT_TOKENIZER,
            checkpoint.text_tokenizer_folder,
            lambda: _look_at_text_tokenizer(checkpoint),
        ),
        _part(
            PartName.SPEECH_TOKENIZER,
            checkpoint.speech_tokenizer_folder,
            lambda: _dtypes(checkpoint.speech_tokenizer_source()),
        ),
        _part(
            PartName.SPEAKER_MODEL,
            checkpoint.speaker_file,
            lambda: _look_at_speaker_model(checkpoint.speaker_file),
        ),
        _part(
            PartName.LANGUAGE_MODEL,
            checkpoint.llm_folder,
            lambda: _look_at_language_model(checkpoint),
        ),
        _part(PartName.FLOW, checkpoint.flow_file.parent, lambda: _look_at_flow(checkpoint)),
        _part(PartName.HIFT, checkpoint.hift_file, lambda: _dtypes(checkpoint.hift_source())),
        _part(
            PartName.VOCOS, checkpoint.vocos_file, lambda: _look_at_archive(checkpoint.vocos_file)
        ),
    )
    return CheckpointReport(parts)


def _part(name: PartName, place: Path, look: Callable[[], tuple[str, ...]]) -> PartReport:
    try:
        dtypes, problem = look(), None
    except GLMTTSError as error:
        dtypes, problem = (), error
    return PartReport(name, _size_bytes(place), dtypes, problem)


def _size_bytes(place: Path) -> int:
    files: Iterable[Path] = place.rglob("*") if place.is_dir() else (place,)
    return sum(file.stat().st_size for file in files if file.is_file())


def _look_at_text_tokenizer(checkpoint: Checkpoint) -> tuple[str, ...]:
    config = checkpoint.speech_tokenizer_folder / "config.json"
    tokenizer = TextTokenizer(checkpoint.text_tokenizer_folder)
    if config.is_file():
        codes = read_json(config).get("quantize_vocab_size")
        if isinstance(codes, int):
            tokenizer.speech_ids(codes)
    return ()


def _look_at_language_model(checkpoint: Checkpoint) -> tuple[str, ...]:
    checkpoint.llm_config()
    return _dtypes(checkpoint.llm_source())


def _look_at_flow(checkpoint: Checkpoint) -> tuple[str, ...]:
    FlowConfig.from_mapping(checkpoint.flow_config(), checkpoint.flow_config_file)
    return _dtypes(checkpoint.flow_source())


def _look_at_speaker_model(file: Path) -> tuple[str, ...]:
    # small enough to be loaded: its header does not show whether the rest is complete
    SpeakerModel(file, threads=1)
    return ()


def _look_at_archive(file: Path) -> tuple[str, ...]:
    check_is_there(file)
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise CheckpointError("checkpoint.file_damaged", file=file, reason=error) from error
    # plain weight files have no such entry
    if not any(name.endswith("/constants.pkl") for name in names):
        raise CheckpointError("checkpoint.file_damaged", file=file, reason="no TorchScript in it")
    return ()


def _dtypes(source: WeightSource) -> tuple[str, ...]:
    sizes: dict[str, int] = {}
    for key in source.keys():  # noqa: SIM118 - a source, not a dictionary
        dtype = source.dtype(key)
        values = 1
        for size in source.shape(key):
            values *= size
        name = str(dtype).removeprefix("torch.")
        sizes[name] = sizes.get(name, 0) + values * dtype.itemsize
    return tuple(sorted(sizes, key=lambda name: -sizes[name]))
