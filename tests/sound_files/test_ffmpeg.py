"""Recordings of phones and browsers: through ffmpeg where it is, else one sentence what to do."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from glmtts_core import audio
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.errors import AudioError
from glmtts_core.sound_files import ffmpeg
from glmtts_core.sound_files.formats import AUDIO_SUFFIXES, KINDS
from tests import ffmpeg_stub
from tests.ffmpeg_stub import PACKED

pytestmark = pytest.mark.process
every_kind = pytest.mark.parametrize("data", PACKED.values(), ids=PACKED)
_REAL = shutil.which("ffmpeg")


@pytest.fixture
def path(tmp_path: Path, monkeypatch) -> Path:
    """A folder that is the only one in which programs are looked for."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "sleep").symlink_to(shutil.which("sleep") or "sleep")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def seconds(decoded: audio.Audio) -> float:
    return len(decoded.samples) / decoded.sample_rate_hz


def refused(data: bytes, **limits: float) -> AudioError:
    with pytest.raises(AudioError) as caught:
        audio.decode(data, "clip.m4a", **limits)
    for language in LANGUAGES:
        assert "clip.m4a" in caught.value.text(language)
    return caught.value


@every_kind
def test_without_ffmpeg_one_sentence_says_what_to_do(path, data):
    error = refused(data)
    assert error.message.key == "audio.needs_ffmpeg"
    for language in LANGUAGES:
        assert "ffmpeg" in error.text(language)
        assert "WAV" in error.text(language)


@every_kind
def test_ffmpeg_decodes_what_libsndfile_does_not(path, data):
    asked = ffmpeg_stub.install(path, ffmpeg_stub.GIVES_SOUND)
    decoded = audio.decode(data, "clip.m4a", max_s=60.0)
    assert (decoded.sample_rate_hz, seconds(decoded)) == (24_000, 1.0)
    assert np.abs(decoded.samples).max() == pytest.approx(9000 / 32768, rel=0.01)
    assert asked.exists()


def test_ffmpeg_opens_the_one_file_only_as_the_kind_that_its_bytes_tell(path, monkeypatch):
    monkeypatch.setenv("GLMTTS_API_TOKEN", "hunter2")
    monkeypatch.setenv("FFREPORT", "file=here.log")
    asked = ffmpeg_stub.asked_of(_decoded_by_stub(path, PACKED["m4a"]))
    arguments = asked["arguments"]
    before = arguments[: arguments.index("-i")]
    assert before[before.index("-protocol_whitelist") + 1] == "file,pipe"
    assert before[before.index("-f") + 1] == "mov"
    assert "-nostdin" in before
    assert arguments[arguments.index("-i") + 1].startswith("file:/")
    assert arguments[arguments.index("-map") + 1] == "0:a:0"
    assert arguments[arguments.index("-t") + 1] == "61"
    assert not {"GLMTTS_API_TOKEN", "FFREPORT"} & asked["environment"].keys()


def _decoded_by_stub(path: Path, data: bytes) -> Path:
    asked = ffmpeg_stub.install(path, ffmpeg_stub.GIVES_SOUND)
    audio.decode(data, "clip", max_s=60.0)
    return asked


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b"hello",
        b"RIFF" + bytes(40),
        b"OggS" + bytes(60),
    ],
)
def test_what_is_none_of_these_kinds_never_reaches_ffmpeg(path, data):
    asked = ffmpeg_stub.install(path, ffmpeg_stub.GIVES_SOUND)
    assert refused(data).message.key == "audio.unreadable"
    assert not asked.exists()


def opus() -> bytes:
    target = io.BytesIO()
    soundfile.write(target, np.zeros(48_000, np.float32), 48_000, format="OGG", subtype="OPUS")
    return target.getvalue()


@pytest.mark.skipif("OPUS" not in soundfile.available_subtypes("OGG"), reason="no Opus here")
def test_a_cut_off_opus_file_is_damaged_where_libsndfile_reads_opus(path):
    error = refused(opus()[:60])
    assert error.message.key == "audio.unreadable"
    for language in LANGUAGES:
        assert KINDS in error.text(language)


def test_opus_takes_ffmpeg_where_libsndfile_does_not_read_it(path, monkeypatch):
    monkeypatch.setattr(soundfile, "available_subtypes", lambda _format: {"VORBIS": "Vorbis"})
    assert refused(opus()[:60]).message.key == "audio.needs_ffmpeg"


@pytest.mark.parametrize("ending", [".awb", ".spx"])
def test_kinds_that_are_known_by_their_bytes_are_known_by_their_endings(ending):
    assert ending in AUDIO_SUFFIXES


@pytest.mark.parametrize("does", [ffmpeg_stub.REFUSES, ffmpeg_stub.GIVES_RUBBISH])
def test_a_file_that_ffmpeg_cannot_read_is_told(path, does):
    ffmpeg_stub.install(path, does)
    assert refused(PACKED["m4a"]).message.key == "audio.unreadable"


def test_a_recording_that_is_too_long_is_told_without_being_decoded_whole(path):
    ffmpeg_stub.install(path, ffmpeg_stub.GIVES_SOUND, seconds=3)
    error = refused(PACKED["m4a"], max_s=2.0)
    assert (error.message.key, error.message.details["limit"]) == ("audio.longer", "2")


def test_what_ffmpeg_writes_is_bounded(path, monkeypatch):
    monkeypatch.setattr(ffmpeg, "_MAX_BYTES", 2**22)
    ffmpeg_stub.install(path, ffmpeg_stub.NEVER_STOPS_WRITING)
    assert refused(PACKED["m4a"]).message.key == "audio.too_large"


def test_ffmpeg_is_ended_with_all_that_it_started_where_it_takes_too_long(path, monkeypatch):
    monkeypatch.setattr(ffmpeg, "_TIMEOUT_S", 1.0)
    ffmpeg_stub.install(path, ffmpeg_stub.HANGS)
    started_s = time.monotonic()
    assert refused(PACKED["m4a"]).message.key == "audio.ffmpeg_slow"
    assert time.monotonic() - started_s < 30


def test_nothing_is_left_behind(path, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    _decoded_by_stub(path, PACKED["webm"])
    ffmpeg_stub.install(path, ffmpeg_stub.REFUSES)
    refused(PACKED["webm"])
    assert list(scratch.iterdir()) == []


@pytest.mark.skipif(_REAL is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize(
    ("ending", "codec"),
    [
        ("m4a", "aac"),
        ("mov", "aac"),
        ("aac", "aac"),
        ("3gp", "aac"),
        ("webm", "libopus"),
        ("mka", "libvorbis"),
        ("wma", "wmav2"),
        ("amr", "libopencore_amrnb"),
    ],
)
def test_the_real_ffmpeg_decodes_what_it_encoded(tmp_path, ending, codec):
    encoders = subprocess.run([_REAL, "-encoders"], capture_output=True, text=True, check=True)
    if f" {codec} " not in encoders.stdout:
        pytest.skip(f"this ffmpeg does not encode {codec}")
    rate_hz = 8_000 if ending == "amr" else 48_000
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * rate_hz) / rate_hz)).astype(np.float32)
    source = io.BytesIO()
    soundfile.write(source, tone, rate_hz, format="WAV")
    target = tmp_path / f"clip.{ending}"
    command = [_REAL, "-i", "pipe:0", "-c:a", codec, "-y", str(target)]
    subprocess.run(command, input=source.getvalue(), capture_output=True, check=True)
    decoded = audio.decode(target.read_bytes(), target.name, max_s=10.0)
    assert decoded.sample_rate_hz == rate_hz
    assert seconds(decoded) == pytest.approx(2.0, abs=0.15)
    assert audio.measure(decoded.samples, rate_hz).rms == pytest.approx(0.354, rel=0.15)
    assert refused_as_too_long(target)


def refused_as_too_long(file: Path) -> bool:
    with pytest.raises(AudioError) as caught:
        audio.decode(file.read_bytes(), file.name, max_s=0.5)
    return caught.value.message.key == "audio.longer"
