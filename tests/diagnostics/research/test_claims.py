"""Claims held against findings whose answers are known."""

from __future__ import annotations

import pytest

from glmtts_core.catalogue import text
from glmtts_core.diagnostics.experiment import Arm, Policy
from glmtts_core.diagnostics.research.claim_checks import check_claims
from glmtts_core.diagnostics.research.claims import ClaimVerdict, claim_table
from glmtts_core.diagnostics.research.listening import Judgement, Listening, Preference
from glmtts_core.diagnostics.trial import TrialPart
from tests.diagnostics.known_findings import ALWAYS, NEVER, findings, spoken, trial

LIMITED = Arm(policy=Policy.ALWAYS, headroom_bytes=2**28)
NEVER_VOICES = Arm(policy=Policy.NEVER, switch_voices=True)
ALWAYS_VOICES = Arm(policy=Policy.ALWAYS, switch_voices=True)


def answers(never: dict, always: dict, repetitions: int = 4):
    trials = [trial(NEVER, number, **never) for number in range(1, repetitions + 1)]
    trials += [trial(ALWAYS, number, **always) for number in range(1, repetitions + 1)]
    return {answer.claim.number: answer for answer in check_claims(findings(trials))}


def test_the_table_has_all_thirteen_claims():
    assert [claim.number for claim in claim_table().claims] == list(range(1, 14))


def test_before_anything_was_measured_nothing_is_answered():
    assert {answer.verdict for answer in check_claims(None)} == {ClaimVerdict.NOT_TESTABLE}


def test_an_effect_of_the_claimed_size_is_confirmed():
    answer = answers({"seconds": 18.4}, {"seconds": 6.0})[3]
    assert answer.verdict is ClaimVerdict.CONFIRMED
    assert answer.reason.details["measured"] == "−67%"


def test_a_smaller_effect_is_not_confirmed_and_the_reason_says_so():
    answer = answers({"seconds": 2.0}, {"seconds": 1.8})[3]
    assert answer.verdict is ClaimVerdict.NOT_CONFIRMED
    assert answer.reason.key == "claims.reason.smaller"


def test_an_effect_the_other_way_is_not_confirmed():
    answer = answers({"seconds": 1.0}, {"seconds": 1.5})[3]
    assert answer.reason.key == "claims.reason.opposite"


def test_no_effect_is_not_confirmed():
    assert answers({}, {})[5].reason.key == "claims.reason.no_effect"


def test_with_too_few_repetitions_nothing_is_answered():
    answer = answers({"seconds": 18.4}, {"seconds": 6.0}, repetitions=2)[3]
    assert answer.verdict is ClaimVerdict.NOT_TESTABLE
    assert answer.reason.key == "claims.reason.too_few"
    assert answer.shown


def test_memory_that_climbs_over_eight_texts_is_seen():
    assert answers({"grown_mib": 30}, {})[1].verdict is ClaimVerdict.CONFIRMED
    assert answers({"grown_mib": 0}, {})[1].verdict is ClaimVerdict.NOT_CONFIRMED


def test_what_needs_ears_or_an_arm_that_was_not_run_is_not_testable():
    found = answers({}, {})
    assert {found[number].verdict for number in (4, 6, 7, 8, 9, 12, 13)} == {
        ClaimVerdict.NOT_TESTABLE
    }


# -- ears ----------------------------------------------------------------------------------------


def listened(*preferred: str | None, arm: Arm = NEVER, other: Arm = ALWAYS, rating=None):
    """A finished blind test in which ``preferred`` were the arms liked better."""
    names = {arm.id: Preference.FIRST, other.id: Preference.SECOND, None: Preference.SAME}
    judgements = [
        Judgement(
            text="",
            first_arm=arm.id,
            second_arm=other.id,
            preference=names[each],
            first_rating=None if rating is None else rating[0],
            second_rating=None if rating is None else rating[1],
        )
        for each in preferred
    ]
    return Listening(arm=arm.id, other_arm=other.id, judgements=tuple(judgements))


def heard(listening: Listening | None):
    trials = [trial(arm, number) for arm in (NEVER, ALWAYS) for number in range(1, 5)]
    return check_claims(findings(trials), listening)[5]


@pytest.mark.parametrize(
    ("preferred", "verdict"),
    [
        ([ALWAYS.id] * 8, ClaimVerdict.CONFIRMED),
        ([NEVER.id] * 8, ClaimVerdict.NOT_CONFIRMED),
        ([ALWAYS.id] * 4 + [NEVER.id] * 4, ClaimVerdict.NOT_CONFIRMED),
        ([None] * 8, ClaimVerdict.NOT_CONFIRMED),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_ears_confirm_what_they_prefer_beyond_chance(preferred, verdict, turned):
    arms = {"arm": ALWAYS, "other": NEVER} if turned else {}
    answer = heard(listened(*preferred, **arms))
    assert answer.verdict is verdict
    assert answer.reason.details["cleaned"] == preferred.count(ALWAYS.id)
    assert answer.reason.details["uncleaned"] == preferred.count(NEVER.id)


def test_ratings_are_shown_out_of_a_hundred():
    answer = heard(listened(*[ALWAYS.id] * 8, rating=(2, 5)))
    assert {each.label: each.summary.median for each in answer.shown} == {
        "never": 25.0,
        "always": 100.0,
    }
    assert all(text(f"claims.shown.{each.label}", "en") for each in answer.shown)


@pytest.mark.parametrize(
    ("listening", "reason"),
    [
        (None, "claims.reason.needs_listeners"),
        (listened(*[ALWAYS.id] * 5, *[None] * 3), "claims.reason.few_pairs"),
        (listened(*[LIMITED.id] * 8, other=LIMITED), "claims.reason.other_listening"),
    ],
)
def test_without_a_fitting_blind_test_ears_say_nothing(listening, reason):
    answer = heard(listening)
    assert (answer.verdict, answer.reason.key) == (ClaimVerdict.NOT_TESTABLE, reason)


# -- voices --------------------------------------------------------------------------------------


def switched(drifted: int, drifted_with_cleanups: int, trials: int = 5):
    """Findings in which two voices took turns and the pitch drifted in so many trials."""
    found = []
    for arm, count in ((NEVER_VOICES, drifted), (ALWAYS_VOICES, drifted_with_cleanups)):
        for number in range(trials):
            # the first of each voice is what the others are held against
            last = ("pitch_drift",) if number < count else ()
            timed = [
                spoken(TrialPart.TIMED, index, voice=voice, alarms=alarms)
                for index, (voice, alarms) in enumerate(
                    zip("abab", [(), (), (), last], strict=True)
                )
            ]
            plain = trial(arm, number + 1)
            found.append(plain.model_copy(update={"spoken": tuple(timed)}))
    return check_claims(findings(found, NEVER, ALWAYS, NEVER_VOICES, ALWAYS_VOICES))[8]


def test_drift_that_goes_with_cleanups_is_confirmed():
    answer = switched(5, 0)
    assert answer.verdict is ClaimVerdict.CONFIRMED
    assert (answer.reason.details["drifted"], answer.reason.details["count"]) == (5, 5)
    assert answer.reason.details["cleaned"] == 0


@pytest.mark.parametrize("drifts", [(0, 0), (5, 5), (0, 5), (1, 0)])
def test_drift_that_chance_explains_or_that_cleanups_do_not_cure_is_not_confirmed(drifts):
    assert switched(*drifts).verdict is ClaimVerdict.NOT_CONFIRMED


def test_of_too_few_trials_nothing_is_said_of_drift():
    answer = switched(3, 0, trials=3)
    assert (answer.verdict, answer.reason.key) == (
        ClaimVerdict.NOT_TESTABLE,
        "claims.reason.too_few",
    )


def test_without_switched_voices_nothing_is_said_of_drift():
    answer = answers({}, {})[9]
    assert (answer.verdict, answer.reason.key) == (
        ClaimVerdict.NOT_TESTABLE,
        "claims.reason.needs_voices",
    )
