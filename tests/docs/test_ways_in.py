"""Commands, options and routes in the documents are those that there are."""

from __future__ import annotations

import re
from dataclasses import fields

from glmtts_core.api.downloads import RESULTS
from glmtts_core.api.routes import CLEANUP_WAIT_S, routes
from glmtts_core.cli.main import COMMANDS, main, parse
from glmtts_core.memory.cleanup import CleanupReport
from tests.docs.documents import (
    BOTH,
    ROOT,
    commands,
    document,
    every_document,
    first_cells,
    section,
)


def test_the_commands_are_understood(monkeypatch):
    # --cpu sets it
    monkeypatch.setenv("GLMTTS_DEVICE", "cpu")
    for path in every_document():
        for line in commands(path.read_text(encoding="utf-8")):
            words = re.findall(r'"[^"]*"|[^\s<]+', line.partition("<")[0])
            parse([word.strip('"') for word in words[2:]], "en")  # raises when it does not


@BOTH
def test_every_command_is_shown_with_all_its_options(language, capsys):
    text = document(language, "http-and-command-line")
    assert {line.split()[2] for line in commands(text)} == {*COMMANDS}
    wrong = {}
    for command in COMMANDS:
        main([command, "--help"])
        real = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", capsys.readouterr().out)) - {"--help"}
        names = [name for row in first_cells(section(text, command)) for name in row]
        told = [name.split()[0] for name in names if name.startswith("--")]
        if sorted(told) != sorted(real):
            wrong[command] = sorted({*told} ^ real)
    assert wrong == {}


@BOTH
def test_the_options_of_the_start_script_are_all_there(language):
    script = (ROOT / "start_app.sh").read_text(encoding="utf-8")
    usage = re.search(r'^usage="(.*?)"$', script, re.MULTILINE | re.DOTALL)
    assert usage
    heading = {"en": "Starting", "zh": "启动"}[language]
    table = section(document(language, "http-and-command-line"), heading)
    told = {names[0].split()[0] for names in first_cells(table)}
    assert told == set(re.findall(r"^  (--[a-z-]+)", usage[1], re.MULTILINE))


def no_studio():
    raise AssertionError("nobody asks")


@BOTH
def test_every_route_is_there(language):
    text = document(language, "http-and-command-line")
    told = {
        names[0].split()[1]
        for names in first_cells(text)
        if names[0].split()[0] in ("GET", "POST") and " " in names[0]
    }
    real = {route.path for route in routes(no_studio) if route.name != "nothing"}
    results = {f"/api/batch/<run>/{name}" for name in RESULTS}
    assert told == (real - {"/api/batch/{run_id}/{name}"}) | results


@BOTH
def test_the_answers_of_the_cleanup_are_the_real_ones(language):
    text = document(language, "http-and-command-line")
    (row,) = re.findall(r"^\| `POST /api/cleanup` .*202.*$", text, re.MULTILINE)
    assert re.findall(r"(\d+) (?:s|秒)", row) == [f"{CLEANUP_WAIT_S:g}"]
    answer = section(text, "POST /api/cleanup")
    named = [names[0] for names in first_cells(answer)]
    assert named == ["level", "force", *(field.name for field in fields(CleanupReport))]
