"""What the options of ``batch`` ask of a run: a new one's settings, and how an old one's differ.

An option that is left out asks for nothing: a new run takes its default, an old one keeps what it
has.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from glmtts_core.batch.lines import RunDefaults
from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.cli.combinations import refuse_both, refuse_without
from glmtts_core.engines.host import EngineHost
from glmtts_core.errors import BatchError
from glmtts_core.speech import checked

_NEW: Final = RunDefaults()
#: The options by the run's settings that they set.
_OPTION_OF: Final = {
    "engine": "--engine",
    "voice": "--voice",
    "second_voice": "--second-voice",
    "speed": "--speed",
    "sample_rate_hz": "--sample-rate",
    "seed": "--seed",
    "reference_name": "--reference",
    "reference_text": "--reference-text",
}
_AUTO, _NEVER = "auto", "never"


def add_batch_command(commands: Any) -> None:
    """Describe the command to the parser's ``commands`` (argparse names no type for them)."""
    batch: argparse.ArgumentParser = commands.add_parser(
        "batch", help="speak a JSONL, CSV or TSV file, a sound a line"
    )
    batch.add_argument("file", type=Path, help="the file of lines")
    batch.add_argument("--out", type=Path, required=True, help="the run's folder")
    batch.add_argument(
        "--resume",
        action="store_true",
        help="carry on the run in --out, with its settings: what is done stays; the file may have "
        "been corrected",
    )
    batch.add_argument(
        "--retry-failed", action="store_true", help="with --resume: failed lines too"
    )
    batch.add_argument(
        "--override",
        action="store_true",
        help="with --resume: take the settings given here into the run; lines that they change are "
        "spoken again, also those that are done",
    )
    batch.add_argument(
        "--engine", help="GLM-TTS or Kokoro-82M (default: GLM-TTS where it is there)"
    )
    lines = "for lines that name none"
    batch.add_argument("--voice", help=f"{lines} (default: the best of each line's language)")
    batch.add_argument(
        "--second-voice", help=f"{lines}: speaks the parts that are in its own language"
    )
    batch.add_argument("--speed", type=float, help=f"{lines} (default: {_NEW.speed})")
    batch.add_argument("--sample-rate", type=int, help=f"{lines} (default: {_NEW.sample_rate_hz})")
    batch.add_argument("--seed", type=int, help=lines)
    batch.add_argument("--references", type=Path, help="folder of the recordings that lines name")
    batch.add_argument("--reference", help=f"recording in that folder {lines}")
    batch.add_argument("--reference-text", help="what is said in it")
    batch.add_argument(
        "--cleanup",
        choices=[_AUTO, _NEVER],
        help="auto: give memory back at a threshold and after a failure (default: auto)",
    )
    batch.add_argument("--cleanup-every", type=int, metavar="K", help="... and after every K lines")
    batch.add_argument("--cpu", action="store_true", help="do not use a GPU")


def refuse_meaningless(options: argparse.Namespace) -> None:
    """Refuse options that no run could follow together.

    Raises:
        RequestError, BatchError: the sentence names them.
    """
    refuse_without("--resume", options.resume, "--retry-failed", options.retry_failed)
    refuse_without("--resume", options.resume, "--override", options.override)
    cloned = options.reference is not None
    refuse_both("--voice", options.voice is not None, "--reference", cloned)
    refuse_both("--second-voice", options.second_voice is not None, "--reference", cloned)
    if options.cleanup_every is not None and options.cleanup_every < 1:
        raise BatchError("cli.cleanup_every", given=options.cleanup_every)


def defaults_of(
    options: argparse.Namespace, engines: EngineHost, before: RunDefaults | None = None
) -> RunDefaults:
    """Return the settings of a run that had ``before``, or is new, and is asked for ``options``.

    Raises:
        NoSuchEngineError: there is no such engine.
        RequestError: a transcript without a recording.
    """
    known = before or _NEW
    wanted = known.engine if options.engine is None else options.engine
    capabilities = engines.find(wanted).capabilities
    asked = {
        "engine": capabilities.engine,
        "second_voice": options.second_voice,
        "speed": options.speed,
        "sample_rate_hz": options.sample_rate,
        "seed": options.seed,
        "reference_text": options.reference_text,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    after = _with_speaker(checked(RunDefaults, known.model_dump() | given), options)
    chooses = before is None or options.engine is not None
    if (
        chooses
        and capabilities.voice_cloning
        and (after.voice, after.reference_name) == (None,) * 2
    ):
        after = after.changed(voice=capabilities.default_voice(""))
    spoken = bool(options.reference_text)
    refuse_without("--reference", after.reference_name is not None, "--reference-text", spoken)
    return after


def _with_speaker(defaults: RunDefaults, options: argparse.Namespace) -> RunDefaults:
    """Have the voice or the recording that is asked for speak; the other one would win."""
    if options.reference is not None:
        same = options.reference == defaults.reference_name or options.reference_text is not None
        transcript = defaults.reference_text if same else ""
        return defaults.changed(
            voice=None,
            second_voice=None,
            reference_name=options.reference,
            reference_text=transcript,
        )
    if options.voice is not None:
        return defaults.changed(voice=options.voice, reference_name=None, reference_text="")
    return defaults


def policy_of(options: argparse.Namespace, before: CleanupPolicy | None = None) -> CleanupPolicy:
    """Return when a run cleans up that had ``before`` and is asked for ``options``."""
    policy = before or CleanupPolicy()
    if options.cleanup not in (None, _mode(policy)):
        fresh = CleanupPolicy.never() if options.cleanup == _NEVER else CleanupPolicy()
        policy = replace(fresh, every_lines=policy.every_lines)
    if options.cleanup_every is not None:
        policy = replace(policy, every_lines=options.cleanup_every)
    return policy


def differences(
    before: tuple[RunDefaults, CleanupPolicy], after: tuple[RunDefaults, CleanupPolicy]
) -> str:
    """Return what differs, as options with both values; empty where nothing does."""
    told = [*_default_differences(before[0], after[0])]
    if _mode(before[1]) != _mode(after[1]):
        told.append(_difference("--cleanup", _mode(before[1]), _mode(after[1])))
    if before[1].every_lines != after[1].every_lines:
        told.append(_difference("--cleanup-every", before[1].every_lines, after[1].every_lines))
    return "; ".join(told)


def _default_differences(before: RunDefaults, after: RunDefaults) -> Iterator[str]:
    for name in RunDefaults.model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old != new and name in _OPTION_OF:
            yield _difference(_OPTION_OF[name], old, new)


def _difference(option: str, old: object, new: object) -> str:
    return f"{option} {_value(old)} → {_value(new)}"


def _value(value: object) -> str:
    return "–" if value in (None, "") else str(value)


def _mode(policy: CleanupPolicy) -> str:
    cleans = policy.threshold_bytes is not None or policy.after_failure
    return _AUTO if cleans else _NEVER
