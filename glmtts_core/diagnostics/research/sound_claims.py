"""Checks the claims about what is heard: what listeners prefer, and drifting pitch."""

from __future__ import annotations

from typing import Final

from glmtts_core.diagnostics.experiment import Arm, Policy
from glmtts_core.diagnostics.findings import Findings
from glmtts_core.diagnostics.research.claim_answers import (
    answered,
    arm_of,
    not_testable,
    shown,
)
from glmtts_core.diagnostics.research.claims import Answer, Claim, ClaimFigure
from glmtts_core.diagnostics.research.listening import Listening, Outcome, outcome
from glmtts_core.diagnostics.statistics import ENOUGH_TRIALS, SIGNIFICANT
from glmtts_core.diagnostics.symptoms import Symptom
from glmtts_core.diagnostics.trial import TrialPart
from glmtts_core.message import Message

#: With fewer pairs that differ the sign test cannot become significant: 2 / 2**6 < 0.05.
_ENOUGH_PAIRS: Final = 6


def listened(claim: Claim, findings: Findings, listening: Listening | None) -> Answer:
    """6: listeners who do not know which is which prefer what was spoken between cleanups."""
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
    # hearing no difference in any pair is an answer too
    if (cleaned + uncleaned or heard.same) < _ENOUGH_PAIRS:
        return not_testable(claim, "claims.reason.few_pairs", count=_ENOUGH_PAIRS)
    reason = Message("claims.reason.listened", details)
    points = _points(heard, mine=mine)
    return answered(claim, reason, points, confirmed=heard.significant and cleaned > uncleaned)


def _points(heard: Outcome, *, mine: bool) -> tuple[ClaimFigure, ...]:
    """Return the mean ratings, out of 100 as in the claim; empty if nothing was rated."""
    ratings = [heard.mean_rating, heard.other_mean_rating]
    always, never = ratings if mine else reversed(ratings)
    if always is None or never is None:
        return ()
    return shown("points", never=[25.0 * (never - 1.0)], always=[25.0 * (always - 1.0)])


def voices(claim: Claim, findings: Findings) -> Answer:
    """9: after another voice, without a cleanup, the pitch of the same text drifts."""
    (drifted, count), (with_cleanup, count_cleaned) = (
        _drifts(findings, arm_of(findings, policy, switch_voices=True))
        for policy in (Policy.NEVER, Policy.ALWAYS)
    )
    if not count or not count_cleaned:
        return not_testable(claim, "claims.reason.needs_voices")
    if min(count, count_cleaned) < ENOUGH_TRIALS:
        return not_testable(claim, "claims.reason.too_few", count=ENOUGH_TRIALS)
    from scipy import stats  # heavy: only who tests a claim pays for it

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
    reason = Message("claims.reason.voices", details)
    return answered(claim, reason, confirmed=p_value < SIGNIFICANT)


def _drifts(findings: Findings, arm: Arm | None) -> tuple[int, int]:
    """Return in how many trials a text drifted from its first synthesis, and of how many.

    A trial counts once: its syntheses with the same seed are alike.
    """
    drifted = count = 0
    for trial in findings.of_arm(arm):
        heard: set[str] = set()
        compared: list[bool] = []
        for spoken in trial.of_part(TrialPart.TIMED):
            if spoken.alarms is None:
                continue
            if spoken.voice in heard:
                compared.append(Symptom.PITCH_DRIFT in spoken.alarms)
            heard.add(spoken.voice)
        count += bool(compared)
        drifted += any(compared)
    return drifted, count
