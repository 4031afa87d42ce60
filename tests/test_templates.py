"""Values stay values in pages from templates, whatever they hold, and pages come in parts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jinja2 import UndefinedError, nodes

import glmtts_core
from glmtts_core.templates import environment, render
from tests.test_escaping import HOSTILE, Read

PACKAGE = Path(glmtts_core.__file__).parent
TEMPLATES = environment().list_templates(["jinja"])


def page(source: str, **values: object) -> str:
    return environment().from_string(source).render(values)


@pytest.mark.parametrize("words", HOSTILE)
def test_words_are_read_as_they_are_in_text_and_in_either_kind_of_quotes(words):
    read = Read(page("<p title=\"{{ x }}\" lang='{{ x }}'>{{ x }}</p>", x=words))
    assert read.tags == [("p", {"title": words, "lang": words})]
    assert read.words == words


@pytest.mark.parametrize("words", HOSTILE)
def test_json_in_a_script_neither_ends_nor_bends_it(words):
    made = page("<script>{{ x|tojson }}</script><p>after</p>", x={"text": [words]})
    assert [tag for tag, _ in Read(made).tags] == ["script", "p"]
    inside = made.removeprefix("<script>").partition("</script>")[0]
    assert "<" not in inside
    assert json.loads(inside) == {"text": [words]}


def test_half_a_surrogate_pair_can_be_written():
    parts = render("base.html.jinja", "a\ud800")
    assert '<html lang="a?">' in b"".join(part.encode() for part in parts).decode()


def test_a_value_that_is_missing_is_a_bug_that_shows():
    with pytest.raises(UndefinedError):
        page("{{ missing }}")
    with pytest.raises(UndefinedError):
        "".join(render("batch/report.html.jinja", "en"))


# -- the templates of the program ----------------------------------------------------------------


def test_there_are_templates():
    assert set(TEMPLATES) >= {"base.html.jinja", "batch/report.html.jinja"}


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_shows_a_value_unescaped(name):
    tree = environment().parse((PACKAGE / name).read_text(encoding="utf-8"))
    filters = {node.name for node in tree.find_all(nodes.Filter)}
    # what each of these returns is escaped or, as JSON, harmless inside of a <script>
    assert filters <= {"tojson", "join", "urlencode"}
    assert not list(tree.find_all(nodes.ScopedEvalContextModifier)), "autoescape is switched"


def test_only_plotly_itself_is_marked_as_safe():
    places = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "markupsafe" in path.read_text(encoding="utf-8")
    }
    assert places == {"templates.py"}
    assert (PACKAGE / "templates.py").read_text(encoding="utf-8").count("Markup(") == 1
