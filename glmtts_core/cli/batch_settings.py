"""What the command line asks of a run: a new one's settings, and how an old one's differ.

What is left out asks for nothing: a new run takes its default, an old one keeps what it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from glmtts_core.batch.policy import CleanupPolicy
from glmtts_core.batch_files.lines import RunDefaults
from glmtts_core.cli.options import refuse_without
from glmtts_core.cli.speech_options import flag
from glmtts_core.engines.host.base import EngineHost
from glmtts_core.speech import checked

Mode = Literal["auto", "never"]
_NEW: Final = RunDefaults()
_REFERENCE: Final = "--reference"


@dataclass(frozen=True, slots=True)
class RunWish:
    """The settings that are asked for; None asks for nothing.

    Attributes:
        speech: the options of speech, by the names of `SpeechOverride`.
        engine: name of the engine.
        reference: the one recording for all lines, by its name in the references folder.
        reference_text: what is said in it.
        cleanup: whether to give memory back at a threshold and after a failure.
        cleanup_every: ... and after so many lines.
    """

    speech: Mapping[str, Any]
    engine: str | None = None
    reference: str | None = None
    reference_text: str | None = None
    cleanup: Mode | None = None
    cleanup_every: int | None = None

    def defaults(self, engines: EngineHost, before: RunDefaults | None = None) -> RunDefaults:
        """Return the defaults of a run that had ``before``, or is new.

        Raises:
            NoSuchEngineError: there is no such engine.
            RequestError: a value that no engine could take, or a transcript without a recording.
        """
        known = before or _NEW
        wanted = known.engine if self.engine is None else self.engine
        can = engines.find(wanted).capabilities
        asked = {**self.speech, "engine": can.engine, "reference_text": self.reference_text}
        given = {name: value for name, value in asked.items() if value is not None}
        after = self._with_speaker(checked(RunDefaults, known.model_dump() | given))
        chooses = before is None or self.engine is not None
        nobody_speaks = after.voice is None and after.reference_name is None
        if chooses and can.voice_cloning and nobody_speaks:
            after = after.changed(voice=can.default_voice(""))
        spoken = bool(self.reference_text)
        refuse_without(_REFERENCE, after.reference_name is not None, "--reference-text", spoken)
        return after

    def _with_speaker(self, defaults: RunDefaults) -> RunDefaults:
        """Have the voice or the recording that is asked for speak; the other one would win."""
        if self.reference is not None:
            same = self.reference == defaults.reference_name or self.reference_text is not None
            return defaults.changed(
                voice=None,
                second_voice=None,
                reference_name=self.reference,
                reference_text=defaults.reference_text if same else "",
            )
        if self.speech["voice"] is not None:
            return defaults.changed(reference_name=None, reference_text="")
        return defaults

    def policy(self, before: CleanupPolicy | None = None) -> CleanupPolicy:
        """Return when a run cleans up that had ``before``, or is new."""
        policy = before or CleanupPolicy()
        if self.cleanup not in (None, _mode(policy)):
            fresh = CleanupPolicy.never() if self.cleanup == "never" else CleanupPolicy()
            policy = replace(fresh, every_lines=policy.every_lines)
        if self.cleanup_every is not None:
            policy = replace(policy, every_lines=self.cleanup_every)
        return policy


def differences(
    before: tuple[RunDefaults, CleanupPolicy], after: tuple[RunDefaults, CleanupPolicy]
) -> str:
    """Return what differs, as options with both values; empty where nothing does."""
    changes = [*_default_differences(before[0], after[0])]
    if _mode(before[1]) != _mode(after[1]):
        changes.append(_difference("--cleanup", _mode(before[1]), _mode(after[1])))
    if before[1].every_lines != after[1].every_lines:
        changes.append(_difference("--cleanup-every", before[1].every_lines, after[1].every_lines))
    return "; ".join(changes)


def _default_differences(before: RunDefaults, after: RunDefaults) -> Iterator[str]:
    for name in RunDefaults.model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            option = _REFERENCE if name == "reference_name" else flag(name)
            yield _difference(option, old, new)


def _difference(option: str, old: object, new: object) -> str:
    return f"{option} {_value(old)} → {_value(new)}"


def _value(value: object) -> str:
    if value is True:
        return "✓"
    return "–" if value in (None, "", False) else str(value)


def _mode(policy: CleanupPolicy) -> Mode:
    cleans = policy.threshold_bytes is not None or policy.after_failure
    return "auto" if cleans else "never"
