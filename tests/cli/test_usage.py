"""Help is quick and in the user's language, and what is not understood is told in one sentence."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from glmtts_core.cli.main import COMMANDS, main

#: What takes long to import.
HEAVY = {"numpy", "onnxruntime", "rich", "scipy", "soundfile", "starlette", "streamlit", "torch"}


@pytest.fixture(autouse=True)
def english_shell(monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")


@pytest.mark.process
@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_imports_nothing_that_takes_long(command):
    heavy = HEAVY if command else HEAVY | {"pydantic"}
    arguments = [command, "--help"] if command else ["--help"]
    script = (
        f"import sys; from glmtts_core.cli.main import main; main({arguments});"
        f"found = {heavy} & {{*sys.modules}}; sys.exit(str(found) if found else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_no_types_of_python(command, capsys):
    main([command, "--help"])
    assert not re.search(r"<(str|Path|int|float)>", capsys.readouterr().out)


def test_a_required_argument_and_a_default_are_told_in_english(capsys):
    main(["say", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "Usage: python glmtts_inference.py say [OPTIONS] {TEXT}" in told
    assert "Arguments: TEXT What to say; - reads it from the standard input. [required]" in told
    assert "[default: 24000]" in told
    assert "Show this message and exit." in told


@pytest.mark.parametrize("arguments", [[], *([each] for each in COMMANDS)])
def test_the_whole_of_the_help_is_in_chinese(arguments, capsys, monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert main([*arguments, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("用法：")
    assert "选项：\n" in told
    assert "显示此帮助。" in told
    for english in ("Usage", "Arguments", "Options", "OPTIONS", "Commands", "ARGS", "required"):
        assert english not in told
    assert "default" not in told


def test_help_lists_the_commands_with_a_sentence_each(capsys):
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    for command in COMMANDS:
        (line,) = (line for line in told.splitlines() if line.startswith(f"  {command} "))
        assert line.endswith(".")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_each_command_has_help(command, option, capsys):
    assert main([command, option]) == 0
    assert "--help" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "value"), [("LANG", "zh_CN.UTF-8"), ("GLMTTS_LANGUAGE", "zh")])
def test_help_is_in_the_users_language(name, value, capsys, monkeypatch):
    monkeypatch.setenv(name, value)
    assert main(["--help"]) == 0
    assert "将文本合成为 WAV 文件。" in capsys.readouterr().out
    assert main(["say", "--help"]) == 0
    assert "不使用 GPU。" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Name a command, one of: start, say"),
        (["sing"], "There is no command sing. Choose one of: start, say"),
        (["--loud"], "There is no option --loud"),
        (["say", "--out", "x.wav"], "TEXT is missing. See python glmtts_inference.py say --help."),
        (["say", "hello"], "--out is missing. See python glmtts_inference.py say --help."),
        (["say", "hello", "--out"], "--out needs a value."),
        (["say", "hello", "world", "--out", "x.wav"], "a text with spaces stands in quotes"),
        (["say", "hello", "--out", "x.wav", "--voic", "y"], "did you mean --voice?"),
        (["say", "-5 degrees", "--out", "x.wav"], "a text that begins with a hyphen stands behind"),
        (["say", "hello", "--out", "x.wav", "--speed", "fast"], "The speed fast is no number"),
        (["batch", "x", "--out", "y", "--cleanup-every", "few"], "few is none"),
        (["cleanup", "--level", "all"], "--level takes one of: trim, offload, unload."),
        (["download", "--source", "x"], "--source takes one of: huggingface, modelscope."),
    ],
    ids=str,
)
def test_what_is_not_understood_is_told_in_one_sentence_with_code_2(arguments, told, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert (captured.err.count("\n"), captured.out) == (1, "")


def test_a_text_that_begins_with_a_hyphen_stands_behind_two(capsys):
    assert main(["read", "--json", "--", "-5°C"]) == 0
    assert '"text": "-5°C"' in capsys.readouterr().out


def test_what_is_not_understood_is_told_in_chinese(capsys, monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert main(["say", "你好"]) == 2
    told = capsys.readouterr().err
    assert told == "缺少 --out。用法见 python glmtts_inference.py say --help。\n"
