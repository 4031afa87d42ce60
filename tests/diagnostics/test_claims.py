"""Claims held against findings whose answers are known."""

from __future__ import annotations

from glmtts_core.diagnostics.claim_checks import check_claims
from glmtts_core.diagnostics.claims import Verdict, claim_table
from tests.diagnostics.parts import ALWAYS, NEVER, findings, trial


def answers(never: dict, always: dict, repetitions: int = 4):
    trials = [trial(NEVER, number, **never) for number in range(1, repetitions + 1)]
    trials += [trial(ALWAYS, number, **always) for number in range(1, repetitions + 1)]
    return {answer.claim.number: answer for answer in check_claims(findings(trials))}


def test_the_table_has_all_thirteen_claims():
    assert [claim.number for claim in claim_table().claims] == list(range(1, 14))


def test_before_anything_was_measured_nothing_is_answered():
    assert {answer.verdict for answer in check_claims(None)} == {Verdict.NOT_TESTABLE}


def test_an_effect_of_the_claimed_size_is_confirmed():
    answer = answers({"seconds": 18.4}, {"seconds": 6.0})[3]
    assert answer.verdict is Verdict.CONFIRMED
    assert answer.details["measured"] == "−67%"


def test_a_smaller_effect_is_not_confirmed_and_the_reason_says_so():
    answer = answers({"seconds": 2.0}, {"seconds": 1.8})[3]
    assert answer.verdict is Verdict.NOT_CONFIRMED
    assert answer.reason == "claims.reason.smaller"


def test_an_effect_the_other_way_is_not_confirmed():
    answer = answers({"seconds": 1.0}, {"seconds": 1.5})[3]
    assert answer.reason == "claims.reason.opposite"


def test_no_effect_is_not_confirmed():
    assert answers({}, {})[5].reason == "claims.reason.no_effect"


def test_with_too_few_repetitions_nothing_is_answered():
    answer = answers({"seconds": 18.4}, {"seconds": 6.0}, repetitions=2)[3]
    assert answer.verdict is Verdict.NOT_TESTABLE
    assert answer.reason == "claims.reason.too_few"
    assert answer.shown


def test_memory_that_climbs_over_eight_texts_is_seen():
    assert answers({"grown_mib": 30}, {})[1].verdict is Verdict.CONFIRMED
    assert answers({"grown_mib": 0}, {})[1].verdict is Verdict.NOT_CONFIRMED


def test_what_needs_ears_or_an_arm_that_was_not_run_is_not_testable():
    found = answers({}, {})
    assert {found[number].verdict for number in (4, 6, 7, 8, 9, 12, 13)} == {Verdict.NOT_TESTABLE}
