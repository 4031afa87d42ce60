from glmtts_core.text.reading import read_text
from glmtts_core.text.rules import RULES
from tests.many_cases import assert_none


def test_every_rule_reads_its_examples():
    read = [
        (rule, text, spoken, read_text(text, "zh"))
        for rule in RULES
        for text, spoken in rule.examples.items()
    ]
    assert_none(
        f"{rule.name}: {text!r} is spoken {reading.spoken!r}, not {spoken!r}"
        for rule, text, spoken, reading in read
        if reading.spoken != spoken
    )
    assert_none(
        f"{rule.name} takes no part in reading {text!r}"
        for rule, text, _, reading in read
        if rule.name not in {token.rule for token in reading.tokens}
    )


def test_every_rule_has_a_name_of_its_own_and_an_example():
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.examples for rule in RULES)
