"""What the checks of claims share: finding arms and figures, and judging an effect."""

from __future__ import annotations

from collections.abc import Sequence

from glmtts_core.diagnostics.experiment import Arm, Policy
from glmtts_core.diagnostics.findings import Findings
from glmtts_core.diagnostics.research.claims import Answer, Claim, ClaimFigure, ClaimVerdict
from glmtts_core.diagnostics.statistics import (
    ENOUGH_TRIALS,
    Comparison,
    Conclusion,
    summarise,
)
from glmtts_core.message import Message


def not_testable(claim: Claim, key: str, **details: object) -> Answer:
    """Return the answer that the claim cannot be tested, and why."""
    return Answer(claim, ClaimVerdict.NOT_TESTABLE, Message(key, details))


def answered(
    claim: Claim, reason: Message, figures: tuple[ClaimFigure, ...] = (), *, confirmed: bool
) -> Answer:
    """Return the answer that the claim is confirmed or not, and why."""
    verdict = ClaimVerdict.CONFIRMED if confirmed else ClaimVerdict.NOT_CONFIRMED
    return Answer(claim, verdict, reason, figures)


def arm_of(
    findings: Findings, policy: Policy, *, limited: bool = False, **wanted: bool
) -> Arm | None:
    """Return the arm of this policy with the wanted settings and no others."""
    setting = Arm(policy=Policy.NEVER, **wanted)
    for arm in findings.experiment.arms:
        unlimited = arm.setting.model_copy(update={"headroom_bytes": None})
        like = unlimited == setting and (arm.headroom_bytes is not None) == limited
        if arm.policy is policy and like:
            return arm
    return None


def shown(unit: str, **values: Sequence[float]) -> tuple[ClaimFigure, ...]:
    """Return the figures that an answer rests on, by their labels."""
    summaries = {label: summarise(each) for label, each in values.items()}
    return tuple(
        ClaimFigure(label, each, unit) for label, each in summaries.items() if each is not None
    )


def judge(claim: Claim, comparison: Comparison, figures: tuple[ClaimFigure, ...]) -> Answer:
    """Judge an effect by its interval: whether it exists and reaches the claimed share."""
    match comparison.conclusion:
        case Conclusion.NOT_MEASURED:
            return not_testable(claim, "claims.reason.no_arm")
        case Conclusion.TOO_FEW:
            few = Message("claims.reason.too_few", {"count": ENOUGH_TRIALS})
            return Answer(claim, ClaimVerdict.NOT_TESTABLE, few, figures)
    claimed, measured = claim.share or 0.0, comparison.relative or 0.0
    confirmed = False
    if comparison.conclusion in (Conclusion.NO_DIFFERENCE_SEEN, Conclusion.IDENTICAL):
        key = "claims.reason.no_effect"
    elif (measured > 0) != (claimed > 0):
        key = "claims.reason.opposite"
    elif _reaches(comparison, claimed):
        confirmed, key = True, "claims.reason.confirmed"
    else:
        key = "claims.reason.smaller"
    reason = Message(key, {"claimed": _percent(claimed), "measured": _percent(measured)})
    return answered(claim, reason, figures, confirmed=confirmed)


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
