"""A visitor of the pages: opens them, types, clicks, and tells what can be read on them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from glmtts_core.catalogue import Language, text
from glmtts_core.sessions.result_record import ResultRecord
from glmtts_core.sessions.session import Session
from tests.waiting import BOUND_S

ROOT = Path(__file__).resolve().parents[2]
OVERVIEW = "streamlit_app.py"
SYNTHESIS = "pages/1_synthesis.py"
BATCH = "pages/2_batch.py"
DIAGNOSTICS = "pages/3_diagnostics.py"
LOCALES: dict[Language, str] = {"zh": "zh-CN", "en": "en-GB"}
#: What pages take for the browser's cookie where no server is in between.
NO_BROWSER = ""
#: The first page that draws a mel spectrogram imports PyTorch.
_FIRST_RUN_S = 60
#: For what a page says: every sentence has both languages, as `tests/test_catalogue.py` shows.
in_one_language = pytest.mark.parametrize("language", ["zh"])


def app_test() -> AppTest:
    """Return Streamlit's test of our app, not run yet."""
    app = AppTest.from_file(ROOT / OVERVIEW, default_timeout=_FIRST_RUN_S)
    # looking through all installed packages for components takes 0.3 s; we have none
    app._bidi_component_manager = BidiComponentManager()
    return app


class Visitor:
    """One browser session; every run of a page is checked to end without an exception."""

    def __init__(
        self,
        page: str = OVERVIEW,
        language: Language = "en",
        *,
        locale: str | None = None,
        session_id: str | None = None,
        query: dict[str, str] | None = None,
    ) -> None:
        self.language = language
        self.app = app_test()
        self.app.context = {"locale": LOCALES[language] if locale is None else locale}
        if session_id is not None:
            self.app.query_params["s"] = session_id
        for name, value in (query or {}).items():
            self.app.query_params[name] = value
        self.go(page)

    def run(self) -> Visitor:
        """Draw the page anew, as a tick of the clock or a key press would."""
        self.app.run()
        assert [error.message for error in self.app.exception] == []
        return self

    def go(self, page: str) -> Visitor:
        """Go to another page."""
        self.app.switch_page(page)
        return self.run()

    def click(self, key: str) -> Visitor:
        """Click a button."""
        self.app.button(key=key).click()
        return self.run()

    def choose_language(self, language: Language) -> Visitor:
        """Use the language switch."""
        self.app.segmented_control(key="language").set_value(language)
        self.language = language
        return self.run()

    def type(self, words: str) -> Visitor:
        """Replace the text that is to be spoken."""
        self.app.text_area(key="form_text").set_value(words)
        return self.run()

    def upload(self, data: bytes, name: str = "anna.wav") -> Visitor:
        """Give a recording of the reference voice."""
        self.app.file_uploader[0].set_value((name, data, "audio/wav"))
        return self.run()

    def start(self) -> Visitor:
        """Click on "Start synthesis"."""
        return self.click("start_synthesis")

    def speak(self, words: str = "hello") -> Visitor:
        """Type a text, start its synthesis and stay until it has ended."""
        self.app.text_area(key="form_text").set_value(words)
        return self.start().wait()

    def wait(self) -> Visitor:
        """Stay until the job has ended."""
        assert self.session.job.wait(BOUND_S)
        return self.run()

    # -- what there is ---------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The handle that the pages keep."""
        return self.app.session_state["model"]

    @property
    def records(self) -> tuple[ResultRecord, ...]:
        """What was spoken, newest first."""
        return self.session.history.list().records

    def words(self, key: str, **details: object) -> str:
        """Return a sentence in the visitor's language."""
        return text(key, self.language, **details)

    def read(self) -> str:
        """Return all words on the page and in the sidebar."""
        parts = []
        for node in [*self.app.main, *self.app.sidebar]:
            # a widget's value is what was typed or chosen; a label is what the page says
            for name in ("value", "label", "text"):
                said = getattr(node, name, None)
                if isinstance(said, str):
                    parts.append(said)
        page = re.sub(r"<style>.*?</style>|<[^>]+>", " ", "\n".join(parts), flags=re.DOTALL)
        return shown(page)

    def button_keys(self) -> set[str]:
        """Return the keys of all buttons."""
        return {button.key for button in self.app.button}

    def chart_keys(self) -> set[str]:
        """Return the keys of all charts."""
        return {chart.key for chart in self.app.get("plotly_chart")}

    def form(self) -> dict[str, object]:
        """Return what the form's fields hold."""
        app = self.app
        return {
            "text": app.text_area(key="form_text").value,
            "voice": app.selectbox(key="form_voice").value,
            "speed": app.slider(key="form_speed").value,
            "rate": app.segmented_control(key="form_sample_rate_hz").value,
            "transcript": app.text_input(key="form_transcript").value,
            "reference": self.session.saved_form.reference(),
        }


def shown(markdown: str) -> str:
    """Return how disarmed words look on the page."""
    return re.sub(r"\\(.)", r"\1", markdown).replace("\u200b", "")
