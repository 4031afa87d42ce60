"""Recordings of a batch: found by name, and no name leads out of their folder."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from glmtts_core.audio import encode_wav
from glmtts_core.batch_files import references
from glmtts_core.batch_files.references import ReferenceFolder
from glmtts_core.errors import AudioError, BatchError
from glmtts_core.sound_files.formats import AUDIO_SUFFIXES
from tests import ffmpeg_stub
from tests.ffmpeg_stub import PACKED

WAV = encode_wav(np.zeros(2400, np.float32), 24_000)
OTHER_WAV = encode_wav(np.ones(2400, np.float32) / 2, 24_000)


@pytest.fixture
def folder(tmp_path: Path) -> ReferenceFolder:
    (tmp_path / "secret.wav").write_bytes(OTHER_WAV)
    inside = tmp_path / "references"
    inside.mkdir()
    return ReferenceFolder(inside)


def packed(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return target


# -- kinds of recordings -----------------------------------------------------------------------


@pytest.mark.parametrize("ending", sorted(AUDIO_SUFFIXES))
def test_every_kind_that_can_be_decoded_is_a_reference(folder, ending):
    assert folder.add(f"anna{ending.upper()}", WAV) == f"anna{ending.upper()}"
    assert ReferenceFolder(folder.folder).find(f"anna{ending}") == f"anna{ending.upper()}"


def test_opus_is_read_without_another_program(folder):
    target = io.BytesIO()
    soundfile.write(target, np.zeros(48_000), 48_000, format="OGG", subtype="OPUS")
    folder.add("anna.opus", target.getvalue())
    assert len(folder.load("anna.opus", "", 60.0).samples) > 40_000


@pytest.mark.process
def test_a_recording_of_a_phone_is_kept_as_it_came_and_decoded_by_ffmpeg(
    folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    folder.add("anna.m4a", PACKED["m4a"])
    with pytest.raises(AudioError, match=r"anna\.m4a.*ffmpeg"):
        folder.load("anna.m4a", "", 60.0)
    ffmpeg_stub.install(tmp_path, ffmpeg_stub.GIVES_SOUND)
    assert folder.load("anna.m4a", "", 60.0).sample_rate_hz == 24_000
    assert folder.read("anna.m4a") == PACKED["m4a"]


# -- finding -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given_name",
    ["zh/anna.wav", "anna.wav", "ANNA.WAV", "examples/prompt/anna.wav", "zh\\anna.wav"],
)
def test_a_recording_is_found_by_its_path_or_by_its_name(folder, given_name):
    folder.add_zip("a.zip", packed(("zh/anna.wav", WAV)))
    assert folder.find(given_name) == "zh/anna.wav"


def test_a_name_that_two_have_is_not_guessed(folder):
    folder.add_zip("a.zip", packed(("zh/anna.wav", WAV), ("en/anna.wav", OTHER_WAV)))
    with pytest.raises(BatchError, match=r"zh/anna\.wav"):
        folder.find("anna.wav")
    assert folder.find("en/anna.wav") == "en/anna.wav"


@pytest.mark.parametrize(
    "given_name",
    [
        "../secret.wav",
        "x/../../secret.wav",
        "..\\secret.wav",
        "/etc/passwd",
        "C:/secret.wav",
        "file:///etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_folder(folder, given_name):
    with pytest.raises(BatchError) as caught:
        folder.find(given_name)
    assert caught.value.message.key == "batch.reference.outside"
    with pytest.raises(BatchError):
        folder.read(given_name)


def test_no_absolute_path_leads_out_of_the_folder(folder, tmp_path):
    for read in (folder.find, folder.read):
        with pytest.raises(BatchError):
            read(str(tmp_path / "secret.wav"))


def test_no_link_leads_out_of_the_folder(folder, tmp_path):
    (folder.folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    (folder.folder / "door").symlink_to(tmp_path)
    (folder.folder / "circle.wav").symlink_to(folder.folder / "circle.wav")
    for name in ("link.wav", "door/secret.wav", "circle.wav"):
        with pytest.raises(BatchError):
            folder.find(name)
    assert folder.names() == ()


def test_a_link_inside_the_folder_is_fine(folder):
    folder.add("anna.wav", WAV)
    (folder.folder / "same.wav").symlink_to(folder.folder / "anna.wav")
    assert folder.find("same.wav") == "anna.wav"


@given(st.text(max_size=40))
@hypothesis_settings(max_examples=50)
def test_whatever_a_line_names_only_recordings_inside_are_found(tmp_path_factory, given_name):
    folder = ReferenceFolder(tmp_path_factory.mktemp("references"))
    with pytest.raises(BatchError):
        folder.find(given_name)


def test_a_recording_is_loaded_with_its_transcript(folder):
    folder.add("anna.wav", WAV)
    loaded = folder.load("anna.wav", "你好", 60.0)
    assert (loaded.name, loaded.transcript, len(loaded.samples)) == ("anna.wav", "你好", 2400)


def test_what_is_no_sound_is_said_with_its_name(folder):
    folder.add("anna.wav", b"no sound")
    with pytest.raises(AudioError, match="anna"):
        folder.load("anna.wav", "", 60.0)


# -- adding ------------------------------------------------------------------------------------


def test_an_uploaded_file_lies_under_its_last_name(folder):
    assert folder.add("C:\\voices\\anna.wav", WAV) == "anna.wav"
    assert folder.add("../../anna.wav", WAV) == "anna.wav"
    assert folder.names() == ("anna.wav",)


def test_two_different_recordings_of_one_name_are_not_mixed_up(folder):
    folder.add("anna.wav", WAV)
    with pytest.raises(BatchError, match="anna"):
        folder.add("anna.wav", OTHER_WAV)
    assert folder.read("anna.wav") == WAV


@pytest.mark.parametrize("name", ["a.exe", "a", "a.wav.sh", "..", ""])
def test_only_recordings_are_stored(folder, name):
    with pytest.raises(BatchError):
        folder.add(name, WAV)


def test_a_zip_gives_its_recordings_and_says_what_it_leaves_out(folder):
    added = folder.add_zip(
        "a.zip",
        packed(
            ("zh/anna.wav", WAV),
            ("notes.txt", b"x"),
            ("__MACOSX/zh/._anna.wav", b"x"),
            (".DS_Store", b"x"),
            ("zh/", b""),
        ),
    )
    assert added.names == ("zh/anna.wav",)
    assert [error.message.key for error in added.refused] == ["batch.reference.not_audio"]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.wav",
        "/tmp/secret.wav",
        "a/../../secret.wav",
        "C:\\secret.wav",
        "a//b.wav",
        "x\n.wav",
    ],
)
def test_no_entry_of_a_zip_leads_out_of_the_folder(folder, tmp_path, name):
    before = set(tmp_path.parent.rglob("*.wav"))
    added = folder.add_zip("a.zip", packed((name, WAV)))
    assert added.names == ()
    assert [error.message.key for error in added.refused] == ["batch.reference.unsafe_name"]
    assert set(tmp_path.parent.rglob("*.wav")) == before
    assert (tmp_path / "secret.wav").read_bytes() == OTHER_WAV


def test_a_link_in_a_zip_is_not_unpacked(folder):
    link = zipfile.ZipInfo("anna.wav")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    added = folder.add_zip("a.zip", packed((link, b"../secret.wav")))
    assert added.names == ()
    assert not any(folder.folder.iterdir())


def test_a_zip_bomb_is_refused_before_it_is_unpacked(folder, monkeypatch):
    monkeypatch.setattr(references, "MAX_TOTAL_BYTES", 2**20)
    with pytest.raises(BatchError) as caught:
        folder.add_zip("a.zip", packed(("a.wav", bytes(2**20)), ("b.wav", bytes(2**20))))
    assert caught.value.message.key == "batch.reference.total"
    assert folder.names() == ()


def test_a_recording_that_is_too_large_is_refused_and_the_others_stay(folder, monkeypatch):
    monkeypatch.setattr(references, "MAX_FILE_BYTES", 2**16)
    added = folder.add_zip("a.zip", packed(("big.wav", bytes(2**20)), ("anna.wav", WAV)))
    assert added.names == ("anna.wav",)
    assert [error.message.key for error in added.refused] == ["batch.reference.too_large"]


def test_an_entry_that_lies_about_its_size_gives_no_more_than_it_claims(folder):
    data = bytearray(packed(("a.wav", bytes(2**20))).getvalue())
    # the unpacked size stands 24 bytes into the entry of the central directory
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = struct.pack("<I", 10)
    added = folder.add_zip("a.zip", io.BytesIO(bytes(data)))
    assert added.names == ()
    assert [error.message.key for error in added.refused] == ["batch.reference.damaged"]


def test_too_many_recordings_are_refused(folder, monkeypatch):
    monkeypatch.setattr(references, "MAX_FILES", 2)
    with pytest.raises(BatchError, match="2"):
        folder.add_zip("a.zip", packed(*((f"{n}.wav", WAV) for n in range(3))))


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip", bytes(100)])
def test_what_is_no_zip_is_said_with_its_name(folder, data):
    with pytest.raises(BatchError, match=r"a\.zip"):
        folder.add_zip("a.zip", io.BytesIO(data))


def test_names_that_chinese_windows_packs_are_read(folder):
    name = "佳妍.wav"
    data = packed(("x" * len(name.encode("gbk")), WAV)).getvalue()
    data = data.replace(b"x" * len(name.encode("gbk")), name.encode("gbk"))
    assert folder.add_zip("a.zip", io.BytesIO(data)).names == (name,)


@given(st.integers(0, 400), st.integers(0, 255))
@hypothesis_settings(max_examples=60)
def test_a_damaged_zip_never_crashes(tmp_path_factory, place, value):
    data = bytearray(packed(("anna.wav", WAV[:200]), ("b.wav", WAV[:100])).getvalue())
    data[place % len(data)] = value
    folder = ReferenceFolder(tmp_path_factory.mktemp("references"))
    try:
        folder.add_zip("a.zip", io.BytesIO(bytes(data)))
    except BatchError as error:
        assert error.text("en")
