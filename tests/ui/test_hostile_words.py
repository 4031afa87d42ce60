"""Whatever uploads, lines, texts, runs and errors are called, no page lets it take effect."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from glmtts_core.batch.registry import batches_of
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.diagnostics.findings import save
from tests.diagnostics.known_findings import ALWAYS, NEVER, findings, trial
from tests.speaking import voice_wav
from tests.ui.batch.test_sections import Guest
from tests.ui.visitor import BATCH, DIAGNOSTICS, OVERVIEW, SYNTHESIS, Visitor, shown

Visit = Callable[..., Visitor]
#: Each would take effect; none is longer than what the pages show of a name.
HOSTILE = (
    "![x](http://127.0.0.1:9/p.png)",
    "<img src=x onerror=x()>",
    "[a](javascript:x())",
    ":red[x] :material/mic: :smile:",
    "$x^2$ ~~s~~",
    "www.example.com http://x.org",
    "**b** `c` | d",
    "<script>x()</script>",
)
_TYPED = ("text_area", "text_input", "code", "arrow_data_frame", "selectbox", "file_uploader")

hostile = pytest.mark.parametrize("words", HOSTILE)


def rendered(visitor: Visitor) -> list[tuple[str, str]]:
    """Return what the page gives to Markdown and to HTML, with the kind of element."""
    found = []
    for node in [*visitor.app.main, *visitor.app.sidebar]:
        for name in ("value", "label", "text", "help"):
            said = getattr(node, name, None)
            if name in ("value", "text") and node.type in _TYPED:
                continue
            if isinstance(said, str):
                found.append((node.type, said))
    return found


def assert_harmless(visitor: Visitor, words: str) -> list[str]:
    """Fail where ``words`` would take effect; return where they are shown."""
    places = rendered(visitor)
    assert [place for place in places if words in place[1]] == []
    return [kind for kind, said in places if words in shown(said)]


@hostile
def test_an_uploaded_sound(visit: Visit, words):
    visitor = visit(SYNTHESIS).upload(b"no sound", f"{words}.wav")
    assert assert_harmless(visitor, words) == ["error"]
    visitor.upload(voice_wav(), f"{words}.wav")
    assert assert_harmless(visitor, words) == ["markdown"]


@hostile
def test_a_text_and_its_result(visit: Visit, words):
    # a tag alone has nothing to be heard
    visitor = visit(SYNTHESIS).speak(f"so {words}")
    assert set(assert_harmless(visitor, words)) == {"markdown"}
    assert_harmless(visitor.go(OVERVIEW), words)


@hostile
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reason_of_a_failed_synthesis(visit: Visit, studio, language, words):
    def fault() -> Exception:
        return RuntimeError(words)

    studio.engine.fail_with = fault
    visitor = visit(SYNTHESIS, language).speak()
    assert assert_harmless(visitor, words) == ["error"]


@hostile
def test_a_batch_file_its_lines_and_its_run(visit: Visit, studio, words):
    said = f"so {words}"
    lines = [{"uttid": words, "text": said}, {"uttid": words, "text": "b"}, {"text": 3, words: 1}]
    guest = Guest(BATCH).give("\n".join(map(json.dumps, lines)).encode(), f"{words}.jsonl")
    assert set(assert_harmless(guest, words)) <= {"markdown", "caption"}

    def fault() -> Exception:
        return RuntimeError(words)

    studio.engine.fail_with = fault
    guest.begin().finish()
    guest.app.session_state["batch_chosen_row"] = (guest.batch_run.id, 0)
    assert "error" in assert_harmless(guest.run(), words)
    assert "markdown" in assert_harmless(guest.click("batch_amend").checked(), words)
    guest.click("batch_amend_stop")
    assert "markdown" in assert_harmless(guest, words)
    assert len(batches_of(studio).summaries()) == 1


@hostile
def test_an_address_that_names_a_run(visit: Visit, words):
    visitor = visit(BATCH, query={"run": words})
    assert assert_harmless(visitor, words) == ["error"]


@hostile
def test_a_failed_experiment(visit: Visit, settings, words):
    trials = [trial(NEVER, 1), trial(ALWAYS, 1).model_copy(update={"failure": words})]
    found = findings(trials)
    named = found.experiment.model_copy(update={"engine": words})
    folder = settings.output_dir / "laboratory" / "20260102-030405-000000"
    save(found.model_copy(update={"experiment": named}), folder)
    places = assert_harmless(visit(DIAGNOSTICS), words)
    assert {"warning", "subheader"} <= set(places)
