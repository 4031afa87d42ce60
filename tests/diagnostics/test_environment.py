"""The report tells what the program runs on, and nothing that is nobody's business."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.diagnostics.environment import (
    SettingOrigin,
    environment,
    limits,
    settings_in_force,
)
from glmtts_core.diagnostics.environment_report import report
from glmtts_core.diagnostics.masking import masked
from glmtts_core.memory.nvml import Nvml
from glmtts_core.settings import ENV_FILE, load_settings, setting_names
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import ScriptedEngine

TOKEN = "the-secret-token"


def test_every_setting_is_told_with_where_it_comes_from(tmp_path, monkeypatch):
    env_file = tmp_path / ".env"
    env_file.write_text("GLMTTS_THREADS=3\nGLMTTS_MONITOR_HZ=4\nGLMTTS_DEVICE=\n")
    monkeypatch.setenv("GLMTTS_MONITOR_HZ", "2")
    monkeypatch.setenv("glmtts_language", "zh")
    told = {each.name: each for each in settings_in_force(load_settings(env_file), env_file)}
    assert list(told) == setting_names()
    origins = {
        "GLMTTS_THREADS": ("3", SettingOrigin.ENV_FILE),
        "GLMTTS_MONITOR_HZ": ("2.0", SettingOrigin.ENVIRONMENT),
        "GLMTTS_LANGUAGE": ("zh", SettingOrigin.ENVIRONMENT),
        "GLMTTS_DEVICE": ("auto", SettingOrigin.DEFAULT),
        "GLMTTS_MAX_TEXT_CHARS": ("5000", SettingOrigin.DEFAULT),
    }
    assert {name: (told[name].value, told[name].origin) for name in origins} == origins


def test_the_file_that_is_looked_into_is_the_programs_own(studio, tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("GLMTTS_THREADS=3\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert environment(studio).settings == settings_in_force(studio.settings, ENV_FILE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_holds_no_token_and_no_private_path(settings, monkeypatch, tmp_path, language):
    monkeypatch.setenv("HOME", str(tmp_path / "secret-user"))
    private = tmp_path / "secret-user" / "secret-project"
    monkeypatch.setenv("GLMTTS_API_TOKEN", TOKEN)
    monkeypatch.setenv("GLMTTS_OUTPUT_DIR", str(private / "outputs"))
    monkeypatch.setenv("GLMTTS_CACHE_DIR", str(tmp_path / "secret-customer" / "cache"))
    monkeypatch.setenv("GLMTTS_DEVICE", "cpu")
    with closing(Studio(load_settings(None), ScriptedEngine)) as studio:
        words = report(environment(studio), language)
    assert TOKEN not in words
    assert "secret" not in words
    assert str(tmp_path) not in words
    assert "GLMTTS_API_TOKEN=***" in words
    assert "GLMTTS_OUTPUT_DIR=~/…/outputs" in words
    assert "GLMTTS_CACHE_DIR=/…/cache" in words


def test_the_report_names_versions_system_and_memory(studio):
    words = report(environment(studio), "en")
    for told in ("glm-tts-studio 0.", "python 3.", "torch 2.", "onnxruntime ", "Linux", " GiB"):
        assert told in words


def test_unknown_figures_are_told_with_their_reason(studio):
    found = environment(studio)
    for message in found.messages:
        assert masked(message.text("en")) in report(found, "en")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("cannot read /srv/customer/model.onnx (denied)", "cannot read /…/model.onnx (denied)"),
        ("in /srv/customer/folder/", "in /…/folder"),
        (r"C:\Users\anna\model.onnx is damaged", r"…\model.onnx is damaged"),
        ("24/32 kHz and/or 1/2", "24/32 kHz and/or 1/2"),
        ("outputs/sessions", "outputs/sessions"),
        ("http://127.0.0.1:7860/api/cleanup", "http://127.0.0.1:7860/api/cleanup"),
    ],
)
def test_absolute_paths_are_masked_and_other_words_are_not(words, shown):
    assert masked(words) == shown


def test_the_home_folder_is_masked_wherever_it_stands(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    assert masked("open '/home/anna/x/model.bin' or /home/anna") == "open '~/…/model.bin' or ~"
    assert "anna" not in masked(f"{Path.home()}/.cache/glm-tts-studio")


def test_the_limits_of_this_process_are_known():
    found = limits()
    assert found.processors >= 1
    assert found.open_files is None or found.open_files > 0


def test_without_a_driver_there_is_no_version_of_it():
    nvml = Nvml()
    if nvml.read().devices:
        assert nvml.driver_version()
    else:
        assert nvml.driver_version() is None
