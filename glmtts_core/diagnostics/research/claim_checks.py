"""Checks each public claim about memory with the findings of an experiment on this machine.

A claim is confirmed if the effect exists (its interval excludes 0) and reaches the claimed size. A
smaller effect in the claimed direction does not confirm it, and the reason says so. For what
listeners prefer (6) and for drifting pitch (9) only the existence is tested.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Final

from glmtts_core.byte_units import MIB
from glmtts_core.diagnostics.experiment import Policy
from glmtts_core.diagnostics.findings import Findings
from glmtts_core.diagnostics.metrics import Metric
from glmtts_core.diagnostics.research.claim_answers import (
    answered,
    arm_of,
    judge,
    not_testable,
    shown,
)
from glmtts_core.diagnostics.research.claims import (
    Answer,
    Claim,
    claim_table,
)
from glmtts_core.diagnostics.research.listening import Listening
from glmtts_core.diagnostics.research.sound_claims import listened, voices
from glmtts_core.diagnostics.statistics import compare
from glmtts_core.diagnostics.trial import WORK, Spoken, Trial, TrialPart
from glmtts_core.message import Message

#: "5 s syntheses take 20 s": four times as slow as usual.
SLOW_FACTOR: Final = 4.0
#: The least growth a synthesis that claim 10 names.
_LEAST_GROWTH_BYTES: Final = 0.15e9


def check_claims(findings: Findings | None, listening: Listening | None = None) -> list[Answer]:
    """Answer every claim.

    Args:
        findings: of the experiment; None if there was none yet.
        listening: the blind test of its recordings; None if none was finished.
    """
    return [_answer(claim, findings, listening) for claim in claim_table().claims]


def _answer(claim: Claim, findings: Findings | None, listening: Listening | None) -> Answer:
    if claim.number in _UNTESTABLE:
        return not_testable(claim, _UNTESTABLE[claim.number])
    if findings is None:
        return not_testable(claim, "claims.reason.not_run")
    if claim.number == _HEARD:
        return listened(claim, findings, listening)
    return _CHECKS[claim.number](claim, findings)


# -- one check a claim -------------------------------------------------------------------------


def _climbs(claim: Claim, findings: Findings) -> Answer:
    """1: memory climbs over eight short syntheses when nothing is cleaned."""
    arm = arm_of(findings, Policy.NEVER)
    before = findings.figures(arm, lambda trial: _edge(trial, 0, "before_bytes"))
    after = findings.figures(arm, lambda trial: _edge(trial, -1, "after_bytes"))
    return judge(claim, compare(after, before), shown("bytes", before=before, after=after))


def _edge(trial: Trial, index: int, name: str) -> float | None:
    growing = trial.succeeded(TrialPart.GROWING)
    return float(getattr(growing[index], name)) if growing else None


def _start_cleanup(claim: Claim, findings: Findings) -> Answer:
    """2: a cleanup right after the start gives a fifth back."""
    starts = [
        each for trial in findings.usable for each in trial.cleaned if each.part is TrialPart.START
    ]
    before = [float(each.before_bytes) for each in starts]
    after = [float(each.before_bytes - each.regained_bytes) for each in starts]
    return judge(claim, compare(after, before), shown("bytes", before=before, after=after))


def _metric(metric: Metric, *, limited: bool = False) -> Callable[[Claim, Findings], Answer]:
    """3, 4, 5: a figure with cleaning after every synthesis against the same without."""

    def check(claim: Claim, findings: Findings) -> Answer:
        never, always = (
            findings.figures(arm_of(findings, policy, limited=limited), metric.of)
            for policy in (Policy.NEVER, Policy.ALWAYS)
        )
        return judge(claim, compare(always, never), shown(metric.unit, never=never, always=always))

    return check


def _history(claim: Claim, findings: Findings) -> Answer:
    """7: sentences kept as history quadruple what a synthesis leaves behind."""
    kept = findings.figures(arm_of(findings, Policy.NEVER, history=True), _growth_each)
    plain = findings.figures(arm_of(findings, Policy.NEVER), _growth_each)
    if not kept:
        return not_testable(claim, "claims.reason.no_history")
    return judge(claim, compare(plain, kept), shown("bytes", history=kept, plain=plain))


def _growth_each(trial: Trial) -> float | None:
    return _mean_growth(trial.of_part(*WORK))


def _mean_growth(spoken: Sequence[Spoken]) -> float | None:
    """Return the mean growth in bytes of the syntheses that succeeded; None without any."""
    grown = [each.after_bytes - each.before_bytes for each in spoken if not each.error]
    return statistics.fmean(grown) if grown else None


def _rates(claim: Claim, findings: Findings) -> Answer:
    """8: switching between sample rates without cleaning fails."""
    arm = arm_of(findings, Policy.NEVER, switch_rates=True)
    if arm is None:
        return not_testable(claim, "claims.reason.one_rate")
    spoken = [each for trial in findings.of_arm(arm) for each in trial.of_part(*WORK)]
    if not spoken:
        return not_testable(claim, "claims.reason.no_arm")
    failed = sum(bool(each.error) for each in spoken)
    reached = failed / len(spoken) >= (claim.share or 0.0)
    reason = Message("claims.reason.switches", {"failed": failed, "count": len(spoken)})
    return answered(claim, reason, confirmed=reached)


def _repeated(claim: Claim, findings: Findings) -> Answer:
    """10: speaking a sentence again and again grows memory each time, seed or no seed."""
    fresh = findings.figures(arm_of(findings, Policy.NEVER, fresh_seeds=True), _growth_repeated)
    fixed = findings.figures(arm_of(findings, Policy.NEVER), _growth_repeated)
    figures = shown("bytes", fixed=fixed, fresh=fresh)
    if not fixed:
        return not_testable(claim, "claims.reason.no_arm")
    growth_bytes = statistics.median(fixed)
    key = "claims.reason.repeated" if fresh else "claims.reason.repeated_no_seed"
    reason = Message(key, {"growth": f"{growth_bytes / MIB:+.1f} MiB"})
    return answered(claim, reason, figures, confirmed=growth_bytes >= _LEAST_GROWTH_BYTES)


def _growth_repeated(trial: Trial) -> float | None:
    # the first synthesis of a text has to allocate buffers of its size
    spoken = trial.succeeded(TrialPart.TIMED)
    return _mean_growth(spoken[1:])


def _restart(claim: Claim, findings: Findings) -> Answer:
    """11: a cleanup takes a hundredth of a restart."""
    restarts = [trial.loaded.start_s for trial in findings.usable if trial.loaded is not None]
    cleanups = [value for trial in findings.usable if (value := Metric.CLEANUP.of(trial))]
    figures = shown("s", cleanup=cleanups, restart=restarts)
    return judge(claim, compare(cleanups, restarts), figures)


def _symptoms(claim: Claim, findings: Findings) -> Answer:
    """12: short memory slows syntheses, damages audio and stops batches."""
    trials = findings.of_arm(arm_of(findings, Policy.NEVER, limited=True))
    spoken = [each for trial in trials for each in trial.of_part(*WORK)]
    if not spoken:
        return not_testable(claim, "claims.reason.no_arm")
    details = {
        "slow": sum(_slow(trial) for trial in trials),
        "damaged": sum(bool(each.alarms) for each in spoken),
        "failed": sum(bool(each.error) for each in spoken),
        "count": len(spoken),
    }
    seen = any(details[name] for name in ("slow", "damaged", "failed"))
    return answered(claim, Message("claims.reason.symptoms", details), confirmed=seen)


def _slow(trial: Trial) -> int:
    """Count the syntheses that took four times as long a character as the trial's median one."""
    paces = [each.seconds / each.characters for each in trial.succeeded(*WORK)]
    if not paces:
        return 0
    limit = SLOW_FACTOR * statistics.median(paces)
    return sum(pace > limit for pace in paces)


_UNTESTABLE: Final = {
    13: "claims.reason.advice",
}
#: The claim that only listeners can answer.
_HEARD: Final = 6
_CHECKS: Final[dict[int, Callable[[Claim, Findings], Answer]]] = {
    1: _climbs,
    2: _start_cleanup,
    3: _metric(Metric.SECONDS),
    4: _metric(Metric.SUCCESS, limited=True),
    5: _metric(Metric.PEAK),
    7: _history,
    8: _rates,
    9: voices,
    10: _repeated,
    11: _restart,
    12: _symptoms,
}
