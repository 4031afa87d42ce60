"""One browser tab with the studio in it, in the words of a user: type, start, listen, clean up.

Finds things by what they are called on the page, through the catalogue, so that one test serves
both languages.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from glmtts_core.catalogue import Language, text

#: Milliseconds in which the page must react; generous, for a machine that is busy otherwise.
REACT_MS: Final = 20_000
#: Milliseconds for a synthesis of one or two sentences, with the loading of the model before it.
SPEAK_MS: Final = 150_000
#: Streamlit looks for its endpoints under the page's own path first, and for a sample's download
#: when its button may have just left the page; that is no fault of ours.
_PROBES: Final = re.compile(
    r"/(synthesis|batch|diagnostics)/_stcore/(health|host-config)\)$"
    r"|/media/[0-9a-f]+\.txt\)$|^Client Error: Download Button source error"
)
_UNITS: Final = {"MiB": 1.0, "GiB": 1024.0}
_SIDEBAR_CHART: Final = ".st-key-sidebar_memory .js-plotly-plot"
#: The drawn data of a Plotly chart, as text.
_CHART_DATA: Final = """selector => {
  const chart = document.querySelector(selector);
  return chart && chart.data
    ? JSON.stringify(chart.data.map(({name, x, y, text}) => ({name, x, y, text}))) : null;
}"""
_CHART_CHANGED_DURING_JOB: Final = f"""([selector, before]) => {{
  const now = ({_CHART_DATA})(selector);
  return document.querySelector('[data-testid="stProgress"]') && now !== before ? now : null;
}}"""
#: Whatever reaches beyond the right edge and is not inside of something that scrolls by itself.
_OVERFLOWING: Final = """() => {
  const scrolls = element => {
    for (let each = element.parentElement; each; each = each.parentElement) {
      if (each.dataset.testid === "stMain") return false;
      if (["auto", "scroll", "hidden"].includes(getComputedStyle(each).overflowX)) return true;
    }
    return false;
  };
  const main = document.querySelector('[data-testid="stMain"]');
  const wide = [...main.querySelectorAll("*")].filter(element => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.right > innerWidth + 1 && !scrolls(element);
  });
  const pages = [document.scrollingElement, main].filter(e => e.scrollWidth > e.clientWidth);
  return [...pages, ...wide].map(element => element.outerHTML.slice(0, 200));
}"""


@dataclass(frozen=True, slots=True)
class ReferenceFile:
    """A file for the uploader."""

    name: str
    data: bytes


#: Waits for what moves on the page and comes to an end by itself, unlike a spinner.
_ANIMATIONS_END: Final = """() => Promise.allSettled(
    document.getAnimations()
        .filter(each => each.effect.getComputedTiming().endTime < Infinity)
        .map(each => each.finished)
)"""


class Tab:
    """A tab; ``errors`` collects what the browser's console complains about."""

    def __init__(self, page: Page, url: str, language: Language) -> None:
        self.page = page
        self.language = language
        self.errors: list[str] = []
        self._url = url
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.errors.append(f"exception: {error}"))

    def say(self, key: str, /, **details: object) -> str:
        """Return a sentence of the catalogue in this tab's language."""
        return text(key, self.language, **details)

    # -- moving about --------------------------------------------------------------------------

    def open(self, path: str = "/") -> Tab:
        """Go to an address of the app and wait for the page."""
        self.page.goto(self._url + path)
        self.wait_for_page()
        return self

    def reload(self) -> None:
        """Press F5."""
        self.page.reload()
        self.wait_for_page()

    def go_to(self, title_key: str) -> None:
        """Follow the sidebar's link to a page."""
        self.sidebar.get_by_role("link", name=self.say(title_key)).click()
        expect(self.title).to_have_text(self.say(title_key))

    def switch_language(self, language: Language) -> None:
        """Press 中 or EN."""
        name = {"zh": "中", "en": "EN"}[language]
        self.sidebar.get_by_role("radio", name=name).click()
        self.language = language

    @property
    def title(self) -> Locator:
        """The page's heading."""
        return self.page.get_by_role("heading", level=2)

    @property
    def sidebar(self) -> Locator:
        """The sidebar."""
        return self.page.get_by_test_id("stSidebar")

    @property
    def session_id(self) -> str:
        """The session's id, as the address has it."""
        return parse_qs(urlsplit(self.page.url).query)["s"][0]

    # -- the form ------------------------------------------------------------------------------

    @property
    def text_field(self) -> Locator:
        """What is to be spoken."""
        return self.page.get_by_role("textbox", name=self.say("form.text"), exact=True)

    @property
    def transcript_field(self) -> Locator:
        """What the reference recording says."""
        return self.page.get_by_role("textbox", name=self.say("form.transcript"))

    @property
    def voice_field(self) -> Locator:
        """The chosen voice."""
        return self.page.get_by_role("combobox", name=self.say("speech.voice"), exact=True)

    @property
    def speed_field(self) -> Locator:
        """The speed's slider."""
        return self.page.get_by_role("slider", name=self.say("speech.speed"))

    @property
    def start_button(self) -> Locator:
        """The primary button."""
        return self.page.get_by_role("button", name=self.say("form.start"))

    def sample_rate(self, name: str) -> Locator:
        """One of the sample rates, in the advanced settings."""
        return self.page.get_by_role("radio", name=name)

    def type_text(self, words: str) -> None:
        """Type what is to be spoken, leave the field, and wait until the page has taken it."""
        self.text_field.fill(words)
        self.text_field.press("Tab")
        self.wait_until_taken(words)

    def wait_until_taken(self, words: str) -> None:
        """Wait until the page has taken the text."""
        limit = self.say("form.characters", count=len(words), limit=5000)
        expect(self.page.get_by_text(limit)).to_be_visible()

    def choose_voice(self, voice_id: str) -> str:
        """Choose a voice; return the name that it has on the page."""
        label = self.say(f"kokoro.voice.{voice_id}")
        # the open list holds only some of the voices: typing leaves the one that is meant
        self.voice_field.fill(label)
        self.page.get_by_role("option", name=label).click()
        expect(self.voice_field).to_have_value(label)
        return label

    def upload(self, file: ReferenceFile) -> None:
        """Give a reference recording."""
        chooser = self.page.locator('input[type="file"]').first
        chooser.set_input_files(
            {"name": file.name, "mimeType": "audio/wav", "buffer": file.data}, timeout=REACT_MS
        )

    def open_advanced(self) -> None:
        """Unfold the advanced settings."""
        self.page.get_by_text(self.say("form.advanced")).click()
        expect(
            self.page.get_by_role("radiogroup", name=self.say("speech.sample_rate_hz"))
        ).to_be_visible()
        # what is pressed while it unfolds moves away from under the pointer
        self.page.evaluate(_ANIMATIONS_END)

    # -- speaking ------------------------------------------------------------------------------

    @property
    def progress(self) -> Locator:
        """The running job's bar."""
        return self.page.get_by_test_id("stProgress")

    @property
    def cancel_button(self) -> Locator:
        """The running job's cancel button."""
        return self.page.get_by_role("button", name=self.say("job.cancel"), exact=True)

    def start_long_job(self, words: str) -> None:
        """Start a synthesis and wait until the voice is speaking."""
        self.type_text(words)
        self.start_button.click()
        speaking = self.progress.get_by_text(self.say("stage.waveform"))
        expect(speaking).to_be_visible(timeout=SPEAK_MS)

    def speak(self, words: str, *, number: int = 1) -> None:
        """Type and start, without a pause between, and wait for result ``number``."""
        self.text_field.fill(words)
        self.start_button.click()
        self.expect_result(number)

    def expect_result(self, number: int) -> None:
        """Wait for the player of result ``number``."""
        shown = self.page.get_by_test_id("stMain").get_by_text(f"#{number}", exact=True)
        expect(shown.first).to_be_visible(timeout=SPEAK_MS)
        expect(self.player).to_be_visible()
        expect(self.progress).to_have_count(0)

    @property
    def player(self) -> Locator:
        """The result's player; the reference recording's comes before it, if there is one."""
        return self.page.get_by_test_id("stAudio").last

    def player_seconds(self) -> float:
        """Return the length that the browser itself has found in the player's audio."""
        handle = self.player.element_handle()
        self.page.wait_for_function("audio => audio.readyState >= 1", arg=handle)
        return float(handle.evaluate("audio => audio.duration"))

    def download(self, target: Path) -> Path:
        """Press the result's download button and return the file."""
        with self.page.expect_download() as waiting:
            self.page.get_by_role("button", name=self.say("result.download")).click()
        waiting.value.save_as(target)
        return target

    def history_count(self, count: int) -> Locator:
        """The history's heading for ``count`` results."""
        return self.page.get_by_role("heading", name=self.say("history.title", count=count))

    # -- memory --------------------------------------------------------------------------------

    def figure(self, key: str) -> Locator:
        """One of the sidebar's figures by its key: now, peak or reclaimable."""
        label = self.page.get_by_text(self.say(f"memory_view.{key}"), exact=True)
        return self.sidebar.locator(".glm-figures > div").filter(has=label).locator("b")

    def now_mib(self) -> float:
        """Return the figure "now" in MiB."""
        return mib(self.figure("now").inner_text())

    def legend(self, layer: str) -> Locator:
        """A layer's entry in the sidebar's legend; absent where the layer is empty."""
        name = self.say(f"layer.{layer}")
        return self.sidebar.locator(".glm-legend > div", has_text=re.compile(f"^{name} "))

    def clean_up(self) -> None:
        """Press the sidebar's 🧹."""
        self.sidebar.get_by_role("button", name="🧹").click()

    @property
    def report(self) -> Locator:
        """The last cleanup's report."""
        return self.sidebar.locator(".glm-report", has_text="✓")

    def chart_traces(self) -> list[dict[str, object]]:
        """Return the traces that the sidebar's chart has drawn."""
        drawn = self.page.wait_for_function(_CHART_DATA, arg=_SIDEBAR_CHART)
        return json.loads(str(drawn.json_value()))

    def wait_for_chart_tick_during_job(self, before: str | None) -> str:
        """Wait until the sidebar's chart shows other data while a job is under way."""
        changed = self.page.wait_for_function(
            _CHART_CHANGED_DURING_JOB, arg=[_SIDEBAR_CHART, before], polling=100, timeout=REACT_MS
        )
        return str(changed.json_value())

    # -- what must not be ----------------------------------------------------------------------

    def overflowing_at(self, *widths: int) -> dict[int, list[str]]:
        """Return the beginnings of the elements that reach beyond the right edge, by width."""
        found = {}
        for width in widths:
            self.page.set_viewport_size({"width": width, "height": 900})
            try:
                # tables and charts take their new width a moment after the page
                self.page.wait_for_function(f"() => ({_OVERFLOWING})().length === 0", timeout=5_000)
            except NotInTime:
                found[width] = self.page.evaluate(_OVERFLOWING)
        return found

    def expect_one_sentence(self, sentence: str) -> None:
        """Wait for one message with just this sentence, and for no traceback."""
        alerts = self.page.get_by_test_id("stMain").get_by_test_id("stAlert")
        expect(alerts).to_have_text([sentence], timeout=SPEAK_MS)
        expect(self.page.get_by_test_id("stException")).to_have_count(0)

    def wait_for_page(self) -> None:
        """Wait until the page is drawn."""
        expect(self.title).to_be_visible()
        expect(self.page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning"
        )

    def _note_console(self, message: ConsoleMessage) -> None:
        told = f"{message.text} ({message.location.get('url', '')})"
        if message.type == "error" and not _PROBES.search(told):
            self.errors.append(told)


def mib(shown: str) -> float:
    """Return the first size in ``shown``, such as "≈ 1.03 GiB", in MiB."""
    found = re.search(r"([\d.]+) (MiB|GiB)", shown)
    assert found, f"no size in {shown!r}"
    return float(found[1]) * _UNITS[found[2]]
