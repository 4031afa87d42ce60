"""The texts for arms, figures, conclusions and claims on the page, in the report and in print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from glmtts_core.byte_units import MIB
from glmtts_core.catalogue import Language, text
from glmtts_core.diagnostics.experiment import Arm
from glmtts_core.diagnostics.findings import Cell, Findings
from glmtts_core.diagnostics.metrics import Metric
from glmtts_core.diagnostics.research.claims import Answer, claim_table
from glmtts_core.diagnostics.research.listening import Listening, outcome
from glmtts_core.diagnostics.statistics import ENOUGH_TRIALS, Conclusion, Summary
from glmtts_core.diagnostics.trial import WORK


def arm_name(arm: Arm, language: Language) -> str:
    """Return the arm's name: its policy, then its other settings."""
    parts = [text(f"laboratory.policy.{arm.policy.value}", language, every=arm.every)]
    parts += [text(f"laboratory.extra.{name}", language) for name in arm.extras]
    if arm.headroom_bytes is not None:
        size = quantity(arm.headroom_bytes, "bytes")
        parts.append(text("laboratory.extra.limit", language, size=size))
    return " · ".join(parts)


def quantity(value: float, unit: str) -> str:
    """Return a figure with its unit (one of `Metric.unit`, or "points") and a minus sign."""
    match unit:
        case "s":
            words = f"{value:.{3 if abs(value) < 1 else 2}f} s"
        case "bytes":
            words = f"{value / MIB:,.{0 if abs(value) >= 10 * MIB else 1}f} MiB"
        case "points":
            words = f"{value:.0f}"
        case "rating":
            words = f"{value:.2f}"
        case _:
            words = f"{value:.0%}"
    return words.replace("-", "−")


def summary_words(summary: Summary | None, unit: str) -> str:
    """Return "median (lower–upper quartile) [interval]"; a dash if nothing was measured."""
    if summary is None:
        return "–"
    number = [quantity(summary.lower_quartile, unit), quantity(summary.upper_quartile, unit)]
    words = f"{quantity(summary.median, unit)} ({_bare(number[0])}–{_bare(number[1])})"
    if summary.interval is None:
        return words
    low, high = (_bare(quantity(bound, unit)) for bound in summary.interval)
    return f"{words} [{low}, {high}]"


def conclusions(findings: Findings, cells: Sequence[Cell], language: Language) -> list[str]:
    """Return what may be concluded, one sentence each, and then what may not."""
    sentences = []
    for cell in cells:
        against = cell.against_base
        if against is None or against.conclusion not in (Conclusion.LOWER, Conclusion.HIGHER):
            continue
        assert against.interval is not None
        low, high = sorted(map(abs, against.interval))
        sentences.append(
            text(
                f"laboratory.conclusion.{against.conclusion.value}",
                language,
                metric=metric_name(cell.metric, language),
                arm=arm_name(cell.arm, language),
                difference=_difference(abs(against.difference or 0.0), cell.metric.unit, language),
                low=_difference(low, cell.metric.unit, language),
                high=_difference(high, cell.metric.unit, language),
            )
        )
    return sentences + _reservations(findings, cells, language)


def _difference(value: float, unit: str, language: Language) -> str:
    if unit == "share":
        return text("laboratory.points", language, count=f"{100 * value:.0f}")
    return quantity(value, unit)


def _reservations(findings: Findings, cells: Sequence[Cell], language: Language) -> list[str]:
    compared = [cell.against_base for cell in cells if cell.against_base is not None]
    kinds = [each.conclusion for each in compared]
    sentences = []
    if unclear := kinds.count(Conclusion.NO_DIFFERENCE_SEEN):
        sentences.append(text("laboratory.conclusion.unclear", language, count=unclear))
    if identical := kinds.count(Conclusion.IDENTICAL):
        sentences.append(text("laboratory.conclusion.identical", language, count=identical))
    if Conclusion.TOO_FEW in kinds:
        sentences.append(text("laboratory.conclusion.too_few", language, count=ENOUGH_TRIALS))
    if lost := len(findings.trials) - len(findings.usable):
        sentences.append(text("laboratory.conclusion.lost", language, count=lost))
    if disturbed := sum(trial.disturbed for trial in findings.trials):
        sentences.append(text("laboratory.conclusion.disturbed", language, count=disturbed))
    if not findings.complete:
        sentences.append(text("laboratory.conclusion.incomplete", language))
    sentences.append(text("laboratory.conclusion.here_only", language))
    return sentences


def faults(findings: Findings, language: Language) -> list[str]:
    """Return the faults of the sound that were found, one sentence an arm."""
    sentences = []
    for arm in findings.experiment.arms:
        spoken = [each for trial in findings.of_arm(arm) for each in trial.of_part(*WORK)]
        counts = Counter(alarm for each in spoken for alarm in each.alarms or ())
        if counts:
            named = ", ".join(
                f"{text(f'quality.symptom.{symptom}', language)} ×{count}"
                for symptom, count in counts.most_common()
            )
            details = {"arm": arm_name(arm, language), "faults": named, "count": len(spoken)}
            sentences.append(text("laboratory.faults", language, **details))
    return sentences


def metric_name(metric: Metric, language: Language) -> str:
    """Return the metric's name."""
    return text(f"laboratory.metric.{metric.value}", language)


def shown_words(answer: Answer, language: Language) -> list[str]:
    """Return the figures that an answer rests on, each with its label."""
    return [
        f"{text(f'claims.shown.{each.label}', language)}: {summary_words(each.summary, each.unit)}"
        for each in answer.shown
    ]


def claims_source(language: Language) -> str:
    """Return where the claims come from, in one sentence."""
    claims = claim_table()
    return text(
        "claims.source",
        language,
        hardware=claims.hardware,
        reports=claims.reports,
        made_in=claims.made_in,
    )


def listening_words(listening: Listening, findings: Findings, language: Language) -> str:
    """Return the outcome of a blind test in one sentence."""
    names = {arm.id: arm_name(arm, language) for arm in findings.experiment.arms}
    heard = outcome(listening)
    details = {
        "arm": names.get(heard.arm, heard.arm),
        "other": names.get(heard.other_arm, heard.other_arm),
        "preferred": heard.preferred,
        "other_preferred": heard.other_preferred,
        "same": heard.same,
    }
    if heard.p_value is None:
        return text("listening.outcome_same", language, **details)
    words = text("listening.outcome", language, **details, p=f"{heard.p_value:.3g}")
    judgement = "listening.differs" if heard.significant else "listening.no_difference"
    words += text(judgement, language)
    if heard.mean_rating is not None and heard.other_mean_rating is not None:
        ratings = {
            "mean": f"{heard.mean_rating:.1f}",
            "other_mean": f"{heard.other_mean_rating:.1f}",
        }
        words += text("listening.ratings", language, **ratings)
    return words


def _bare(words: str) -> str:
    return words.partition(" ")[0]
