"""How something is to be spoken: voice, speed, rate, seed, sampling, history, on every page alike.

Each page has widgets of its own, and what is chosen in them is kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import streamlit as st

from glmtts_core.catalogue import LANGUAGES, Language
from glmtts_core.engines.capabilities import Capabilities, SampleRate, Voice
from glmtts_core.speech import OPTION_NAMES, SEEDS, SpeechOptions, SpeechOverride, new_seed
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.fields import prefill
from glmtts_core.ui.shared.markdown import Markdown, plain

#: What the second voice is called, by the language of the first.
_SECOND_VOICE: Final[dict[Language | None, str]] = {
    "zh": "speech.second_voice.english",
    "en": "speech.second_voice.mandarin",
    None: "speech.second_voice",
}
#: Keeps a saved field under the widget's key.
Keep = Callable[[Page, str, str], None]


@dataclass(frozen=True, slots=True)
class Speaking:
    """The widgets of one page.

    The saved value wins over the widget's: after a switch of language or engine Streamlit returns
    stale choices.

    Attributes:
        page: where they are drawn.
        prefix: of their keys.
        kept: what was chosen before.
        keep: keeps what is chosen.
    """

    page: Page
    prefix: str
    kept: SpeechOverride
    keep: Keep

    # -- what was chosen -----------------------------------------------------------------------

    @property
    def can(self) -> Capabilities:
        """What the session's engine can do."""
        return self.page.session.capabilities

    @property
    def voice(self) -> str | None:
        """Id of the voice, by default one of the page's language; None where all is cloned."""
        voices = [voice.id for voice in self.can.voices_for(self.page.language)]
        return self.kept.voice if self.kept.voice in voices else next(iter(voices), None)

    @property
    def second_voice(self) -> str | None:
        """Id of the voice for the language that `voice` does not speak; None: the same voice."""
        offered = [voice.id for voice in self._second_voices()]
        return self.kept.second_voice if self.kept.second_voice in offered else None

    def _second_voices(self) -> list[Voice]:
        """Return the native voices of the other language; of both where `voice` speaks neither."""
        if self.can.voice_cloning or len(self.can.native_languages) < len(LANGUAGES):
            return []
        first = self.can.voice(self.voice)
        taken = (None, first.language if first is not None else None)
        voices = self.can.voices_for(self.page.language)
        return [voice for voice in voices if voice.language not in taken]

    @property
    def speed(self) -> float:
        """How fast; 1.0 is natural."""
        kept = self.kept.speed
        if self.can.speed_range is None or kept is None:
            return 1.0
        slowest, fastest = self.can.speed_range
        return min(max(kept, slowest), fastest)

    @property
    def sample_rate_hz(self) -> int:
        """One of the engine's rates."""
        rates = [rate.hz for rate in self.can.sample_rates]
        kept = self.kept.sample_rate_hz
        return kept if kept in rates else rates[0]

    @property
    def seed(self) -> int | None:
        """The seed; None draws one, or the engine has none."""
        return self.kept.seed if self.can.seed else None

    @property
    def sampling(self) -> str | None:
        """The sampling method; None where the engine has none."""
        methods = self.can.sampling_methods
        return self.kept.sampling if self.kept.sampling in methods else next(iter(methods), None)

    @property
    def history(self) -> bool:
        """Whether sentences already spoken serve as prompt history."""
        return bool(self.kept.history) and self.can.history

    def options(self) -> SpeechOptions:
        """Return what was chosen; what the engine lacks is left out."""
        chosen = {name: getattr(self, name) for name in OPTION_NAMES}
        return SpeechOptions(engine=self.page.session.engine, **chosen)

    # -- the widgets ---------------------------------------------------------------------------

    def draw_voice_and_speed(self) -> None:
        """Draw what most users set, as far as the engine has it."""
        voice_column, speed_column = st.columns([3, 2])
        voices = self.can.voices_for(self.page.language)
        labels = {voice.id: self.page.text(voice.label_key) for voice in voices}
        if labels:
            st.session_state[self._key("voice")] = self.voice
            voice_column.selectbox(
                self.page.text("speech.voice"),
                list(labels),
                format_func=labels.__getitem__,
                key=self._key("voice"),
                persist_state="session",
                on_change=self._keep_offered,
                args=("voice", list(labels)),
            )
        if self.can.speed_range is not None:
            slowest, fastest = self.can.speed_range
            prefill(self._key("speed"), self.speed)
            speed_column.slider(
                self.page.text("speech.speed"),
                slowest,
                fastest,
                step=0.05,
                format="%.2f ×",
                key=self._key("speed"),
                persist_state="session",
                on_change=self._keep,
                args=("speed",),
            )

    def draw_advanced(self) -> None:
        """Draw the rest; what the engine lacks is greyed out and says so."""
        self._draw_second_voice()
        self._draw_sample_rate()
        seed_column, sampling_column = st.columns(2)
        with seed_column:
            self._draw_seed()
        with sampling_column:
            self._draw_sampling()
        self._draw_history()
        if controls := self._lacking_controls():
            words = {"engine": self.can.engine, "controls": controls}
            st.caption(self.page.markdown("speech.lacking_list", **words))

    def _draw_second_voice(self) -> None:
        labels = {voice.id: self.page.text(voice.label_key) for voice in self._second_voices()}
        if not labels:
            return
        first = self.can.voice(self.voice)
        st.session_state[self._key("second_voice")] = self.second_voice
        st.selectbox(
            self.page.text(_SECOND_VOICE[first.language if first is not None else None]),
            list(labels),
            index=None,
            format_func=labels.__getitem__,
            key=self._key("second_voice"),
            persist_state="session",
            placeholder=self.page.text("speech.second_voice.same"),
            help=self.page.text("speech.second_voice.help"),
            on_change=self._keep_offered,
            args=("second_voice", [*labels, None]),
        )

    def _draw_sample_rate(self) -> None:
        rates = {rate.hz: rate for rate in self.can.sample_rates}
        st.session_state[self._key("sample_rate_hz")] = self.sample_rate_hz
        st.segmented_control(
            self.page.text("speech.sample_rate_hz"),
            list(rates),
            format_func=lambda hz: self._rate_label(rates[hz]),
            key=self._key("sample_rate_hz"),
            required=True,
            persist_state="session",
            on_change=self._keep_offered,
            args=("sample_rate_hz", list(rates)),
        )

    def _rate_label(self, rate: SampleRate) -> Markdown:
        name = plain(f"{rate.hz // 1000} kHz")
        return self.page.markdown("speech.resampled", rate=name) if rate.resampled else name

    def _draw_seed(self) -> None:
        """Draw the seed and, beside it, the die that throws one."""
        prefill(self._key("seed"), self.kept.seed)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.number_input(
                self.page.text("speech.seed"),
                min_value=0,
                max_value=SEEDS - 1,
                value=None,
                key=self._key("seed"),
                persist_state="session",
                placeholder=self.page.text("speech.seed.random"),
                disabled=not self.can.seed,
                help=self._help("speech.seed.help", offered=self.can.seed),
                on_change=self._keep,
                args=("seed",),
            )
            if self.can.seed:
                st.button(
                    self.page.text("speech.seed.throw"),
                    key=self._key("throw_seed"),
                    icon=":material/casino:",
                    on_click=self._throw_seed,
                )

    def _throw_seed(self) -> None:
        st.session_state[self._key("seed")] = new_seed()
        self._keep("seed")

    def _draw_sampling(self) -> None:
        methods = self.can.sampling_methods
        if methods:
            st.session_state[self._key("sampling")] = self.sampling
        st.selectbox(
            self.page.text("speech.sampling"),
            methods,
            key=self._key("sampling"),
            format_func=lambda method: self.page.text(f"speech.sampling.{method}"),
            persist_state="session",
            disabled=not methods,
            placeholder="–",
            help=self._help("speech.sampling.help", offered=bool(methods)),
            on_change=self._keep_offered,
            args=("sampling", list(methods)),
        )

    def _draw_history(self) -> None:
        prefill(self._key("history"), bool(self.kept.history))
        st.toggle(
            self.page.text("speech.history"),
            key=self._key("history"),
            persist_state="session",
            disabled=not self.can.history,
            help=self._help("speech.history.help", offered=self.can.history),
            on_change=self._keep,
            args=("history",),
        )

    def _lacking_controls(self) -> str:
        lacking = {
            "speech.seed": not self.can.seed,
            "speech.sampling": not self.can.sampling_methods,
            "speech.history": not self.can.history,
        }
        return self.page.text("speech.list_separator").join(
            self.page.text(key) for key, lacks in lacking.items() if lacks
        )

    def _help(self, key: str, *, offered: bool) -> Markdown:
        if offered:
            return self.page.markdown(key)
        return self.page.markdown("speech.lacking", engine=self.can.engine)

    def _key(self, name: str) -> str:
        """Return the key of the widget of the saved form's field ``name``."""
        return f"{self.prefix}_{name}"

    def _keep(self, name: str) -> None:
        self.keep(self.page, name, self._key(name))

    def _keep_offered(self, name: str, offered: list[str] | list[int] | list[str | None]) -> None:
        if st.session_state[self._key(name)] in offered:
            self._keep(name)
