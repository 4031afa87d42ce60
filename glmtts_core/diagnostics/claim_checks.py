"""Each public claim about memory held against what this machine has shown.

A claim is confirmed when the effect is there (its interval excludes none) and reaches the claimed
size; an effect in the claimed direction that is smaller is not confirmed, and the reason says so.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Final

from scipy import stats

from glmtts_core.diagnostics.arms import Arm, Policy
from glmtts_core.diagnostics.claims import Answer, Claim, Shown, Verdict, claim_table
from glmtts_core.diagnostics.findings import Findings
from glmtts_core.diagnostics.listening import Listening, Outcome, outcome
from glmtts_core.diagnostics.quality import Symptom
from glmtts_core.diagnostics.statistics import (
    ENOUGH_TRIALS,
    Comparison,
    Conclusion,
    compare,
    summarise,
)
from glmtts_core.diagnostics.trial import WORK, Metric, Part, Trial

#: "5 s syntheses take 20 s": a synthesis four times as slow as its like.
SLOW_FACTOR: Final = 4.0
#: An outcome that chance brings about less often than this is no chance.
SIGNIFICANT: Final = 0.05
#: Pairs that differ with which the sign test can become significant at all: 2 / 2**6 < 0.05.
_ENOUGH_PAIRS: Final = 6


def check_claims(findings: Findings | None, listening: Listening | None = None) -> list[Answer]:
    """Answer every claim.

    Args:
        findings: what was measured; None where nothing was yet.
        listening: the blind test over its recordings; None where none was finished.
    """
    return [_answer(claim, findings, listening) for claim in claim_table().claims]


def _answer(claim: Claim, findings: Findings | None, listening: Listening | None) -> Answer:
    if claim.number in _UNTESTABLE:
        return _not_testable(claim, _UNTESTABLE[claim.number])
    if findings is None:
        return _not_testable(claim, "claims.reason.not_run")
    if claim.number == _HEARD:
        return _listened(claim, findings, listening)
    return _CHECKS[claim.number](claim, findings)


def _not_testable(claim: Claim, reason: str, **details: object) -> Answer:
    return Answer(claim, Verdict.NOT_TESTABLE, reason, details)


# -- the arms that answer ----------------------------------------------------------------------


def _arm(
    findings: Findings, policy: Policy, *, limited: bool = False, **wanted: bool
) -> Arm | None:
    """Return the arm of this policy whose settings are as wanted and otherwise plain."""
    setting = Arm(policy=Policy.NEVER, **wanted)
    for arm in findings.experiment.arms:
        unlimited = arm.setting.model_copy(update={"headroom_bytes": None})
        like = unlimited == setting and (arm.headroom_bytes is not None) == limited
        if arm.policy is policy and like:
            return arm
    return None


def _pair(
    findings: Findings, metric: Metric, *, limited: bool = False
) -> tuple[list[float], list[float]]:
    """Return the figures without cleaning, and those with cleaning after every synthesis."""
    return (
        _values(findings, _arm(findings, Policy.NEVER, limited=limited), metric.of),
        _values(findings, _arm(findings, Policy.ALWAYS, limited=limited), metric.of),
    )


def _values(
    findings: Findings, arm: Arm | None, figure: Callable[[Trial], float | None]
) -> list[float]:
    if arm is None:
        return []
    found = [figure(trial) for trial in findings.of_arm(arm)]
    return [value for value in found if value is not None]


def _shown(unit: str, **values: Sequence[float]) -> tuple[Shown, ...]:
    summaries = {label: summarise(each) for label, each in values.items()}
    return tuple(Shown(label, each, unit) for label, each in summaries.items() if each is not None)


def _judge(claim: Claim, comparison: Comparison, shown: tuple[Shown, ...]) -> Answer:
    """Judge an effect by its interval: is it there, and does it reach the claimed share?"""
    match comparison.conclusion:
        case Conclusion.NOT_MEASURED:
            return _not_testable(claim, "claims.reason.no_arm")
        case Conclusion.TOO_FEW:
            return Answer(
                claim,
                Verdict.NOT_TESTABLE,
                "claims.reason.too_few",
                {"count": ENOUGH_TRIALS},
                shown,
            )
    claimed, measured = claim.share or 0.0, comparison.relative or 0.0
    details: dict[str, object] = {"claimed": _percent(claimed), "measured": _percent(measured)}
    if comparison.conclusion in (Conclusion.NO_DIFFERENCE_SEEN, Conclusion.IDENTICAL):
        return Answer(claim, Verdict.NOT_CONFIRMED, "claims.reason.no_effect", details, shown)
    if (measured > 0) != (claimed > 0):
        return Answer(claim, Verdict.NOT_CONFIRMED, "claims.reason.opposite", details, shown)
    if _reaches(comparison, claimed):
        return Answer(claim, Verdict.CONFIRMED, "claims.reason.confirmed", details, shown)
    return Answer(claim, Verdict.NOT_CONFIRMED, "claims.reason.smaller", details, shown)


def _percent(share: float) -> str:
    sign = "−" if round(100 * share) < 0 else "+"
    return f"{sign}{abs(share):.0%}"


def _reaches(comparison: Comparison, claimed: float) -> bool:
    """Whether the interval of the effect reaches the claimed share."""
    if not comparison.difference or comparison.interval is None or comparison.relative is None:
        return False
    base = comparison.difference / comparison.relative
    bounds = [bound / base for bound in comparison.interval]
    return max(bounds) >= claimed if claimed > 0 else min(bounds) <= claimed


# -- one check a claim -------------------------------------------------------------------------


def _climbs(claim: Claim, findings: Findings) -> Answer:
    """1: memory climbs over eight short syntheses when nothing is cleaned."""
    arm = _arm(findings, Policy.NEVER)
    before = _values(findings, arm, lambda trial: _edge(trial, 0, "before_bytes"))
    after = _values(findings, arm, lambda trial: _edge(trial, -1, "after_bytes"))
    return _judge(claim, compare(after, before), _shown("bytes", before=before, after=after))


def _edge(trial: Trial, index: int, name: str) -> float | None:
    growing = [each for each in trial.of_part(Part.GROWING) if not each.error]
    return float(getattr(growing[index], name)) if growing else None


def _start_cleanup(claim: Claim, findings: Findings) -> Answer:
    """2: a cleanup right after the start gives a fifth back."""
    starts = [
        each for trial in findings.usable for each in trial.cleaned if each.part is Part.START
    ]
    before = [float(each.before_bytes) for each in starts]
    after = [float(each.before_bytes - each.regained_bytes) for each in starts]
    return _judge(claim, compare(after, before), _shown("bytes", before=before, after=after))


def _metric(metric: Metric, *, limited: bool = False) -> Callable[[Claim, Findings], Answer]:
    """3, 4, 5: a figure with cleaning after every synthesis against the same without."""

    def check(claim: Claim, findings: Findings) -> Answer:
        never, always = _pair(findings, metric, limited=limited)
        return _judge(
            claim, compare(always, never), _shown(metric.unit, never=never, always=always)
        )

    return check


def _history(claim: Claim, findings: Findings) -> Answer:
    """7: sentences kept as history quadruple what a synthesis leaves behind."""
    kept = _values(findings, _arm(findings, Policy.NEVER, use_history=True), _growth_each)
    plain = _values(findings, _arm(findings, Policy.NEVER), _growth_each)
    if not kept:
        return _not_testable(claim, "claims.reason.no_history")
    return _judge(claim, compare(plain, kept), _shown("bytes", history=kept, plain=plain))


def _growth_each(trial: Trial) -> float | None:
    spoken = [each for each in trial.of_part(*WORK) if not each.error]
    if not spoken:
        return None
    return statistics.fmean(each.after_bytes - each.before_bytes for each in spoken)


def _rates(claim: Claim, findings: Findings) -> Answer:
    """8: switching between sample rates without cleaning fails."""
    arm = _arm(findings, Policy.NEVER, switch_rates=True)
    if arm is None:
        return _not_testable(claim, "claims.reason.one_rate")
    spoken = [each for trial in findings.of_arm(arm) for each in trial.of_part(*WORK)]
    if not spoken:
        return _not_testable(claim, "claims.reason.no_arm")
    failed = sum(bool(each.error) for each in spoken)
    share = failed / len(spoken)
    details: dict[str, object] = {"failed": failed, "count": len(spoken)}
    reached = share >= (claim.share or 0.0)
    verdict = Verdict.CONFIRMED if reached else Verdict.NOT_CONFIRMED
    return Answer(claim, verdict, "claims.reason.switches", details)


def _listened(claim: Claim, findings: Findings, listening: Listening | None) -> Answer:
    """6: who does not know which is which prefers what was spoken between cleanups."""
    if listening is None:
        return _not_testable(claim, "claims.reason.needs_listeners")
    never, always = _arm(findings, Policy.NEVER), _arm(findings, Policy.ALWAYS)
    arms = {arm.id for arm in (never, always) if arm is not None}
    if len(arms) < 2 or {listening.arm, listening.other_arm} != arms or always is None:
        return _not_testable(claim, "claims.reason.other_listening")
    heard = outcome(listening)
    mine = heard.arm == always.id
    cleaned, uncleaned = heard.preferred, heard.other_preferred
    if not mine:
        cleaned, uncleaned = uncleaned, cleaned
    details: dict[str, object] = {
        "cleaned": cleaned,
        "uncleaned": uncleaned,
        "same": heard.same,
        "p": "1" if heard.p_value is None else f"{heard.p_value:.3g}",
    }
    if len(listening.judgements) < _ENOUGH_PAIRS:
        return _not_testable(claim, "claims.reason.few_pairs", count=_ENOUGH_PAIRS)
    clear = heard.p_value is not None and heard.p_value < SIGNIFICANT
    verdict = Verdict.CONFIRMED if clear and cleaned > uncleaned else Verdict.NOT_CONFIRMED
    return Answer(claim, verdict, "claims.reason.listened", details, _points(heard, mine=mine))


def _points(heard: Outcome, *, mine: bool) -> tuple[Shown, ...]:
    """Return the mean ratings as the claim has them, out of 100; empty where nothing was rated."""
    ratings = [heard.mean_rating, heard.other_mean_rating]
    always, never = ratings if mine else reversed(ratings)
    if always is None or never is None:
        return ()
    return _shown("points", never=[25.0 * (never - 1.0)], always=[25.0 * (always - 1.0)])


def _voices(claim: Claim, findings: Findings) -> Answer:
    """9: after another voice, without a cleanup, the pitch of the same text drifts."""
    drifts = [
        _drifts(findings, _arm(findings, policy, switch_voices=True))
        for policy in (Policy.NEVER, Policy.ALWAYS)
    ]
    (drifted, count), (with_cleanup, count_cleaned) = drifts
    if not count or not count_cleaned:
        return _not_testable(claim, "claims.reason.needs_voices")
    table = [
        [drifted, count - drifted],
        [with_cleanup, count_cleaned - with_cleanup],
    ]
    p_value = float(stats.fisher_exact(table, alternative="greater").pvalue)
    details: dict[str, object] = {
        "drifted": drifted,
        "count": count,
        "cleaned": with_cleanup,
        "count_cleaned": count_cleaned,
        "p": f"{p_value:.3g}",
    }
    verdict = Verdict.CONFIRMED if p_value < SIGNIFICANT else Verdict.NOT_CONFIRMED
    return Answer(claim, verdict, "claims.reason.voices", details)


def _drifts(findings: Findings, arm: Arm | None) -> tuple[int, int]:
    """Return how many repetitions of a text drifted from its first synthesis, and of how many."""
    drifted = count = 0
    for trial in [] if arm is None else findings.of_arm(arm):
        heard: set[str] = set()
        for spoken in trial.of_part(Part.TIMED):
            if spoken.alarms is None:
                continue
            if spoken.voice in heard:
                count += 1
                drifted += Symptom.PITCH_DRIFT.value in spoken.alarms
            heard.add(spoken.voice)
    return drifted, count


def _repeated(claim: Claim, findings: Findings) -> Answer:
    """10: a sentence said again and again grows memory each time, seed or no seed."""
    fresh = _values(findings, _arm(findings, Policy.NEVER, fresh_seeds=True), _growth_repeated)
    fixed = _values(findings, _arm(findings, Policy.NEVER), _growth_repeated)
    shown = _shown("bytes", fixed=fixed, fresh=fresh)
    if not fixed:
        return _not_testable(claim, "claims.reason.no_arm")
    # 0.15 GB a synthesis is the least that is claimed
    grows = statistics.median(fixed) >= 0.15e9
    verdict = Verdict.CONFIRMED if grows else Verdict.NOT_CONFIRMED
    reason = "claims.reason.repeated" if fresh else "claims.reason.repeated_no_seed"
    growth = f"{statistics.median(fixed) / 2**20:+.1f} MiB"
    return Answer(claim, verdict, reason, {"growth": growth}, shown)


def _growth_repeated(trial: Trial) -> float | None:
    # the first synthesis of a text still finds buffers of its size missing
    spoken = [each for each in trial.of_part(Part.TIMED) if not each.error][1:]
    if not spoken:
        return None
    return statistics.fmean(each.after_bytes - each.before_bytes for each in spoken)


def _restart(claim: Claim, findings: Findings) -> Answer:
    """11: a cleanup takes a hundredth of a restart."""
    restarts = [trial.loaded.start_s for trial in findings.usable if trial.loaded is not None]
    cleanups = [value for trial in findings.usable if (value := Metric.CLEANUP.of(trial))]
    shown = _shown("s", cleanup=cleanups, restart=restarts)
    return _judge(claim, compare(cleanups, restarts), shown)


def _symptoms(claim: Claim, findings: Findings) -> Answer:
    """12: slow syntheses, damaged audio, batches that stop; looked for where memory is short."""
    arm = _arm(findings, Policy.NEVER, limited=True)
    trials = [] if arm is None else findings.of_arm(arm)
    spoken = [each for trial in trials for each in trial.of_part(*WORK)]
    if not spoken:
        return _not_testable(claim, "claims.reason.no_arm")
    details: dict[str, object] = {
        "slow": sum(_slow(trial) for trial in trials),
        "damaged": sum(bool(each.alarms) for each in spoken),
        "failed": sum(bool(each.error) for each in spoken),
        "count": len(spoken),
    }
    seen = any(details[name] for name in ("slow", "damaged", "failed"))
    verdict = Verdict.CONFIRMED if seen else Verdict.NOT_CONFIRMED
    return Answer(claim, verdict, "claims.reason.symptoms", details)


def _slow(trial: Trial) -> int:
    """Count the syntheses that took four times as long a character as the trial's median one."""
    paces = [each.seconds / each.characters for each in trial.of_part(*WORK) if not each.error]
    if not paces:
        return 0
    limit = SLOW_FACTOR * statistics.median(paces)
    return sum(pace > limit for pace in paces)


_UNTESTABLE: Final = {
    13: "claims.reason.advice",
}
#: The claim that only ears can answer.
_HEARD: Final = 6
_CHECKS: Final[dict[int, Callable[[Claim, Findings], Answer]]] = {
    1: _climbs,
    2: _start_cleanup,
    3: _metric(Metric.SECONDS),
    4: _metric(Metric.SUCCESS, limited=True),
    5: _metric(Metric.PEAK),
    7: _history,
    8: _rates,
    9: _voices,
    10: _repeated,
    11: _restart,
    12: _symptoms,
}
