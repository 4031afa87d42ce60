"""The report in its three forms, and what it concludes."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from html.parser import HTMLParser

import pytest

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.diagnostics.findings import base_of, table
from glmtts_core.diagnostics.labels import conclusions, faults
from glmtts_core.diagnostics.metrics import Metric
from glmtts_core.diagnostics.report import to_csv, to_html, to_json
from glmtts_core.diagnostics.statistics import Conclusion
from tests.diagnostics.known_findings import ALWAYS, MIB, NEVER, findings, trial


@pytest.fixture
def found():
    trials = [trial(NEVER, number, seconds=3.0, failed_lines=4) for number in range(1, 5)]
    trials += [trial(ALWAYS, number, peak_mib=400) for number in range(1, 5)]
    return findings(trials)


def cell(found, arm, metric):
    return next(each for each in table(found) if (each.arm, each.metric) == (arm, metric))


def test_the_table_holds_every_metric_of_every_arm(found):
    assert cell(found, NEVER, Metric.SECONDS).summary.median == 3.0
    assert cell(found, NEVER, Metric.SUCCESS).summary.median == pytest.approx(0.6)
    assert cell(found, ALWAYS, Metric.NEXT).summary.median == pytest.approx(0.25)
    assert cell(found, NEVER, Metric.GROWTH).summary.median == 80 * MIB
    assert cell(found, ALWAYS, Metric.PEAK).against_base.conclusion is Conclusion.LOWER


def test_an_arm_is_held_against_the_one_of_the_same_setting(found):
    tight, tight_always = (
        each.model_copy(update={"headroom_bytes": 2**28}) for each in (NEVER, ALWAYS)
    )
    arms = (NEVER, ALWAYS, tight, tight_always)
    assert [base_of(arm, arms) for arm in arms] == [None, NEVER, NEVER, tight]


def test_the_csv_has_one_row_a_synthesis(found):
    rows = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert len(rows) == sum(len(each.spoken) for each in found.trials)
    assert {row["arm"] for row in rows} == {NEVER.id, ALWAYS.id}


def test_the_json_holds_the_table_and_the_trials(found):
    read = json.loads(to_json(found))
    assert len(read["trials"]) == 8
    assert {each["metric"] for each in read["table"]} == {metric.value for metric in Metric}


def test_the_html_comes_in_parts(found):
    assert len(next(iter(to_html(found, "en")))) < len("".join(to_html(found, "en")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_html_needs_no_network(found, language):
    page = "".join(to_html(found, language))
    own = page[page.index("<body>") :]
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:""", own)
    assert "<script src" not in page
    assert own.count("Plotly.newPlot") == 1 + len(Metric)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_may_be_concluded_is_said_and_what_not_as_well(found, language):
    sentences = conclusions(found, table(found), language)
    assert len(sentences) >= 3
    few = findings([trial(NEVER, 1), trial(ALWAYS, 1)], complete=False)
    assert len(conclusions(few, table(few), language)) == 3


def test_the_claims_figures_stand_in_every_report(found):
    read = json.loads(to_json(found))
    third = read["claims"][2]
    assert (third["number"], third["shown"]["never"]["median"]) == (3, 3.0)
    assert "never cleaning: 3.00 s" in "".join(to_html(found, "en"))


def test_faults_of_the_sound_are_counted_by_kind_and_arm(found):
    assert faults(found, "en") == []
    first = found.trials[0]
    alarms = [("dropout", "clipping"), ("dropout",)]
    spoken = [
        each.model_copy(update={"alarms": alarms[index] if index < 2 else ()})
        for index, each in enumerate(first.spoken)
    ]
    faulty = first.model_copy(update={"spoken": tuple(spoken)})
    damaged = found.model_copy(update={"trials": (faulty, *found.trials[1:])})
    (sentence,) = faults(damaged, "en")
    assert "dropouts ×2, clipping ×1" in sentence
    assert "no cleanup" in sentence.lower() or "never" in sentence.lower()
    assert sentence in html.unescape("".join(to_html(damaged, "en")))


class Tags(HTMLParser):
    """The elements of a page with the names of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, sorted(name for name, _ in attrs)))


@pytest.mark.parametrize(
    "words",
    ["<!--<script>", "</script><script>x()</script>", "<img src=x onerror=x()>", "\" onload='x()"],
)
def test_hostile_words_leave_the_pages_skeleton_as_it_is(found, words):
    def skeleton(said: str) -> list[tuple[str, list[str]]]:
        named = found.model_copy(
            update={
                "machine": {said: said},
                "experiment": found.experiment.model_copy(update={"engine": said}),
            }
        )
        return Tags("".join(to_html(named, "en"))).found

    assert skeleton(words) == skeleton("harmless")
