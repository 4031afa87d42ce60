"""The commands around the GLM-TTS checkpoint: say what is there, fetch what is not."""

from __future__ import annotations

from pathlib import Path

from glmtts_core.catalogue import Language, text
from glmtts_core.engines.glmtts.checkpoint.download import Fetch, Site, Wanted, download
from glmtts_core.engines.glmtts.checkpoint.folder import Checkpoint
from glmtts_core.engines.glmtts.checkpoint.inspection import (
    CheckpointReport,
    PartName,
    PartReport,
    inspect_checkpoint,
)

MIB = 2**20
_VOCODERS = (PartName.HIFT, PartName.VOCOS)


def check(root: Path, language: Language) -> int:
    """Print what is in ``root``; return 0 if GLM-TTS can speak with it, else 1."""
    report = inspect_checkpoint(Checkpoint(root))
    print(text("check.folder", language, folder=root.resolve()))
    for part in report.parts:
        print(_line(part, report, language))
    print(_verdict(report, language))
    return 0 if report.is_usable else 1


def fetch_checkpoint(root: Path, site: Site, language: Language, fetch: Fetch | None = None) -> int:
    """Fetch what is missing in ``root``, then print what is there.

    Raises:
        DownloadError: it could not be fetched.
    """

    def tell(wanted: Wanted, number: int, count: int) -> None:
        print(
            text(
                "download.step",
                language,
                number=number,
                count=count,
                repository=wanted.repository,
                folder=wanted.folder,
            )
        )

    download(root, site, tell, fetch)
    return check(root, language)


def _line(part: PartReport, report: CheckpointReport, language: Language) -> str:
    name = _name(part.name, language)
    if part.problem is None:
        dtypes = f", {', '.join(part.dtypes)}" if part.dtypes else ""
        size = f"{part.size_bytes / MIB:.1f}"
        return text("check.part", language, name=name, size=size, dtypes=dtypes)
    spare = part.name in _VOCODERS and bool(report.sample_rates_hz)
    key = "check.optional" if spare else "check.problem"
    return text(key, language, name=name, problem=part.problem.text(language))


def _verdict(report: CheckpointReport, language: Language) -> str:
    rates = ", ".join(f"{hz // 1000} kHz" for hz in report.sample_rates_hz)
    if not rates:
        return text("check.no_vocoder", language)
    if not report.is_usable:
        return text("check.unusable", language)
    size = f"{report.size_bytes / MIB:.1f}"
    lines = [text("check.usable", language, rates=rates, size=size)]
    lines += [
        text("check.one_rate", language, name=_name(part.name, language), rates=rates)
        for part in report.parts
        if part.problem is not None
    ]
    return "\n".join(lines)


def _name(part: PartName, language: Language) -> str:
    return text(f"check.part.{part}", language)
