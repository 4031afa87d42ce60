"""Manifest, report and ZIP: every line of the file in them, whatever stands in it."""

from __future__ import annotations

import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from glmtts_core.audio import decode
from glmtts_core.batch.manifest import manifest
from glmtts_core.batch.report import report
from glmtts_core.batch.report_figures import speed_figure
from glmtts_core.batch.results import write_results, zip_stream
from glmtts_core.batch.run import BatchRun
from glmtts_core.batch_files.lines import LineProblem
from glmtts_core.errors import EngineError, StorageError
from glmtts_core.message import Message
from glmtts_core.studio.studio import Studio
from tests.batch.runs import MoodyEngine, finish, lines, make_run
from tests.full_disk import full_disk

NASTY = "</script><b>&\"'\u2028"
PROBLEM = LineProblem(2, "broken\ud800", Message("batch.line.open_quote"), "{\ud800<b>")


def fail(before: int) -> None:
    raise EngineError("engine.unexpected", reason="bad mood <b>")


@pytest.fixture
def studio(settings) -> Iterator[Studio]:
    with closing(Studio(settings, MoodyEngine)) as opened:
        yield opened


@pytest.fixture
def run(studio) -> BatchRun:
    """Lines 1 done, 2 set aside, 3 failed, 4 done."""
    studio.engine.moods["three"] = fail
    one, three, four = lines("one", "three", NASTY)
    good = [
        one,
        three.changed(number=3),
        four.changed(number=4),
    ]
    made = make_run(studio, good, problems=[PROBLEM])
    finish(made)
    return made


class Page(HTMLParser):
    """Collects what a page holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def told(run: BatchRun) -> list[dict]:
    return [json.loads(line) for line in manifest(run.lines.rows(), run.lines.problems(), "en")]


def unpacked(run: BatchRun) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(zip_stream(run, "en"))))


# -- manifest ------------------------------------------------------------------------------------


def test_the_manifest_accounts_for_every_line_in_the_files_order(run):
    entries = told(run)
    assert [entry["line"] for entry in entries] == [1, 2, 3, 4]
    assert [entry["state"] for entry in entries] == ["done", "set_aside", "failed", "done"]
    assert [entry["file"] for entry in entries] == ["audio/a.wav", None, None, "audio/c.wav"]


def test_what_is_not_spoken_says_why_and_what_is_says_what_it_took(run):
    done, aside, failed, nasty = told(run)
    assert "bad mood" in failed["reason"]
    assert aside["reason"]
    assert (done["reason"], done["audio_s"], nasty["text"]) == (None, 0.3, NASTY)
    assert done["memory_peak_bytes"] >= done["memory_before_bytes"]


def test_every_line_of_the_manifest_is_one_json_object(run):
    for line in manifest(run.lines.rows(), run.lines.problems(), "zh"):
        assert line.endswith("\n")
        assert line.count("\n") == 1
        line.encode()


# -- report --------------------------------------------------------------------------------------


def test_the_report_needs_nothing_from_outside_and_plays_the_sounds(run):
    page = Page("".join(report(run, "en")))
    players = page.of("audio")
    assert len(players) == 2
    assert all(each["src"].startswith("data:audio/wav;base64,") for each in players)
    assert not page.of("link")
    assert not [each for each in page.of("script") if each.get("src")]


def test_sound_beyond_the_limit_is_linked_to_the_files(run):
    size_bytes = run.store.audio_path(lines("one")[0]).stat().st_size
    page = Page("".join(report(run, "en", embed_limit_bytes=size_bytes)))
    assert len(page.of("audio")) == 1
    assert [each["href"] for each in page.of("a")] == ["audio/c.wav"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_in_a_line_becomes_part_of_the_page(run, language):
    html = "".join(report(run, language))
    html.encode()
    drawn = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    assert not Page(drawn).of("script")
    assert len(Page(drawn).of("b")) == 8  # the figures at the top, and none of the lines'
    assert any("bad mood <b>" in word for word in Page(drawn).words)


HOSTILE = (
    "<!--<script>",
    "</script><script>x()</script>",
    "<img src=x onerror=x()>",
    '" onload="x()',
    "' onload='x()",
    "<a href='javascript:x()'>a</a>",
    "<b>b</b>",
)


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_leave_the_reports_skeleton_as_it_is(studio, words):
    def skeleton(said: str) -> list[tuple[str, list[str]]]:
        studio.engine.moods[said] = fail
        first, second = lines("one", said)
        good = [
            first.changed(uttid=said, prompt_audio=None),
            second.changed(uttid=f"{said} 2", prompt_audio=None),
        ]
        message = Message("batch.line.unknown", {"name": said, "known": said})
        problem = replace(PROBLEM, uttid=said, excerpt=said, message=message)
        run = make_run(studio, good, problems=[problem], name=said)
        finish(run)
        html = "".join(report(run, "en"))
        assert any(said in word for word in Page(html).words)
        return [(tag, sorted(attributes)) for tag, attributes in Page(html).tags]

    assert skeleton(words) == skeleton("harmless")


def test_the_report_names_what_of_a_line_was_not_heard(studio):
    (line,) = lines("one")
    run = make_run(studio, [line.changed(text="Hello 🎉 → you")])
    finish(run)
    assert "🎉 →" in Page("".join(report(run, "en"))).words


def test_the_charts_of_the_report_show_names_as_text(studio):
    (line,) = lines("one")
    run = make_run(studio, [line.changed(uttid="<b>x</b> &lt;")])
    finish(run)
    drawn = speed_figure(run.lines.rows(), "en")["data"][0]["text"]
    assert drawn == ["&lt;b&gt;x&lt;/b&gt; &amp;lt;"]


def test_the_report_draws_memory_and_speed(run):
    html = "".join(report(run, "en"))
    assert html.count("Plotly.newPlot(") >= 2
    assert '"text": ["a", "b", "c"]' in html


# -- ZIP -----------------------------------------------------------------------------------------


def test_the_zip_holds_sounds_manifest_report_and_input_in_one_folder(run):
    packed = unpacked(run)
    assert packed.testzip() is None
    names = ["audio/a.wav", "audio/c.wav", "manifest.jsonl", "report.html", "input.jsonl"]
    assert packed.namelist() == [f"{run.id}/{name}" for name in names]
    sound = decode(packed.read(f"{run.id}/audio/a.wav"), "a.wav")
    assert len(sound.samples) == 3 * 2_400


def test_a_sound_that_has_gone_is_missing_in_the_manifest_too(run):
    run.store.audio_path(lines("one")[0]).unlink()
    packed = unpacked(run)
    assert f"{run.id}/audio/a.wav" not in packed.namelist()
    first = json.loads(packed.read(f"{run.id}/manifest.jsonl").splitlines()[0])
    assert first["file"] is None


def test_a_zip_can_be_taken_while_the_run_goes_on(studio):
    run = make_run(studio, lines("one", "two"))
    studio.engine.moods["two"] = lambda before: studio.engine.gate.clear()
    run.start()
    while run.view().counts.done == 0:
        run.wait(0.01)
    assert unpacked(run).namelist()[0] == f"{run.id}/audio/a.wav"
    studio.engine.gate.set()
    assert run.wait(10)


def test_a_large_zip_costs_no_memory(studio):
    run = make_run(studio, lines(*["x" * 400] * 20))
    finish(run)
    size_bytes = sum(path.stat().st_size for path in run.store.audio_folder.iterdir())
    assert size_bytes > 30 * 2**20
    blocks = zip_stream(run, "en")
    tracemalloc.start()
    sent_bytes = 0
    while sent_bytes < size_bytes - 2**20:
        sent_bytes += len(next(blocks))
    assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    tracemalloc.stop()


# -- in the folder -------------------------------------------------------------------------------


def test_manifest_and_report_are_written_beside_the_sounds(run):
    write_results(run, "en")
    write_results(run, "en")
    assert len((run.store.folder / "manifest.jsonl").read_bytes().splitlines()) == 4
    assert (run.store.folder / "report.html").read_text(encoding="utf-8").endswith("</html>\n")


def test_a_report_with_much_sound_costs_no_more_memory_than_a_short_one(studio):
    def peak_bytes(count: int) -> int:
        run = make_run(studio, lines(*["x" * 400] * count))
        finish(run)
        tracemalloc.start()
        write_results(run, "en")
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # a sound is 1.9 MB
    assert peak_bytes(10) < peak_bytes(1) + 2**20


def test_a_disk_without_room_for_them_is_told_in_one_sentence(run):
    with full_disk(), pytest.raises(StorageError):
        write_results(run, "en")
