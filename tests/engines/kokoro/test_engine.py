"""The built-in voice speaks, refuses what it cannot do, stops when told, and gives memory back."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pytest

from glmtts_core.audio import Samples
from glmtts_core.engines.base import CancelToken, Progress, SpokenAudio, Stage
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.kokoro.engine import KokoroEngine
from glmtts_core.engines.kokoro.network import KokoroNetwork
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.errors import (
    EngineError,
    GLMTTSError,
    ModelFileError,
    RequestError,
    SynthesisCancelled,
    TextError,
)
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.memory.system import malloc_trim
from glmtts_core.settings import Settings
from glmtts_core.speech import ReferenceAudio, SynthesisRequest

MIB = 2**20
SHORT = SynthesisRequest(text="你好，世界。", voice=VOICES[0].id)
#: Two pieces.
TWO = SHORT.changed(text="今天天气很好，我们一起去公园散步吧。明天见。")
#: One piece of about six seconds.
LONG = SHORT.changed(text="今天天气很好，我们一起去公园散步，然后回家吃饭。")


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


@dataclass
class Control:
    """A job's control that remembers what it was told."""

    cancel: CancelToken = field(default_factory=CancelToken)
    reports: list[Progress] = field(default_factory=list)
    at_safe_point: Callable[[], None] = lambda: None
    on_report: Callable[[Progress], None] = lambda _: None

    def report(self, progress: Progress) -> None:
        self.reports.append(progress)
        self.on_report(progress)

    def safe_point(self) -> None:
        self.cancel.raise_if_cancelled()
        self.at_safe_point()


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture(scope="module")
def engine(model_cache: Path, ledger: Ledger) -> KokoroEngine:
    """The real engine, loaded once."""
    settings = Settings(_env_file=None, threads=1, cache_dir=model_cache)
    loaded = KokoroEngine(settings, ledger)
    loaded.load(Control())
    return loaded


@pytest.fixture(scope="module")
def short(engine: KokoroEngine) -> SpokenAudio:
    """What `SHORT` sounds like."""
    return speak(engine, SHORT)


@pytest.fixture(scope="module")
def two(engine: KokoroEngine) -> tuple[SpokenAudio, list[Progress]]:
    """What `TWO` sounds like, and what was reported meanwhile."""
    control = Control()
    return speak(engine, TWO, control), control.reports


def speak(engine: KokoroEngine, request: SynthesisRequest, control: Control | None = None):
    return engine.synthesize(request, SessionCaches("a" * 32, Ledger()), control or Control())


def new_engine(cache_dir: Path) -> tuple[KokoroEngine, Ledger]:
    ledger = Ledger()
    settings = Settings(_env_file=None, threads=1, cache_dir=cache_dir)
    return KokoroEngine(settings, ledger), ledger


# --- what it says -----------------------------------------------------------------------------


@pytest.mark.voice
@pytest.mark.parametrize(
    ("text", "shortest_s", "longest_s"),
    [
        ("今天天气很好。", 0.9, 3.0),
        ("The weather is lovely.", 0.9, 3.0),
        ("我有3个apple。你好！Is it 25%?", 2.5, 8.0),
        ("好", 0.1, 1.5),
    ],
)
def test_it_speaks_both_languages_and_mixtures(engine, text, shortest_s, longest_s):
    spoken = speak(engine, SHORT.changed(text=text))
    assert spoken.sample_rate_hz == 24_000
    assert shortest_s < spoken.duration_s < longest_s
    assert np.isfinite(spoken.samples).all()
    assert 0.1 < np.abs(spoken.samples).max() <= 1.0
    assert rms(spoken.samples) > 0.02


@pytest.mark.voice
def test_pieces_join_without_a_click(two):
    spoken, reports = two
    samples = spoken.samples
    assert reports[-1].pieces == 2
    (heard,) = np.nonzero(np.abs(samples) > 1e-6)
    longest = int(np.argmax(np.diff(heard)))
    before, after = heard[longest], heard[longest + 1]
    assert 0.2 < (after - before) / 24_000 < 0.6  # the pause after a sentence
    jumps = np.abs(np.diff(samples))
    assert jumps[before - 48 : before + 2].max() < 0.01
    assert jumps[after - 2 : after + 48].max() < 0.01
    assert np.abs(samples[[0, -1]]).max() < 0.01


@pytest.mark.voice
def test_every_voice_speaks_with_its_own_sound(engine):
    spoken = [speak(engine, SHORT.changed(text="好的", voice=voice.id)).samples for voice in VOICES]
    assert len({samples.tobytes() for samples in spoken}) == len(VOICES)
    assert min(map(rms, spoken)) > 0.02


@pytest.mark.voice
def test_the_same_request_gives_the_same_sound_whatever_the_seed(engine, short):
    assert np.array_equal(speak(engine, SHORT.changed(seed=7)).samples, short.samples)


@pytest.mark.voice
def test_speed_shortens_and_lengthens(engine, short):
    slow, fast = (speak(engine, SHORT.changed(speed=speed)).duration_s for speed in (0.5, 2.0))
    assert slow > 1.4 * short.duration_s
    assert short.duration_s > 1.3 * fast


@pytest.mark.voice
def test_32_khz_is_the_same_sound_resampled(engine, short):
    resampled = speak(engine, SHORT.changed(sample_rate_hz=32_000))
    assert resampled.sample_rate_hz == 32_000
    assert resampled.duration_s == pytest.approx(short.duration_s, abs=0.001)
    assert np.abs(resampled.samples).max() <= 1.0
    assert rms(resampled.samples) == pytest.approx(rms(short.samples), rel=0.02)
    assert [rate.resampled for rate in engine.capabilities.sample_rates] == [False, True]


# --- what it refuses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"text": "  \n"}, TextError, "no text"),
        ({"text": "好" * 5001}, TextError, "at most 5000"),
        ({"text": "🎉 こんにちは"}, TextError, "Nothing in this text"),
        ({"voice": "nobody"}, RequestError, "no voice called nobody"),
        ({"voice": ""}, RequestError, "Choose one of"),
        ({"second_voice": "zf_xiaobei"}, RequestError, "speak the same language"),
        ({"speed": 0.4}, RequestError, "from 0.5 to 2.0"),
        ({"speed": float("nan")}, RequestError, "from 0.5 to 2.0"),
        ({"sample_rate_hz": 44_100}, RequestError, "24000, 32000"),
        ({"sampling": "topk"}, RequestError, "no sampling method topk"),
        ({"history": True}, RequestError, "history"),
        (
            {"reference": ReferenceAudio(np.zeros(1, np.float32), 24_000, "x.wav")},
            RequestError,
            "cannot clone",
        ),
    ],
)
def test_what_it_cannot_do_it_refuses_before_loading(model_cache, change, kind, words):
    engine, _ = new_engine(model_cache)
    with pytest.raises(kind, match=words) as error:
        speak(engine, SHORT.changed(**change))
    assert error.value.text("zh")
    assert not engine.loaded


# --- how it goes on ---------------------------------------------------------------------------


@pytest.mark.voice
def test_progress_rises_from_nothing_to_the_whole(two):
    spoken, reports = two
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert reports[0].stage is Stage.TEXT
    assert reports[-1].piece == reports[-1].pieces == 2
    assert {time.stage for time in spoken.stages} == {Stage.TEXT, Stage.WAVEFORM}


@pytest.mark.voice
def test_a_trim_between_two_pieces_changes_nothing_of_the_sound(engine, two):
    trims: list[None] = []

    def trim() -> None:
        engine.release(CleanupLevel.TRIM)
        trims.append(None)

    trimmed = speak(engine, TWO, Control(at_safe_point=trim))
    assert len(trims) == 2
    assert np.array_equal(trimmed.samples, two[0].samples)


@pytest.mark.serial
@pytest.mark.voice
def test_a_running_inference_is_cut_short_and_the_next_one_works(engine, short):
    token, cancelled_s = CancelToken(), []

    def cancel() -> None:
        cancelled_s.append(time.monotonic())
        token.cancel()

    def soon(progress: Progress) -> None:
        if progress.piece == 1:
            threading.Timer(0.3, cancel).start()

    with pytest.raises(SynthesisCancelled):
        speak(engine, LONG, Control(token, on_report=soon))
    assert time.monotonic() - cancelled_s[0] < 2.0
    assert np.array_equal(speak(engine, SHORT).samples, short.samples)


@pytest.mark.voice
def test_a_job_that_was_cancelled_before_does_not_start(engine):
    control = Control()
    control.cancel.cancel()
    with pytest.raises(SynthesisCancelled):
        speak(engine, SHORT, control)


@pytest.mark.voice
def test_a_run_that_fails_is_our_error_and_the_next_one_works(engine, short):
    network = engine._loaded.network
    with pytest.raises(EngineError, match="failed while speaking"):
        network.speak([10**6], VOICES[0].id, 1.0, CancelToken())
    assert np.array_equal(speak(engine, SHORT).samples, short.samples)


# --- memory -----------------------------------------------------------------------------------


@pytest.mark.serial
@pytest.mark.voice
def test_a_trim_gives_the_growth_back(engine):
    def resident() -> int:
        gc.collect()
        malloc_trim()
        return psutil.Process().memory_info().rss

    engine.release(CleanupLevel.TRIM)
    floor = resident()
    speak(engine, LONG)
    grown = resident()
    started_s = time.monotonic()
    engine.release(CleanupLevel.TRIM)
    assert time.monotonic() - started_s < 0.3
    assert grown - floor > 50 * MIB
    assert grown - resident() > 0.85 * (grown - floor)


@pytest.mark.voice
def test_the_ledger_knows_the_weights_until_they_are_unloaded(engine, ledger):
    def weights() -> int:
        return ledger.snapshot().total_bytes(kinds={LedgerKind.WEIGHTS}, owner="engine")

    assert 88 * MIB < weights() < 100 * MIB
    engine.release(CleanupLevel.UNLOAD)
    assert not engine.loaded
    assert weights() == 0
    engine.release(CleanupLevel.TRIM)
    control = Control()
    assert speak(engine, SHORT, control).duration_s > 0.5
    assert control.reports[0].stage is Stage.LOADING
    assert weights() > 0


def test_a_folder_that_cannot_be_used_leaves_nothing_half_loaded(tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    engine, ledger = new_engine(tmp_path / "taken")
    with pytest.raises(ModelFileError):
        engine.load(Control())
    assert not engine.loaded
    assert not ledger.snapshot().entries


@pytest.mark.voice
def test_loading_stops_between_two_steps(model_cache):
    engine, ledger = new_engine(model_cache)
    control = Control()
    control.at_safe_point = control.cancel.cancel
    with pytest.raises(SynthesisCancelled):
        engine.load(control)
    assert not engine.loaded
    assert not ledger.snapshot().entries
    assert 0.0 < control.reports[-1].fraction < 1.0


def test_a_model_that_cannot_be_read_is_told(tmp_path):
    model = tmp_path / "model.onnx"
    model.write_bytes(b"not a model")
    with pytest.raises(ModelFileError) as error:
        KokoroNetwork(model, [tmp_path / "none.npz"], 0)
    assert isinstance(error.value, GLMTTSError)
    assert error.value.text("zh")


@pytest.mark.process
@pytest.mark.voice
@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the address space")
def test_too_little_memory_is_told_and_the_process_lives_on(engine):
    child = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from glmtts_core.engines.base import CancelToken
        from glmtts_core.engines.kokoro.model_file import model_path, japanese_voices_path
        from glmtts_core.engines.kokoro.network import KokoroNetwork
        from glmtts_core.errors import OutOfMemoryError

        network = KokoroNetwork(model_path(Path(sys.argv[1])), [japanese_voices_path()], 1)
        network.speak([50] * 5, "jf_alpha", 1.0, CancelToken())
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + 40 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        try:
            network.speak([50] * 300, "jf_alpha", 1.0, CancelToken())
        except OutOfMemoryError as error:
            print("told:", error)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print("lives:", network.speak([50] * 5, "jf_alpha", 1.0, CancelToken()).shape[0] > 0)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", child, str(engine._settings.cache_dir)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "told: There is not enough free memory" in done.stdout, done.stdout + done.stderr
    assert "lives: True" in done.stdout
