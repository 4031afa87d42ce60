"""Each public claim about memory held against what this machine has shown.

A claim is confirmed when the effect is there (its interval excludes none) and reaches the claimed
size; an effect in the claimed direction that is smaller is not confirmed, and the reason says so.
Of what ears prefer (6) and of drifting pitch (9) only the presence is tested.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Final

from scipy import stats

from glmtts_core.diagnostics.experiment import Arm, Policy
from glmtts_core.diagnostics.findings import Findings
from glmtts_core.diagnostics.research.claim_answers import (
    arm_of,
    judge,
    never_and_always,
    not_testable,
    shown,
)
from glmtts_core.diagnostics.research.claims import Answer, Claim, Shown, Verdict, claim_table
from glmtts_core.diagnostics.research.listening import Listening, Outcome, outcome
from glmtts_core.diagnostics.statistics import ENOUGH_TRIALS, compare
from glmtts_core.diagnostics.symptoms import Symptom
from glmtts_core.diagnostics.trial import WORK, Metric, Part, Trial
from glmtts_core.message import Message

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
        return not_testable(claim, _UNTESTABLE[claim.number])
    if findings is None:
        return not_testable(claim, "claims.reason.not_run")
    if claim.number == _HEARD:
        return _listened(claim, findings, listening)
    return _CHECKS[claim.number](claim, findings)


# -- one check a claim -------------------------------------------------------------------------


def _climbs(claim: Claim, findings: Findings) -> Answer:
    """1: memory climbs over eight short syntheses when nothing is cleaned."""
    arm = arm_of(findings, Policy.NEVER)
    before = findings.figures(arm, lambda trial: _edge(trial, 0, "before_bytes"))
    after = findings.figures(arm, lambda trial: _edge(trial, -1, "after_bytes"))
    return judge(claim, compare(after, before), shown("bytes", before=before, after=after))


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
    return judge(claim, compare(after, before), shown("bytes", before=before, after=after))


def _metric(metric: Metric, *, limited: bool = False) -> Callable[[Claim, Findings], Answer]:
    """3, 4, 5: a figure with cleaning after every synthesis against the same without."""

    def check(claim: Claim, findings: Findings) -> Answer:
        never, always = never_and_always(findings, metric, limited=limited)
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
    spoken = [each for each in trial.of_part(*WORK) if not each.error]
    if not spoken:
        return None
    return statistics.fmean(each.after_bytes - each.before_bytes for each in spoken)


def _rates(claim: Claim, findings: Findings) -> Answer:
    """8: switching between sample rates without cleaning fails."""
    arm = arm_of(findings, Policy.NEVER, switch_rates=True)
    if arm is None:
        return not_testable(claim, "claims.reason.one_rate")
    spoken = [each for trial in findings.of_arm(arm) for each in trial.of_part(*WORK)]
    if not spoken:
        return not_testable(claim, "claims.reason.no_arm")
    failed = sum(bool(each.error) for each in spoken)
    share = failed / len(spoken)
    reason = Message("claims.reason.switches", {"failed": failed, "count": len(spoken)})
    reached = share >= (claim.share or 0.0)
    verdict = Verdict.CONFIRMED if reached else Verdict.NOT_CONFIRMED
    return Answer(claim, verdict, reason)


def _listened(claim: Claim, findings: Findings, listening: Listening | None) -> Answer:
    """6: who does not know which is which prefers what was spoken between cleanups."""
    if listening is None:
        return not_testable(claim, "claims.reason.needs_listeners")
    never, always = arm_of(findings, Policy.NEVER), arm_of(findings, Policy.ALWAYS)
    arms = {arm.id for arm in (never, always) if arm is not None}
    if len(arms) < 2 or {listening.arm, listening.other_arm} != arms or always is None:
        return not_testable(claim, "claims.reason.other_listening")
    heard = outcome(listening)
    mine = heard.arm == always.id
    cleaned, uncleaned = heard.preferred, heard.other_preferred
    if not mine:
        cleaned, uncleaned = uncleaned, cleaned
    details = {
        "cleaned": cleaned,
        "uncleaned": uncleaned,
        "same": heard.same,
        "p": "1" if heard.p_value is None else f"{heard.p_value:.3g}",
    }
    # who hears no difference anywhere has answered too
    if (cleaned + uncleaned or heard.same) < _ENOUGH_PAIRS:
        return not_testable(claim, "claims.reason.few_pairs", count=_ENOUGH_PAIRS)
    clear = heard.p_value is not None and heard.p_value < SIGNIFICANT
    verdict = Verdict.CONFIRMED if clear and cleaned > uncleaned else Verdict.NOT_CONFIRMED
    reason = Message("claims.reason.listened", details)
    return Answer(claim, verdict, reason, _points(heard, mine=mine))


def _points(heard: Outcome, *, mine: bool) -> tuple[Shown, ...]:
    """Return the mean ratings as the claim has them, out of 100; empty where nothing was rated."""
    ratings = [heard.mean_rating, heard.other_mean_rating]
    always, never = ratings if mine else reversed(ratings)
    if always is None or never is None:
        return ()
    return shown("points", never=[25.0 * (never - 1.0)], always=[25.0 * (always - 1.0)])


def _voices(claim: Claim, findings: Findings) -> Answer:
    """9: after another voice, without a cleanup, the pitch of the same text drifts."""
    (drifted, count), (with_cleanup, count_cleaned) = (
        _drifts(findings, arm_of(findings, policy, switch_voices=True))
        for policy in (Policy.NEVER, Policy.ALWAYS)
    )
    if not count or not count_cleaned:
        return not_testable(claim, "claims.reason.needs_voices")
    if min(count, count_cleaned) < ENOUGH_TRIALS:
        return not_testable(claim, "claims.reason.too_few", count=ENOUGH_TRIALS)
    table = [
        [drifted, count - drifted],
        [with_cleanup, count_cleaned - with_cleanup],
    ]
    p_value = float(stats.fisher_exact(table, alternative="greater").pvalue)
    details = {
        "drifted": drifted,
        "count": count,
        "cleaned": with_cleanup,
        "count_cleaned": count_cleaned,
        "p": f"{p_value:.3g}",
    }
    verdict = Verdict.CONFIRMED if p_value < SIGNIFICANT else Verdict.NOT_CONFIRMED
    return Answer(claim, verdict, Message("claims.reason.voices", details))


def _drifts(findings: Findings, arm: Arm | None) -> tuple[int, int]:
    """Return in how many trials a text drifted from its first synthesis, and of how many.

    Within a trial one synthesis says little beyond another: with the same seed they are alike.
    """
    drifted = count = 0
    for trial in findings.of_arm(arm):
        heard: set[str] = set()
        compared: list[bool] = []
        for spoken in trial.of_part(Part.TIMED):
            if spoken.alarms is None:
                continue
            if spoken.voice in heard:
                compared.append(Symptom.PITCH_DRIFT in spoken.alarms)
            heard.add(spoken.voice)
        count += bool(compared)
        drifted += any(compared)
    return drifted, count


def _repeated(claim: Claim, findings: Findings) -> Answer:
    """10: a sentence said again and again grows memory each time, seed or no seed."""
    fresh = findings.figures(arm_of(findings, Policy.NEVER, fresh_seeds=True), _growth_repeated)
    fixed = findings.figures(arm_of(findings, Policy.NEVER), _growth_repeated)
    figures = shown("bytes", fixed=fixed, fresh=fresh)
    if not fixed:
        return not_testable(claim, "claims.reason.no_arm")
    # 0.15 GB a synthesis is the least that is claimed
    grows = statistics.median(fixed) >= 0.15e9
    verdict = Verdict.CONFIRMED if grows else Verdict.NOT_CONFIRMED
    key = "claims.reason.repeated" if fresh else "claims.reason.repeated_no_seed"
    growth = f"{statistics.median(fixed) / 2**20:+.1f} MiB"
    return Answer(claim, verdict, Message(key, {"growth": growth}), figures)


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
    figures = shown("s", cleanup=cleanups, restart=restarts)
    return judge(claim, compare(cleanups, restarts), figures)


def _symptoms(claim: Claim, findings: Findings) -> Answer:
    """12: slow syntheses, damaged audio, batches that stop; looked for where memory is short."""
    arm = arm_of(findings, Policy.NEVER, limited=True)
    trials = findings.of_arm(arm)
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
    verdict = Verdict.CONFIRMED if seen else Verdict.NOT_CONFIRMED
    return Answer(claim, verdict, Message("claims.reason.symptoms", details))


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
