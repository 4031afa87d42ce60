"""What holds for an engine wherever it runs: in this process, or in one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.engines.base import Engine, Progress, SpokenAudio, Stage
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.host.base import EngineHost
from glmtts_core.engines.host.inline import InlineHost
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.errors import (
    EngineError,
    GLMTTSError,
    OutOfMemoryError,
    SynthesisCancelled,
    TextError,
)
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.settings import Settings
from glmtts_core.speech import ReferenceAudio, SynthesisRequest
from tests.engines.host.controls import NotingControl, once_it_waits
from tests.engines.host.remote_scripted import (
    FAULTS,
    HOLD,
    ON_LOAD,
    ORDER,
    RemoteScripted,
)
from tests.scripted_engine import WEIGHTS_BYTES
from tests.speaking import ANNA, BERT, request

TRIM, OFFLOAD, UNLOAD = CleanupLevel
RATE_HZ = 24_000


class Rig:
    """A host with the scripted engine, and what belongs to it."""

    def __init__(self, kind: type[EngineHost], folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(_env_file=None, device="cpu", output_dir=folder)
        self.ledger = Ledger()
        self.host = kind(self.settings, self.ledger, [ORDER], lambda _: None)

    @property
    def engine(self) -> Engine:
        return self.host.preferred

    def speak(
        self,
        text: str = "hello",
        control: NotingControl | None = None,
        *,
        owner: str = ANNA,
        reference: ReferenceAudio | None = None,
        **options,
    ) -> SpokenAudio:
        asked = request(text, **options).changed(reference=reference)
        caches = SessionCaches(owner, self.ledger)
        return self.engine.synthesize(asked, caches, control or NotingControl())

    def sentence(self, text: str, **more) -> str:
        """Return what speaking fails with."""
        with pytest.raises(GLMTTSError) as failed:
            self.speak(text, **more)
        return failed.value.text("en")

    def kept_bytes(self, owner: str) -> int:
        return self.ledger.snapshot().total_bytes(owner=owner)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(InlineHost, id="inline"),
        pytest.param(ProcessHost, id="process", marks=pytest.mark.process),
    ],
)
def shared(request, tmp_path_factory) -> Iterator[Rig]:
    """One host for all tests: what a test leaves behind, the next one must stand."""
    rig = Rig(request.param, tmp_path_factory.mktemp("outputs"))
    yield rig
    rig.host.close(idle=True)


@pytest.fixture
def rig(shared) -> Iterator[Rig]:
    yield shared
    for name in (ON_LOAD, HOLD):
        (shared.folder / name).unlink(missing_ok=True)


def seen(error: BaseException) -> GLMTTSError:
    """Return what a user sees of an engine's error: as the studio's runner has it."""
    if isinstance(error, GLMTTSError):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemoryError("engine.out_of_memory")
    return EngineError("engine.unexpected", reason=f"{type(error).__name__}: {error}")


def recording(*shape: int, rate_hz: int = 16_000, name: str = "voice.wav") -> ReferenceAudio:
    samples = np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)
    return ReferenceAudio(samples, rate_hz, name, "说过的话")


# -- before and around loading -----------------------------------------------------------------


def test_what_an_engine_can_do_is_known_before_it_is_loaded(rig):
    rig.host.release(UNLOAD)
    here = RemoteScripted(rig.settings, Ledger())
    assert not rig.engine.loaded
    assert rig.engine.capabilities == here.capabilities
    assert rig.engine.messages == here.messages
    assert rig.host.names == ("Remote",)


def test_loading_reports_how_far_it_is_and_stops_at_safe_points(rig):
    rig.host.release(UNLOAD)
    control = NotingControl()
    rig.engine.load(control)
    assert rig.engine.loaded and rig.engine.ready
    fractions = [each.fraction for each in control.reports]
    assert fractions[-3:] == [0.25, 0.5, 0.75]
    assert all(before <= after for before, after in pairwise(fractions))
    assert {each.stage for each in control.reports} == {Stage.LOADING}
    assert control.safe_points == 3


def test_loading_what_is_loaded_does_nothing(rig):
    rig.engine.load(NotingControl())
    (rig.folder / ON_LOAD).write_text("fail:EngineError", "utf-8")
    rig.engine.load(NotingControl())
    assert rig.engine.ready


def test_an_engine_that_is_not_loaded_loads_to_speak(rig):
    rig.host.release(UNLOAD)
    assert rig.speak().duration_s > 0
    assert rig.engine.ready


@pytest.mark.parametrize(
    ("level", "loaded", "ready"),
    [(TRIM, True, True), (OFFLOAD, True, False), (UNLOAD, False, False)],
)
def test_each_level_of_release_leaves_what_it_should(rig, level, loaded, ready):
    rig.engine.load(NotingControl())
    rig.host.release(level)
    assert (rig.engine.loaded, rig.engine.ready) == (loaded, ready)
    assert rig.kept_bytes("engine") == (WEIGHTS_BYTES if loaded else 0)
    rig.engine.load(NotingControl())
    assert rig.engine.ready
    assert rig.kept_bytes("engine") == WEIGHTS_BYTES


def test_releasing_what_is_not_loaded_does_nothing(rig):
    for level in (UNLOAD, TRIM, OFFLOAD, UNLOAD):
        rig.host.release(level)
    assert not rig.engine.loaded


def test_what_is_unused_can_be_returned_at_any_time(rig):
    allocator = rig.host.allocator("cpu")
    rig.host.release(UNLOAD)
    allocator.give_back()
    rig.speak()
    allocator.give_back()
    allocator.reset_peak()
    assert allocator.read().allocated_bytes is None
    assert allocator.peak_allocated_bytes() is None
    assert allocator.device_uuid() is None


# -- speaking ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", [24_000, 32_000])
@pytest.mark.parametrize("text", ["x", "今天 12 €", "a" * 5000, " ", "\x00 𝄞 'quoted' \"\\n"])
def test_a_result_is_the_same_to_the_bit(rig, text, rate_hz):
    here = RemoteScripted(rig.settings, Ledger())
    there = SessionCaches(BERT, Ledger())
    asked = request(text, sample_rate_hz=rate_hz)
    expected = here.synthesize(asked, there, NotingControl())
    control = NotingControl()
    spoken = rig.speak(text, control, sample_rate_hz=rate_hz)
    assert spoken.samples.dtype == np.float32
    assert spoken.samples.tobytes() == expected.samples.tobytes()
    assert spoken.sample_rate_hz == rate_hz
    assert (spoken.stages, spoken.voices) == (expected.stages, expected.voices)
    fractions = [each.fraction for each in control.reports if each.stage is not Stage.LOADING]
    assert fractions == [0.25, 0.5, 0.75, 1.0]
    assert control.reports[-1] == Progress(Stage.WAVEFORM, 1.0, 3, 3)


@pytest.mark.parametrize("shape", [(0,), (1,), (2, 3), (0, 2), (1, 1, 5)])
def test_samples_of_every_shape_arrive(rig, shape):
    samples = rig.speak("shape:" + "x".join(map(str, shape))).samples
    assert samples.shape == shape
    assert (samples == np.linspace(-1, 1, samples.size, dtype=np.float32).reshape(shape)).all()


def test_every_bit_of_a_figure_arrives(rig):
    samples = rig.speak("odd:").samples
    expected = np.array([1e-45, -0.0, np.inf, np.nan, 1], np.float32)
    assert np.ascontiguousarray(samples).tobytes() == expected.tobytes()


def test_samples_can_be_changed_by_whoever_gets_them(rig):
    samples = rig.speak().samples
    samples *= 0.5
    assert samples.flags.writeable


def test_ten_minutes_of_sound_arrive(rig):
    samples = rig.speak("minutes:10").samples
    assert len(samples) == 600 * RATE_HZ
    assert samples[-1] == np.float32(600 * RATE_HZ - 1)


@pytest.mark.parametrize(
    "shape", [(48_000,), (48_000, 2), (60 * 48_000, 2), (1,)], ids=["mono", "stereo", "60s", "one"]
)
def test_a_recording_arrives_unchanged(rig, shape):
    reference = recording(*shape, rate_hz=48_000)
    spoken = rig.speak("echo:", voice=None, reference=reference)
    assert spoken.samples.shape == shape
    assert spoken.samples.tobytes() == reference.samples.tobytes()


def test_what_is_known_of_a_recording_arrives_too(rig):
    reference = recording(10, rate_hz=44_100, name="Ännchen.wav")
    told = rig.sentence("about:", reference=reference)
    assert "Ännchen.wav|说过的话|44100" in told


def test_a_recording_whose_name_is_no_unicode_is_taken(rig):
    reference = recording(10, name="old-\udcff.wav")
    assert rig.speak("echo:", reference=reference).samples.shape == (10,)


def test_every_option_arrives(rig):
    asked = request("options:", speed=1.25, seed=2**32 - 1, sampling="topk", history=True)
    told = rig.sentence("options:", **asked.given())
    assert str(asked.given()) in told


@pytest.mark.parametrize("text", ["half a pair \ud83d", "\udcff"])
def test_text_that_is_no_unicode_is_refused_and_disturbs_nothing(rig, text):
    with pytest.raises(TextError) as refused:
        rig.speak(text)
    assert refused.value.message.key == "text.not_unicode"
    assert rig.speak("hello").duration_s > 0


# -- caches ------------------------------------------------------------------------------------


def test_caches_live_until_they_are_dropped(rig):
    caches = {owner: SessionCaches(owner, rig.ledger) for owner in (ANNA, BERT)}

    def speak(owner: str, text: str) -> str:
        asked = SynthesisRequest(text=text, voice="alpha")
        try:
            rig.engine.synthesize(asked, caches[owner], NotingControl())
        except EngineError as error:
            return error.text("en")
        return ""

    speak(ANNA, "keep:red")
    speak(BERT, "keep:blue")
    assert "(red)" in speak(ANNA, "kept:")
    assert "(blue)" in speak(BERT, "kept:")
    entry = next(each for each in rig.ledger.snapshot().entries if each.owner == ANNA)
    assert (entry.kind, entry.size_bytes) == (LedgerKind.VOICE_CACHE, 1000)
    rig.host.drop_caches([ANNA])
    caches[ANNA].clear()
    assert rig.kept_bytes(ANNA) == 0
    assert rig.kept_bytes(BERT) == 1000
    assert "(None)" in speak(ANNA, "kept:")
    rig.host.drop_caches([ANNA, BERT])
    caches[BERT].clear()
    assert rig.kept_bytes(BERT) == 0


def test_dropping_what_nobody_keeps_does_nothing(rig):
    rig.host.drop_caches([])
    rig.host.drop_caches(["c" * 32])


# -- safe points and cancelling ----------------------------------------------------------------


def test_memory_is_cleaned_up_at_a_safe_point_and_the_synthesis_goes_on(rig):
    rig.engine.load(NotingControl())
    control = NotingControl()
    control.tasks = [
        lambda: rig.host.release(TRIM),
        lambda: rig.host.drop_caches([BERT]),
        rig.host.allocator("cpu").give_back,
    ]
    expected = rig.speak("the same").samples
    assert rig.speak("the same", control).samples.tobytes() == expected.tobytes()
    assert control.tasks == []
    assert rig.engine.ready


def test_what_fails_at_a_safe_point_ends_the_job_and_not_the_engine(rig):
    rig.engine.load(NotingControl())
    control = NotingControl()

    def refuse() -> None:
        raise OutOfMemoryError("engine.out_of_memory")

    control.tasks = [refuse]
    with pytest.raises(OutOfMemoryError):
        rig.speak("hello", control)
    assert rig.engine.ready
    assert rig.speak().duration_s > 0


def test_a_job_that_is_cancelled_beforehand_speaks_nothing(rig):
    rig.engine.load(NotingControl())
    control = NotingControl()
    control.cancel.cancel()
    with pytest.raises(SynthesisCancelled):
        rig.speak("hello", control)
    assert rig.speak().duration_s > 0


@pytest.mark.parametrize("step", ["native:", "hold:"])
def test_a_running_job_can_be_cancelled(rig, step):
    (rig.folder / HOLD).touch()
    rig.engine.load(NotingControl())
    control = NotingControl()
    with once_it_waits(rig.folder, control.cancel.cancel), pytest.raises(SynthesisCancelled):
        rig.speak(step, control)
    assert rig.engine.ready
    assert rig.speak().duration_s > 0


@pytest.mark.parametrize("step", ["native:", "hold:"])
def test_loading_can_be_cancelled_and_leaves_nothing(rig, step):
    rig.host.release(UNLOAD)
    (rig.folder / HOLD).touch()
    (rig.folder / ON_LOAD).write_text(step, "utf-8")
    control = NotingControl()
    with once_it_waits(rig.folder, control.cancel.cancel), pytest.raises(SynthesisCancelled):
        rig.engine.load(control)
    (rig.folder / ON_LOAD).unlink()
    assert not rig.engine.loaded
    assert rig.kept_bytes("engine") == 0
    assert rig.speak().duration_s > 0


def test_a_cancelled_job_says_nothing_to_the_next_one(rig):
    rig.engine.load(NotingControl())
    control = NotingControl()
    rig.speak("first", control)
    control.cancel.cancel()
    assert rig.speak("second").duration_s > 0


# -- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAULTS)
def test_every_error_is_the_same_class_and_sentence_and_the_next_request_works(rig, name):
    expected = seen(FAULTS[name]())
    with pytest.raises(BaseException) as failed:
        rig.speak(f"fail:{name}")
    found = seen(failed.value)
    assert type(found) is type(expected)
    for language in LANGUAGES:
        readable = expected.text(language).encode("utf-8", "replace")
        assert found.text(language).encode("utf-8", "replace") == readable
    if isinstance(expected, OutOfMemoryError):
        assert found.requested_bytes == expected.requested_bytes
    assert rig.speak().duration_s > 0


@pytest.mark.parametrize("name", ["CheckpointError", "sized", "memory", "unexpected", "panic"])
def test_an_engine_that_cannot_be_loaded_says_why_and_is_tried_again(rig, name):
    rig.host.release(UNLOAD)
    (rig.folder / ON_LOAD).write_text(f"fail:{name}", "utf-8")
    expected = seen(FAULTS[name]())
    with pytest.raises(BaseException) as failed:
        rig.engine.load(NotingControl())
    assert type(seen(failed.value)) is type(expected)
    assert seen(failed.value).text("zh") == expected.text("zh")
    assert not rig.engine.loaded
    (rig.folder / ON_LOAD).unlink()
    assert rig.speak().duration_s > 0
