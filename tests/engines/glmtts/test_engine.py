"""The engine speaks at both rates, repeats itself, keeps account, and stands any interruption."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from glmtts_core.engines.base import Stage
from glmtts_core.engines.glmtts.checkpoint.network_loading import CheckpointNetworks
from glmtts_core.engines.glmtts.checkpoint.weights import held_bytes
from glmtts_core.engines.glmtts.engine import GlmTtsEngine
from glmtts_core.engines.glmtts.network_source import MAIN_NETWORKS, NetworkName
from glmtts_core.engines.glmtts.precision import Precisions
from glmtts_core.engines.glmtts.rehearsal import RehearsalNetworks
from glmtts_core.errors import AudioError, RequestError, SynthesisCancelled, TextError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import WEIGHT_KINDS, Ledger, LedgerKind
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest
from tests.engines.glmtts.tiny_engine import TINY_SIZE, Rig, living_tensor_bytes, recording, request

# deprecated, but the form in which the official 32 kHz vocoder comes
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")

HELLO = request("hello.")
TWO_SENTENCES = request(
    "今天天气真的很好我们一起去公园散步然后再去吃饭喝茶聊天看电影唱歌跳舞，明天也一样。"
)


@pytest.fixture
def rig(settings: Settings) -> Rig:
    """An engine with tiny random networks."""
    return Rig(settings, RehearsalNetworks(TINY_SIZE))


def kept(rig: Rig, *kinds: LedgerKind) -> dict[str, int]:
    """What the ledger has of some kinds: bytes by name."""
    return {
        each.name: each.size_bytes for each in rig.ledger.snapshot().entries if each.kind in kinds
    }


@pytest.mark.parametrize("hz", [24_000, 32_000])
def test_a_checkpoint_in_the_official_layout_speaks(settings, tiny_checkpoint, hz):
    rig = Rig(settings, CheckpointNetworks(tiny_checkpoint.root))
    spoken = rig.engine.synthesize(HELLO.changed(sample_rate_hz=hz), rig.caches, rig.control)
    assert spoken.sample_rate_hz == hz
    assert spoken.samples.dtype == np.float32
    # a token lasts 40 ms, and the last frame may be missing
    tokens = round(spoken.duration_s * 25)
    assert 2 <= tokens <= 20 * len("hello.")
    assert abs(spoken.duration_s - tokens / 25) <= 0.02
    assert np.abs(spoken.samples).max() <= 1.0
    assert spoken.samples.std() > 0
    assert [each.stage for each in spoken.stages] == [
        Stage.TEXT,
        Stage.PROMPT,
        Stage.SPEECH_TOKENS,
        Stage.MEL,
        Stage.WAVEFORM,
    ]


def test_a_checkpoint_offers_the_rates_whose_vocoders_are_there(settings, own_checkpoint):
    def rates() -> list[int]:
        engine = Rig(settings, CheckpointNetworks(own_checkpoint.root)).engine
        return [each.hz for each in engine.capabilities.sample_rates]

    assert rates() == [24_000, 32_000]
    own_checkpoint.vocos_file.unlink()
    assert rates() == [24_000]


def test_a_checkpoint_has_no_voice_without_a_recording(settings, tiny_checkpoint):
    rig = Rig(settings, CheckpointNetworks(tiny_checkpoint.root))
    with pytest.raises(RequestError):
        rig.speak(HELLO, reference=None)


def test_the_same_seed_gives_the_same_sound_bit_for_bit(settings, rig):
    for hz in (24_000, 32_000):
        first = rig.speak(HELLO, sample_rate_hz=hz)
        assert np.array_equal(rig.speak(HELLO, sample_rate_hz=hz), first)
        rig.engine.release(CleanupLevel.UNLOAD)
        rig.caches.clear()
        assert np.array_equal(rig.speak(HELLO, sample_rate_hz=hz), first)
    other = Rig(settings, RehearsalNetworks(TINY_SIZE))
    assert np.array_equal(other.speak(HELLO, sample_rate_hz=32_000), first)


@pytest.mark.parametrize("hz", [24_000, 32_000])
def test_another_seed_gives_another_sound(rig, hz):
    one = rig.speak(HELLO, sample_rate_hz=hz, seed=1)
    assert not np.array_equal(rig.speak(HELLO, sample_rate_hz=hz, seed=2), one)


def test_without_a_seed_every_time_sounds_different(rig):
    assert not np.array_equal(rig.speak(HELLO, seed=None), rig.speak(HELLO, seed=None))


def test_sampling_methods_differ(rig):
    ras = rig.speak(HELLO, sampling="ras")
    assert np.array_equal(rig.speak(HELLO, sampling=None), ras)
    assert not np.array_equal(rig.speak(HELLO, sampling="topk"), ras)


def test_the_random_numbers_and_switches_of_others_are_left_alone(rig):
    torch.manual_seed(5)
    before = torch.random.get_rng_state(), torch.backends.cudnn.allow_tf32
    rig.speak(HELLO)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert torch.backends.cudnn.allow_tf32 == before[1]


def test_rates_can_be_switched_ten_times_without_a_cleanup(rig):
    sounds = [rig.speak(HELLO, sample_rate_hz=hz) for hz in (24_000, 32_000) * 5]
    assert all(np.array_equal(sound, sounds[index % 2]) for index, sound in enumerate(sounds))
    assert len(sounds[1]) * 3 == len(sounds[0]) * 4


def test_only_what_a_rate_needs_is_loaded(rig):
    rig.speak(HELLO, sample_rate_hz=32_000)
    assert NetworkName.HIFT not in kept(rig, *WEIGHT_KINDS)


def test_several_sentences_are_spoken_one_after_another(rig):
    rig.speak(TWO_SENTENCES)
    last = rig.control.reports[-1]
    assert (last.fraction, last.piece, last.pieces) == (1.0, 2, 2)
    fractions = [each.fraction for each in rig.control.reports if each.stage != Stage.LOADING]
    assert fractions == sorted(fractions)


def test_the_speech_tokens_of_each_sentence_are_counted_up_to_their_bound(rig):
    rig.speak(TWO_SENTENCES)
    counts = {1: [], 2: []}
    for each in rig.control.reports:
        if each.most_tokens:
            assert each.stage is Stage.SPEECH_TOKENS
            counts[each.piece].append((each.tokens, each.most_tokens))
    # a rehearsal speaks to its bound
    for told in counts.values():
        most = told[0][1]
        assert told == [(count, most) for count in range(1, most + 1)]


def test_loading_tells_how_far_it_is(rig):
    rig.engine.load(rig.control)
    fractions = [each.fraction for each in rig.control.reports]
    assert fractions[0] == 0.0
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len(set(fractions)) > 10


def test_the_same_recording_is_taken_apart_once(rig):
    rig.speak(HELLO)
    rig.engine.release(CleanupLevel.TRIM)
    rig.speak(HELLO, reference=recording(transcript="something else"))
    assert not {NetworkName.SPEECH_TOKENIZER, NetworkName.SPEAKER} & kept(rig, *WEIGHT_KINDS).keys()
    rig.speak(HELLO, reference=recording(seed=1))
    assert {NetworkName.SPEECH_TOKENIZER, NetworkName.SPEAKER} <= kept(rig, *WEIGHT_KINDS).keys()


def test_stereo_of_any_rate_can_be_cloned(rig):
    mono = recording(rate_hz=44_100)
    stereo = replace(mono, samples=np.stack([mono.samples, mono.samples[::-1]], axis=1))
    assert len(rig.speak(HELLO, reference=stereo))


def test_the_ledger_agrees_with_the_tensors_to_the_byte(rig):
    rig.speak(HELLO, sample_rate_hz=24_000, history=True)
    rig.speak(HELLO, sample_rate_hz=32_000)
    parts = RehearsalNetworks(TINY_SIZE)
    cpu = torch.device("cpu")
    assert kept(rig, LedgerKind.WEIGHTS) == {
        NetworkName.LANGUAGE_MODEL: held_bytes(parts.language_model(cpu, lambda _: None)),
        NetworkName.FLOW: held_bytes(parts.flow(cpu, lambda _: None)),
        NetworkName.VOCOS: parts.vocos(cpu).weights_bytes,
    }
    assert kept(rig, LedgerKind.SPARE_WEIGHTS) == {
        NetworkName.HIFT: held_bytes(parts.hift(cpu, lambda _: None)),
        NetworkName.SPEECH_TOKENIZER: held_bytes(parts.speech_tokenizer(cpu, lambda _: None)),
        NetworkName.SPEAKER: 0,
    }
    assert sum(kept(rig, LedgerKind.WORKSPACE).values()) > 0
    tokens, frames = 80, 160
    assert sorted(kept(rig, LedgerKind.VOICE_CACHE).values()) == sorted(
        [8 * tokens, 4 * 192, 4 * 80 * frames, 4 * 80 * frames]
    )


def test_every_tensor_that_is_kept_stands_in_the_ledger(rig):
    """Nothing else stays alive: what appears with a synthesis goes with unloading and clearing."""
    rig.speak(HELLO)  # tables that belong to the program, such as mel filters, exist from now on
    rig.engine.release(CleanupLevel.UNLOAD)
    rig.caches.clear()
    before = living_tensor_bytes()
    rig.speak(HELLO, history=True)
    # one storage may serve two networks' buffers, but none of ours does
    assert living_tensor_bytes() - before == rig.ledger.snapshot().total_bytes()
    rig.engine.release(CleanupLevel.UNLOAD)
    rig.caches.clear()
    assert (living_tensor_bytes(), rig.ledger.snapshot().entries) == (before, ())


def test_a_trim_drops_what_the_settings_do_not_use(rig):
    rig.speak(HELLO, sample_rate_hz=24_000)
    rig.speak(HELLO, sample_rate_hz=32_000)
    rig.engine.release(CleanupLevel.TRIM)
    assert kept(rig, *WEIGHT_KINDS).keys() == {*MAIN_NETWORKS, NetworkName.VOCOS}
    assert not kept(rig, LedgerKind.WORKSPACE)
    assert rig.engine.loaded
    assert len(rig.speak(HELLO))


def test_a_trim_in_the_middle_changes_no_sample(rig):
    whole = rig.speak(TWO_SENTENCES, history=True)
    rig.caches.clear()

    def trim() -> None:
        rig.engine.release(CleanupLevel.TRIM)
        rig.caches.clear()

    rig.control.at_safe_point = trim
    assert np.array_equal(rig.speak(TWO_SENTENCES, history=True), whole)


def test_unloading_drops_everything_and_the_next_request_loads_again(rig):
    rig.speak(HELLO)
    rig.engine.release(CleanupLevel.UNLOAD)
    assert not rig.engine.loaded
    assert not kept(rig, *WEIGHT_KINDS, LedgerKind.WORKSPACE)
    assert len(rig.speak(HELLO))


def test_on_the_cpu_offloading_is_not_offered_and_trims(rig):
    assert CleanupLevel.OFFLOAD not in rig.engine.capabilities.release_levels
    rig.speak(HELLO)
    rig.engine.release(CleanupLevel.OFFLOAD)
    assert not kept(rig, LedgerKind.SPARE_WEIGHTS, LedgerKind.WORKSPACE)


@pytest.mark.parametrize(
    "stage",
    [Stage.LOADING, Stage.TEXT, Stage.PROMPT, Stage.SPEECH_TOKENS, Stage.MEL, Stage.WAVEFORM],
)
def test_a_stop_in_any_stage_is_honoured_and_the_next_request_works(settings, rig, stage):
    expected = Rig(settings, RehearsalNetworks(TINY_SIZE)).speak(HELLO)

    def stop(progress) -> None:
        if progress.stage is stage:
            rig.control.cancel.cancel()

    rig.control.on_report = stop
    with pytest.raises(SynthesisCancelled):
        rig.speak(HELLO)
    assert rig.control.stages()[-1] is stage
    rig.control = type(rig.control)()
    assert np.array_equal(rig.speak(HELLO), expected)


def test_a_stop_takes_one_token_or_one_step(rig):
    rig.engine.load(rig.control)
    for stage in (Stage.SPEECH_TOKENS, Stage.MEL):
        seen = 0

        def stop(progress, stage=stage) -> None:
            nonlocal seen
            seen += progress.stage is stage
            if seen == 4:
                rig.control.cancel.cancel()

        rig.control.on_report = stop
        with pytest.raises(SynthesisCancelled):
            rig.speak(HELLO)
        assert seen == 4
        rig.control = type(rig.control)()


def test_stopped_while_the_recording_is_taken_apart_its_networks_are_spare(rig):
    def stop(progress) -> None:
        if progress.stage is Stage.PROMPT and NetworkName.SPEECH_TOKENIZER in kept(
            rig, *WEIGHT_KINDS
        ):
            rig.control.cancel.cancel()

    rig.control.on_report = stop
    with pytest.raises(SynthesisCancelled):
        rig.speak(HELLO)
    assert kept(rig, LedgerKind.SPARE_WEIGHTS).keys() == {NetworkName.SPEECH_TOKENIZER}


def test_stopped_among_the_tokens_the_cache_is_counted_all_the_same(rig):
    def stop(progress) -> None:
        if progress.stage is Stage.SPEECH_TOKENS and progress.fraction > 0.2:
            rig.control.cancel.cancel()

    rig.control.on_report = stop
    with pytest.raises(SynthesisCancelled):
        rig.speak(HELLO)
    assert sum(kept(rig, LedgerKind.WORKSPACE).values()) > 0


@pytest.mark.parametrize(
    ("part", "label_key"),
    [
        (NetworkName.SPEECH_TOKENIZER, "check.part.speech_tokenizer"),
        (NetworkName.HIFT, "check.part.hift"),
    ],
)
@pytest.mark.parametrize("official", [False, True])
def test_a_network_that_is_loaded_on_demand_tells_how_far_it_is_and_can_be_stopped(
    settings, tiny_checkpoint, part, label_key, official
):
    def rig() -> Rig:
        parts = (
            CheckpointNetworks(tiny_checkpoint.root) if official else RehearsalNetworks(TINY_SIZE)
        )
        return Rig(settings, parts)

    whole = rig()
    expected = whole.speak(HELLO)
    told = [each for each in whole.control.reports if each.label_key == label_key]
    fractions = [each.fraction for each in told]
    assert {each.stage for each in told} == {Stage.LOADING}
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    # a file as small as these consists of its header for a good part
    assert fractions[-1] > 0.7
    stopped = rig()
    stopped.engine.load(stopped.control)

    def heard() -> list[float]:
        reports = stopped.control.reports
        return [each.fraction for each in reports if each.label_key == label_key]

    stopped.control.on_report = lambda _: len(heard()) == 4 and stopped.control.cancel.cancel()
    with pytest.raises(SynthesisCancelled):
        stopped.speak(HELLO)
    assert heard() == fractions[:4]
    assert stopped.control.reports[-1].label_key == label_key
    assert part not in kept(stopped, *WEIGHT_KINDS)
    stopped.control = type(stopped.control)()
    assert np.array_equal(stopped.speak(HELLO), expected)


def test_of_a_network_that_was_stopped_half_loaded_no_tensor_stays_alive(rig):
    rig.speak(HELLO)  # tables that belong to the program, such as mel filters, exist from now on
    rig.engine.release(CleanupLevel.UNLOAD)
    rig.caches.clear()
    before = living_tensor_bytes()

    def stop(progress) -> None:
        if progress.label_key == "check.part.speech_tokenizer" and progress.fraction > 0.3:
            rig.control.cancel.cancel()

    rig.control.on_report = stop
    with pytest.raises(SynthesisCancelled):
        rig.speak(HELLO)
    assert living_tensor_bytes() - before == rig.ledger.snapshot().total_bytes()


@pytest.mark.parametrize(
    ("part", "label_key"),
    [(NetworkName.SPEAKER, "check.part.speaker_model"), (NetworkName.VOCOS, "check.part.vocos")],
)
def test_a_network_that_comes_in_one_piece_is_named_and_can_be_stopped_before(
    settings, tiny_checkpoint, part, label_key
):
    rig = Rig(settings, CheckpointNetworks(tiny_checkpoint.root))

    def stop(progress) -> None:
        if progress.label_key == label_key:
            rig.control.cancel.cancel()

    rig.control.on_report = stop
    with pytest.raises(SynthesisCancelled):
        rig.speak(HELLO, sample_rate_hz=32_000)
    assert rig.control.reports[-1].label_key == label_key
    assert part not in kept(rig, *WEIGHT_KINDS)


def test_stopped_while_loading_nothing_half_loaded_stays(rig):
    rig.control.on_report = lambda progress: progress.fraction > 0.5 and rig.control.cancel.cancel()
    with pytest.raises(SynthesisCancelled):
        rig.engine.load(rig.control)
    assert not rig.ledger.snapshot().entries
    assert not rig.engine.loaded


@pytest.mark.parametrize(("seconds", "key"), [(2.9, "voice.too_short"), (30.1, "voice.too_long")])
def test_a_recording_that_cannot_serve_is_refused_before_anything_is_loaded(rig, seconds, key):
    with pytest.raises(AudioError) as error:
        rig.speak(HELLO, reference=recording(seconds))
    assert error.value.message.key == key
    assert not rig.engine.loaded


@pytest.mark.parametrize("text", ["", "。。。", "🎉"])
def test_text_with_nothing_to_say_is_refused(rig, text):
    with pytest.raises(TextError):
        rig.speak(HELLO, text=text)


def test_a_recording_without_its_text_can_be_cloned(rig):
    assert len(rig.speak(HELLO, reference=recording(transcript="")))


def test_a_rehearsal_needs_no_recording_and_says_what_it_is(settings):
    rig = Rig(settings, RehearsalNetworks(TINY_SIZE))
    assert "rehearsal" in rig.engine.capabilities.engine
    asked = SynthesisRequest(text="你好", voice=rig.engine.capabilities.voices[0].id, seed=0)
    assert len(rig.speak(asked))


def test_with_a_language_model_of_integers_it_speaks_and_repeats_itself(settings):
    sounds = [
        Rig(settings, RehearsalNetworks(TINY_SIZE, Precisions(int8=True))).speak(HELLO)
        for _ in range(2)
    ]
    assert np.array_equal(*sounds)
    assert not np.array_equal(sounds[0], Rig(settings, RehearsalNetworks(TINY_SIZE)).speak(HELLO))


@pytest.mark.parametrize(("device", "told"), [("cpu", False), ("cuda:0", True)])
def test_integers_that_a_gpu_has_no_use_for_are_told(settings, device, told):
    wanted = settings.model_copy(update={"language_model_int8": True})
    engine = GlmTtsEngine(
        wanted, Ledger(), device, RehearsalNetworks(TINY_SIZE, Precisions(int8=True))
    )
    assert [each.key for each in engine.messages] == ["glmtts.int8_for_cpu"] * told


def test_what_was_moved_to_the_host_is_loaded_before_it_speaks_and_says_the_same(settings):
    before = Rig(settings, RehearsalNetworks(TINY_SIZE)).speak(HELLO)
    rig = Rig(settings, RehearsalNetworks(TINY_SIZE))
    rig.speak(HELLO)
    assert rig.engine.ready
    rig.engine._networks.offload()
    assert (rig.engine.loaded, rig.engine.ready) == (True, False)
    rig.control.reports.clear()
    rig.engine.load(rig.control)
    assert rig.engine.ready
    assert Stage.LOADING in rig.control.stages()
    assert np.array_equal(rig.speak(HELLO), before)


@pytest.mark.parametrize(("fast", "told"), [(True, False), (False, True)])
def test_mixed_precision_where_it_is_slow_is_told(settings, monkeypatch, fast, told):
    monkeypatch.setattr("glmtts_core.engines.glmtts.engine.has_fast_bfloat16", lambda _: fast)
    wanted = settings.model_copy(update={"flow_precision": "mixed"})
    engine = GlmTtsEngine(wanted, Ledger(), "cpu", RehearsalNetworks(TINY_SIZE))
    assert [each.key for each in engine.messages] == ["glmtts.mixed_is_slow"] * told
