"""``check`` and ``download``: say what is there of the GLM-TTS checkpoint, fetch what is not."""

from __future__ import annotations

from pathlib import Path

from glmtts_core.byte_units import MIB
from glmtts_core.catalogue import Language, text
from glmtts_core.cli.task import Invocation
from glmtts_core.cli.terminal import show
from glmtts_core.engines.glmtts.checkpoint.download import Fetch, Site, Wanted, download
from glmtts_core.engines.glmtts.checkpoint.folder import Checkpoint
from glmtts_core.engines.glmtts.checkpoint.inspection import (
    CheckpointReport,
    PartName,
    PartReport,
    inspect_checkpoint,
)

_VOCODERS = (PartName.HIFT, PartName.VOCOS)


def check_checkpoint(folder: Path | None, invocation: Invocation) -> int:
    """Print what is in ``folder``, or in that of the settings; see `show_checkpoint`."""
    return show_checkpoint(folder or invocation.settings.ckpt, invocation.language)


def download_checkpoint(site: Site, folder: Path | None, invocation: Invocation) -> int:
    """Fetch what is missing in ``folder``, or in that of the settings; see `fetch_checkpoint`."""
    return fetch_checkpoint(folder or invocation.settings.ckpt, site, invocation.language)


def show_checkpoint(root: Path, language: Language) -> int:
    """Print what is in ``root``; return 0 if GLM-TTS can speak with it, else 1."""
    report = inspect_checkpoint(Checkpoint(root))
    print(text("check.folder", language, folder=root.resolve()))
    for part in report.parts:
        _show_part(part, report, language)
    show(_verdict(report, language), "" if report.is_usable else "bold")
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
    return show_checkpoint(root, language)


def _show_part(part: PartReport, report: CheckpointReport, language: Language) -> None:
    name = _name(part.name, language)
    if part.problem is None:
        dtypes = f", {', '.join(part.dtypes)}" if part.dtypes else ""
        size = f"{part.size_bytes / MIB:.1f}"
        words = text("check.part", language, name=name, size=size, dtypes=dtypes)
        show(words, "green", mark="✓ ")
        return
    words = text("check.problem", language, name=name, problem=part.problem.text(language))
    spare = part.name in _VOCODERS and bool(report.sample_rates_hz)
    show(words, "dim" if spare else "red", mark="– " if spare else "✗ ")


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
