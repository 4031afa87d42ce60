import pytest

from glmtts_core.text.reading import read_text
from glmtts_core.text.rules import RULES

EXAMPLES = [(rule.name, text, spoken) for rule in RULES for text, spoken in rule.examples.items()]


@pytest.mark.parametrize(("name", "text", "spoken"), EXAMPLES)
def test_a_rule_reads_its_example(name, text, spoken):
    reading = read_text(text, "zh")
    assert reading.spoken == spoken
    assert name in {token.rule for token in reading.tokens}


def test_every_rule_has_a_name_of_its_own_and_an_example():
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.examples for rule in RULES)
