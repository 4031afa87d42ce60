"""The commands around the checkpoint: what is there, what is missing and what to do."""

from __future__ import annotations

import shutil

import pytest

from glmtts_core.cli.checkpoint import fetch_checkpoint
from glmtts_core.cli.main import main
from glmtts_core.engines.glmtts.checkpoint.download import Wanted
from tests.engines.glmtts.official_layout import write_checkpoint


@pytest.fixture(autouse=True)
def checkpoint_of_its_own(english_shell_in_an_empty_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("GLMTTS_CKPT", str(tmp_path / "ckpt"))


def test_check_lists_a_whole_checkpoint(tmp_path, capsys):
    write_checkpoint(tmp_path / "ckpt")
    assert main(["check"]) == 0
    told = capsys.readouterr().out
    assert told.count("✓") == 7
    assert ", float32" in told
    assert "can speak with it at 24 kHz, 32 kHz" in told


def test_check_says_what_is_missing_and_what_to_do(tmp_path, capsys):
    checkpoint = write_checkpoint(tmp_path / "models")
    checkpoint.flow_file.unlink()
    assert main(["check", "--ckpt", "models"]) == 1
    told = capsys.readouterr().out
    assert "✗ flow: " in told
    assert "flow.pt is missing" in told
    assert told.count("python glmtts_inference.py download") == 2


def test_check_says_that_one_vocoder_costs_one_rate(tmp_path, capsys):
    write_checkpoint(tmp_path / "ckpt", vocos=False)
    assert main(["check"]) == 0
    told = capsys.readouterr().out
    assert "– 32 kHz vocoder" in told
    assert "Without the 32 kHz vocoder it speaks at 24 kHz only" in told


def test_check_of_nothing_fails_and_names_the_folder(tmp_path, capsys):
    assert main(["check"]) == 1
    told = capsys.readouterr().out
    assert f"Checkpoint in {tmp_path / 'ckpt'}" in told
    assert "One of the two vocoders is needed" in told


def test_check_speaks_chinese(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GLMTTS_LANGUAGE", "zh")
    assert main(["check"]) == 1
    assert "缺少文件" in capsys.readouterr().out


def test_the_setting_names_the_folder(tmp_path, capsys, monkeypatch):
    write_checkpoint(tmp_path / "elsewhere")
    monkeypatch.setenv("GLMTTS_CKPT", str(tmp_path / "elsewhere"))
    assert main(["check"]) == 0


def test_download_fetches_and_then_says_what_is_there(tmp_path, capsys):
    official = write_checkpoint(tmp_path / "official")

    def fetch(wanted: Wanted) -> None:
        if wanted.patterns == ("campplus.onnx",):
            shutil.copy(official.speaker_file, wanted.folder)
        else:
            shutil.copytree(official.root, wanted.folder, dirs_exist_ok=True)

    assert fetch_checkpoint(tmp_path / "ckpt", "huggingface", "en", fetch) == 0
    told = capsys.readouterr().out
    assert "1 of 2: zai-org/GLM-TTS" in told
    assert "can speak with it" in told


def test_a_download_without_a_connection_is_one_sentence(capsys, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert main(["download", "--ckpt", "ckpt"]) == 1
    told = capsys.readouterr().err
    assert "could not be fetched from huggingface" in told
    assert "Traceback" not in told


def test_an_unknown_source_is_wrong_usage():
    assert main(["download", "--source", "elsewhere"]) == 2
