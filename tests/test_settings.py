"""Settings from the environment and from ``.env``: what is taken, and what is refused how."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.errors import SettingsError
from glmtts_core.places import PROGRAM_DIR
from glmtts_core.quoting import quoted
from glmtts_core.settings import ENV_FILE, load_settings, setting_names


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_without_any_name_set_every_setting_has_a_default(env_file):
    settings = load_settings(env_file)
    assert (settings.device, settings.language, settings.api_token) == ("auto", "auto", None)


def test_a_name_in_the_environment_is_taken(env_file, monkeypatch):
    monkeypatch.setenv("GLMTTS_MAX_TEXT_CHARS", "123")
    assert load_settings(env_file).max_text_chars == 123


def test_a_name_in_the_env_file_is_taken(env_file):
    env_file.write_text("GLMTTS_LANGUAGE=zh\n", encoding="utf-8")
    assert load_settings(env_file).language == "zh"


def test_the_environment_goes_before_the_env_file(env_file, monkeypatch):
    env_file.write_text("GLMTTS_LANGUAGE=zh\n", encoding="utf-8")
    monkeypatch.setenv("GLMTTS_LANGUAGE", "en")
    assert load_settings(env_file).language == "en"


def test_the_env_file_beside_the_program_is_read_wherever_it_is_started(tmp_path, monkeypatch):
    assert ENV_FILE == PROGRAM_DIR / ".env"
    assert (PROGRAM_DIR / "streamlit_app.py").is_file()
    (tmp_path / ".env").write_text("GLMTTS_THREADS=many\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    load_settings()


def test_a_relative_folder_counts_from_the_program(env_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    env_file.write_text("GLMTTS_OUTPUT_DIR=spoken/here\n", encoding="utf-8")
    settings = load_settings(env_file)
    assert (settings.output_dir, settings.ckpt) == (
        PROGRAM_DIR / "spoken/here",
        PROGRAM_DIR / "ckpt",
    )


def test_a_tilde_in_a_folder_is_the_home_folder(env_file, monkeypatch):
    env_file.write_text("GLMTTS_OUTPUT_DIR=~/spoken\n", encoding="utf-8")
    monkeypatch.setenv("GLMTTS_CACHE_DIR", "~/cache")
    monkeypatch.setenv("GLMTTS_CKPT", "~/models/ckpt")
    settings = load_settings(env_file)
    assert (settings.output_dir, settings.cache_dir, settings.ckpt) == (
        Path.home() / "spoken",
        Path.home() / "cache",
        Path.home() / "models" / "ckpt",
    )


def test_the_start_scripts_own_name_is_refused_in_the_env_file(env_file):
    env_file.write_text("GLMTTS_VENV=elsewhere\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="export GLMTTS_VENV"):
        load_settings(env_file)


@pytest.mark.parametrize("token", ["hünter2", "密码", "two words", "tab\there"])
def test_a_token_that_no_request_can_bring_is_refused(token, env_file, monkeypatch):
    monkeypatch.setenv("GLMTTS_API_TOKEN", token)
    with pytest.raises(
        SettingsError, match=r"GLMTTS_API_TOKEN=\*\*\* cannot be used.*ASCII"
    ) as error:
        load_settings(env_file)
    assert token not in str(error.value)


def test_other_programs_names_in_the_env_file_are_left_alone(env_file):
    env_file.write_text("OTHER_TOOL=1\nGLMTTS_THREADS=2\n", encoding="utf-8")
    assert load_settings(env_file).threads == 2


def test_a_name_that_is_set_to_nothing_counts_as_not_set(env_file, monkeypatch):
    monkeypatch.setenv("GLMTTS_OUTPUT_DIR", "")
    monkeypatch.setenv("GLMTTS_API_TOKEN", "")
    settings = load_settings(env_file)
    assert (settings.output_dir, settings.api_token) == (PROGRAM_DIR / "outputs", None)


def test_the_cache_folder_follows_the_systems_cache_folder(env_file, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert load_settings(env_file).cache_dir == tmp_path / "glm-tts-studio"


def test_a_misspelt_name_is_refused_with_the_name_that_was_meant(env_file, monkeypatch):
    monkeypatch.setenv("GLMTTS_DEVIC", "cpu")
    with pytest.raises(SettingsError) as refused:
        load_settings(env_file)
    assert "GLMTTS_DEVIC." in str(refused.value)
    assert "GLMTTS_DEVICE?" in str(refused.value)


def test_a_misspelt_name_in_the_env_file_is_refused_too(env_file):
    env_file.write_text("GLMTTS_OUTPUT_DIRS=here\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"Did you mean GLMTTS_OUTPUT_DIR\?"):
        load_settings(env_file)


def test_a_name_like_no_other_is_refused_with_the_list_of_names(env_file, monkeypatch):
    monkeypatch.setenv("GLMTTS_XYZZY", "1")
    with pytest.raises(SettingsError) as refused:
        load_settings(env_file)
    assert all(name in str(refused.value) for name in setting_names())


def test_the_start_scripts_own_name_is_allowed(env_file, monkeypatch):
    monkeypatch.setenv("GLMTTS_VENV", "elsewhere")
    load_settings(env_file)


def test_names_in_small_letters_are_taken_and_checked_alike(env_file, monkeypatch):
    monkeypatch.setenv("glmtts_threads", "5")
    assert load_settings(env_file).threads == 5
    monkeypatch.setenv("glmtts_thread", "5")
    with pytest.raises(SettingsError, match="glmtts_thread"):
        load_settings(env_file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GLMTTS_DEVICE", "tpu"),
        ("GLMTTS_DEVICE", "cuda:"),
        ("GLMTTS_DEVICE", "cpu\n"),
        ("GLMTTS_OUTPUT_DIR", "~nobody-of-this-name/out"),
        ("GLMTTS_LANGUAGE", "fr"),
        ("GLMTTS_THREADS", "-1"),
        ("GLMTTS_THREADS", "many"),
        ("GLMTTS_MONITOR_HZ", "0"),
        ("GLMTTS_MONITOR_HZ", "nan"),
        ("GLMTTS_MAX_TEXT_CHARS", "0"),
        ("GLMTTS_MAX_REFERENCE_S", "inf"),
        ("GLMTTS_HISTORY_MAX_RESULTS", "1.5"),
        ("GLMTTS_HISTORY_MAX_AGE_DAYS", "0"),
        ("GLMTTS_REHEARSAL", "perhaps"),
        ("GLMTTS_FLOW_PRECISION", "float16"),
        ("GLMTTS_ALLOWED_HOSTS", "studio.lan,no host"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_in_one_sentence(name, value, env_file, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings(env_file)
    assert f"{name}=“{quoted(value)}” cannot be used" in str(refused.value)
    for language in LANGUAGES:
        said = refused.value.text(language)
        assert "\n" not in said
        # as people write, not as Python or a library does
        assert not re.search(r"'|Input should|None|True", said)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("GLMTTS_THREADS", "many", "from 0 to 256"),
        ("GLMTTS_MAX_TEXT_CHARS", "0", "from 1 to 100000"),
        ("GLMTTS_MONITOR_HZ", "nan", "from 0.5 to 20"),
        ("GLMTTS_MAX_REFERENCE_S", "0", "above 0, up to 3600"),
        ("GLMTTS_LANGUAGE", "fr", "auto, zh, en"),
        ("GLMTTS_DEVICE", "tpu", "auto, cpu, cuda"),
        ("GLMTTS_REHEARSAL", "maybe", "true or false"),
        ("GLMTTS_ALLOWED_HOSTS", "no host", "“no host” is no host name"),
    ],
)
def test_a_refused_value_comes_with_what_is_allowed(name, value, allowed, env_file, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=re.escape(allowed)):
        load_settings(env_file)


def test_an_env_file_that_is_not_utf8_is_refused_with_its_name(env_file):
    env_file.write_bytes("GLMTTS_OUTPUT_DIR=输出\n".encode("gbk"))
    with pytest.raises(SettingsError, match=r"\.env cannot be read \(.* not UTF-8\)"):
        load_settings(env_file)


def test_an_env_file_that_is_a_folder_is_told_in_the_systems_words(env_file, monkeypatch):
    env_file.write_text("")
    monkeypatch.setattr("glmtts_core.settings.dotenv_values", _refuse)
    with pytest.raises(SettingsError, match=r"cannot be read \(Permission denied\)"):
        load_settings(env_file)


def _refuse(file: Path) -> None:
    raise PermissionError(13, "Permission denied", f"{file}")


def test_the_token_appears_in_no_text_of_the_settings(env_file, monkeypatch):
    monkeypatch.setenv("GLMTTS_API_TOKEN", "hunter2")
    settings = load_settings(env_file)
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()}"


def test_the_token_appears_in_no_refusal(env_file, monkeypatch):
    monkeypatch.setenv("GLMTTS_API_TOKEN", "hunter2")
    monkeypatch.setenv("GLMTTS_THREADS", "many")
    with pytest.raises(SettingsError) as refused:
        load_settings(env_file)
    assert "hunter2" not in str(refused.value)
