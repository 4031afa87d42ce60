"""Sound in, sound out, and its measures, with real files' bytes."""

from __future__ import annotations

import io
import struct
import tracemalloc
import wave

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core import audio
from glmtts_core.errors import AudioError

RATE_HZ = 24_000


def tone(seconds: float = 0.5, hz: float = 440.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * hz * times_s)).astype(np.float32)


def file_of(samples: np.ndarray, kind: str, subtype: str | None = None) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, samples, RATE_HZ, format=kind, subtype=subtype)
    return target.getvalue()


def seconds(decoded: audio.Audio) -> float:
    return len(decoded.samples) / decoded.sample_rate_hz


def refused(data: bytes, **limits: float) -> str:
    with pytest.raises(AudioError) as caught:
        audio.decode(data, "clip.wav", **limits)
    assert "clip.wav" in caught.value.text("zh")
    assert "clip.wav" in caught.value.text("en")
    return caught.value.message.key


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_every_promised_format_is_decoded(kind):
    decoded = audio.decode(file_of(tone(), kind), "clip")
    assert decoded.sample_rate_hz == RATE_HZ
    assert decoded.samples.dtype == np.float32
    assert seconds(decoded) == pytest.approx(0.5, abs=0.06)  # MP3 pads by up to two frames
    rms = np.sqrt(np.mean(np.square(decoded.samples)))
    assert rms == pytest.approx(0.354, rel=0.1)


def test_opus_is_decoded():
    target = io.BytesIO()
    soundfile.write(target, tone(rate_hz=48_000), 48_000, format="OGG", subtype="OPUS")
    decoded = audio.decode(target.getvalue(), "clip.opus")
    assert seconds(decoded) == pytest.approx(0.5, abs=0.06)
    rms = np.sqrt(np.mean(np.square(decoded.samples)))
    assert rms == pytest.approx(0.354, rel=0.1)


# -- headers that do not tell the length -------------------------------------------------------


def wav_claiming(riff: int, size: int, subtype: str | None = None, extra: bytes = b"") -> bytes:
    """Return a WAV file with other lengths in its header, and a chunk before the samples."""
    data = bytearray(file_of(tone(), "WAV", subtype))
    at = data.index(b"data")
    data[at:at] = extra
    struct.pack_into("<I", data, 4, riff)
    struct.pack_into("<I", data, at + len(extra) + 4, size)
    return bytes(data)


@pytest.mark.parametrize("riff", [0, 36, 0xFFFFFFFF])
@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFF00])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "ULAW"])
def test_a_wav_that_was_written_into_a_pipe_is_read_to_its_end(riff, size, subtype):
    whole = audio.decode(file_of(tone(), "WAV", subtype), "clip").samples
    assert np.array_equal(audio.decode(wav_claiming(riff, size, subtype), "clip").samples, whole)


def test_a_chunk_before_the_samples_does_no_harm_to_a_length_of_zero():
    info = b"LIST" + struct.pack("<I", 4) + b"INFO"
    assert seconds(audio.decode(wav_claiming(0, 0, extra=info), "clip")) == 0.5


def test_half_a_sample_at_the_end_is_left_out():
    assert seconds(audio.decode(wav_claiming(0, 0) + b"\x01", "clip")) == 0.5


def test_a_length_of_zero_does_not_get_round_the_limit():
    assert refused(wav_claiming(0, 0), max_s=0.4) == "audio.too_long"


def test_a_wav_without_samples_before_another_chunk_is_empty():
    info = b"LIST" + struct.pack("<I", 4) + b"INFO"
    empty = file_of(np.zeros(0, np.float32), "WAV")
    assert refused(empty + info) == "audio.no_frames"


@pytest.mark.parametrize("sizes", [(0, 0, 0), (2**64 - 1, 2**64 - 1, 0)])
def test_a_large_wav_may_lack_its_length_too(sizes):
    data = bytearray(file_of(tone(), "RF64"))
    struct.pack_into("<QQQ", data, data.index(b"ds64") + 8, *sizes)
    assert seconds(audio.decode(bytes(data), "clip")) == 0.5


def test_a_flac_that_was_written_into_a_pipe_is_read_to_its_end():
    data = bytearray(file_of(tone(), "FLAC"))
    (packed,) = struct.unpack_from(">Q", data, 18)
    struct.pack_into(">Q", data, 18, packed & ~(2**36 - 1))
    assert seconds(audio.decode(bytes(data), "clip")) == 0.5
    assert refused(bytes(data), max_s=0.4) == "audio.too_long"


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_an_au_that_was_written_into_a_pipe_is_read_to_its_end(length):
    data = bytearray(file_of(tone(), "AU"))
    struct.pack_into(">I", data, 8, length)
    assert seconds(audio.decode(bytes(data), "clip")) == 0.5


@given(st.binary(max_size=120), st.sampled_from([b"RIFF", b"RIFX", b"RF64"]))
def test_no_header_raises_anything_but_our_error(data, start):
    try:
        audio.decode(start + data[:4].ljust(4) + b"WAVE" + data[4:], "clip", max_s=10.0)
    except AudioError as error:
        assert error.text("zh")


def test_two_channels_stay_two_until_they_are_mixed():
    both = np.stack([tone(), -tone()], axis=1)
    decoded = audio.decode(file_of(both, "WAV"), "clip")
    assert decoded.samples.shape == both.shape
    assert np.abs(audio.to_mono(decoded.samples)).max() < 1e-4


def test_channels_are_mixed_on_request():
    both = np.stack([tone(), np.zeros_like(tone())], axis=1)
    decoded = audio.decode(file_of(both, "WAV"), "clip", mono=True)
    assert decoded.samples.shape == (len(both),)
    assert decoded.samples == pytest.approx(tone() / 2, abs=1e-4)


@pytest.mark.parametrize(("channels", "rate_hz"), [(9, 48_000), (1, 192_001), (1, 3_999), (1, 1)])
def test_a_layout_that_no_voice_has_is_refused_without_decoding(channels, rate_hz, monkeypatch):
    target = io.BytesIO()
    soundfile.write(target, np.zeros((100, channels)), rate_hz, format="WAV")
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_: pytest.fail("decoded"))
    assert refused(target.getvalue()) == "audio.unusable"


def test_the_channels_of_a_small_file_are_not_in_memory_before_they_are_mixed():
    silence = np.zeros((192_000 * 4, 8), np.float32)
    target = io.BytesIO()
    soundfile.write(target, silence, 192_000, format="FLAC")
    tracemalloc.start()
    audio.decode(target.getvalue(), "clip", mono=True)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < silence.nbytes / 2 + 4 * 2**20


def test_an_empty_file_is_refused():
    assert refused(b"") == "audio.empty"


@pytest.mark.parametrize("data", [b"hello", b"RIFF", b"\x00" * 4096, b"ID3" + b"\xff" * 400])
def test_what_is_not_audio_is_refused(data):
    assert refused(data) in {"audio.unreadable", "audio.no_frames"}


def test_audio_without_a_single_frame_is_refused():
    assert refused(file_of(np.zeros(0, np.float32), "WAV")) == "audio.no_frames"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_invalid_samples_are_refused(value):
    samples = tone()
    samples[100] = value
    assert refused(file_of(samples, "WAV", "FLOAT")) == "audio.not_finite"


def test_what_is_too_long_is_refused_and_says_by_how_much():
    with pytest.raises(AudioError, match=r"lasts 2\.0 s; at most 1 s"):
        audio.decode(file_of(tone(2.0), "FLAC"), "clip", max_s=1.0)


def test_a_header_that_says_too_long_is_refused_without_decoding(monkeypatch):
    data = file_of(tone(2.0), "FLAC")
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_: pytest.fail("decoded"))
    assert refused(data, max_s=1.0) == "audio.too_long"


def test_a_header_that_claims_more_than_there_is_costs_nothing():
    data = bytearray(file_of(tone(), "FLAC"))
    # STREAMINFO: the low 36 bits of the eight bytes at 18 are the number of samples
    (packed,) = struct.unpack_from(">Q", data, 18)
    struct.pack_into(">Q", data, 18, packed | (2**36 - 1))
    assert refused(bytes(data), max_s=60.0) == "audio.too_long"
    try:
        decoded = audio.decode(bytes(data), "clip")
    except AudioError:
        return
    assert seconds(decoded) < 1.0


def test_a_file_that_breaks_off_gives_what_is_there():
    data = file_of(tone(), "WAV")
    half = audio.decode(data[: len(data) // 2], "clip")
    assert seconds(half) == pytest.approx(0.25, abs=0.01)


@given(st.binary(max_size=400), st.sampled_from([b"", b"RIFF", b"fLaC", b"OggS", b"\xff\xfb"]))
def test_no_bytes_raise_anything_but_our_error(data, start):
    try:
        audio.decode(start + data, "clip", max_s=10.0)
    except AudioError as error:
        assert error.text("zh")


@given(st.integers(0, 3), st.integers(0, 60), st.binary(min_size=1, max_size=8))
def test_no_damaged_file_raises_anything_but_our_error(which, position, damage):
    data = bytearray(file_of(tone(0.05), ["WAV", "FLAC", "OGG", "MP3"][which]))
    data[position : position + len(damage)] = damage
    try:
        audio.decode(bytes(data), "clip", max_s=10.0)
    except AudioError as error:
        assert error.text("zh")


def test_sixteen_bits_survive_the_round_trip_exactly():
    every = (np.arange(-32768, 32768, dtype=np.int32) / 32768).astype(np.float32)
    decoded = audio.decode(audio.encode_wav(every, RATE_HZ), "clip")
    assert np.array_equal(decoded.samples, every)


def test_what_is_beyond_full_scale_is_clipped_and_never_wraps():
    loud = np.array([1.0, 1.5, 40000.0, -1.0, -1.5, -40000.0], np.float32)
    with wave.open(io.BytesIO(audio.encode_wav(loud, RATE_HZ))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        pcm = np.frombuffer(file.readframes(6), "<i2")
    assert pcm.tolist() == [32767, 32767, 32767, -32768, -32768, -32768]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_invalid_samples_are_not_written(value):
    with pytest.raises(AudioError, match="invalid sample values"):
        audio.encode_wav(np.array([0.0, value], np.float32), RATE_HZ)


@pytest.mark.parametrize("to_hz", [16_000, 32_000, 44_100, 24_001])
def test_resampling_keeps_length_and_pitch(to_hz):
    resampled = audio.resample(tone(1.0), RATE_HZ, to_hz)
    assert resampled.dtype == np.float32
    assert len(resampled) == pytest.approx(to_hz, rel=1e-3)
    spectrum = np.abs(np.fft.rfft(resampled * np.hanning(len(resampled))))
    assert np.argmax(spectrum) * to_hz / len(resampled) == pytest.approx(440, abs=1.0)


#: Pairs of rates: usual, and odd.
RATES = [(24_000, 32_000), (44_100, 24_000), (8_000, 24_000), (24_000, 24_001), (7_919, 48_000)]


def test_resampling_down_lets_nothing_alias():
    for hz in (8_100, 9_000, 11_000):
        high = tone(1.0, hz=hz)
        # the edges are steps of the tone's envelope, whose spectrum reaches everywhere
        assert np.abs(audio.resample(high, RATE_HZ, 16_000)[400:-400]).max() < 1e-4


@pytest.mark.parametrize("rates", RATES)
def test_resampling_keeps_what_both_rates_can_hold(rates):
    from_hz, to_hz = rates
    for share in (0.01, 0.3, 0.9):
        hz = share * min(rates) / 2
        found = audio.resample(tone(1.0, hz, from_hz), from_hz, to_hz)
        expected = tone(1.0, hz, to_hz)
        edge = to_hz // 20
        np.testing.assert_allclose(found[edge:-edge], expected[edge:-edge], atol=5e-4)  # 0.01 dB


@pytest.mark.parametrize("rates", [*RATES, (192_000, 8_000), (48_000, 7_919)])
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 10, 777, 9_600])
@pytest.mark.parametrize("channels", [(), (1,), (2,)])
def test_resampling_gives_the_length_rounded_up(rates, frames, channels):
    from_hz, to_hz = rates
    samples = np.random.default_rng(0).uniform(-1, 1, (frames, *channels)).astype(np.float32)
    found = audio.resample(samples, from_hz, to_hz)
    assert found.shape == (-(-frames * to_hz // from_hz), *channels)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert np.array_equal(found, audio.resample(samples, from_hz, to_hz))


def test_resampling_keeps_channels_apart():
    both = np.stack([tone(), np.zeros_like(tone())], axis=1)
    resampled = audio.resample(both, RATE_HZ, 32_000)
    assert resampled.shape == (16_000, 2)
    assert not resampled[:, 1].any()


@pytest.mark.parametrize("seconds", [0.001, 1.0, 60.0])
def test_a_spectrogram_stays_small_however_long_the_sound(seconds):
    mel = audio.log_mel(tone(seconds), RATE_HZ)
    assert mel.shape[0] == 80
    assert 1 <= mel.shape[1] <= 1001
    assert np.isfinite(mel).all()


def test_a_higher_tone_lights_a_higher_band():
    low, high = (audio.log_mel(tone(hz=hz), RATE_HZ).mean(axis=1).argmax() for hz in (300, 3000))
    assert low < high


@given(st.integers(0, 50), st.integers(1, 20))
def test_an_envelope_spans_every_sample(frames, points):
    samples = np.linspace(-1, 1, frames, dtype=np.float32) if frames else np.zeros(0, np.float32)
    lows, highs = audio.envelope(samples, points)
    assert len(lows) == len(highs) == min(points, frames)
    if frames:
        assert lows.min() == samples.min()
        assert highs.max() == samples.max()
