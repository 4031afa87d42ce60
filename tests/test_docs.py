"""The documents say what the program really has: settings, commands, routes, fields, files.

Each test lists everything that is wrong at once. Both languages of a document are held to the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import annotated_types
import pytest

from glmtts_core.api.downloads import RESULTS
from glmtts_core.api.routes import CLEANUP_WAIT_S, routes
from glmtts_core.batch.fields import ALIASES
from glmtts_core.batch.lines import BatchLine, LineProblem
from glmtts_core.batch.manifest import manifest
from glmtts_core.batch.rows import read_batch
from glmtts_core.batch.states import LineRow, LineStatus
from glmtts_core.cli.main import _parser, main
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.memory.cleanup import CleanupReport
from glmtts_core.settings import PREFIX, SCRIPT_ONLY_NAMES, Settings, setting_names

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ("en", "zh")
BOTH = pytest.mark.parametrize("language", LANGUAGES)
READMES = {"en": "README.md", "zh": "README.zh.md"}
MOST_README_LINES = 120
COMMANDS = ("say", "read", "batch", "cleanup", "download", "check", "parity", "doctor")
LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
CODE = re.compile(r"`([^`]+)`")


def every_document() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def document(language: str, name: str) -> str:
    return (ROOT / "docs" / language / f"{name}.md").read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {heading}"
    return found[1]


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def first_cells(text: str) -> Iterator[list[str]]:
    """Yield the names that stand as code in the first cell of each row of a table."""
    for cell in re.findall(r"^\| (.*?) \|", text, re.MULTILINE):
        if names := CODE.findall(cell):
            yield names


def anchors(text: str) -> set[str]:
    """Return the names under which the headings can be linked to."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"(?ms)^```.*?^```$", "", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# -- settings --------------------------------------------------------------------------------------


def real_default(name: str) -> str:
    field = Settings.model_fields[name]
    default = Settings(_env_file=None).cache_dir if name == "cache_dir" else field.default
    return "–" if default in (None, ()) else str(default)


def bounds(name: str) -> list[float]:
    kinds = (annotated_types.Ge, annotated_types.Gt, annotated_types.Le)
    found = [each for each in Settings.model_fields[name].metadata if isinstance(each, kinds)]
    return [float(getattr(each, type(each).__name__.lower())) for each in found]


@BOTH
def test_the_settings_are_all_there_with_their_defaults_and_bounds(language, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    table = document(language, "settings")
    rows = re.findall(rf"^\| `({PREFIX}\w+)` \| (.+?) \| (.+?) \|", table, re.MULTILINE)
    assert [name for name, _, _ in rows] == [*setting_names(), *sorted(SCRIPT_ONLY_NAMES)]
    wrong = {}
    for name, default, allowed in rows[: len(Settings.model_fields)]:
        field = name.removeprefix(PREFIX).lower()
        told = default.strip("`").replace("~", str(Path.home()))
        numbers = [float(each) for each in re.findall(r"\d[\d.]*", CODE.sub("", allowed))]
        if told != real_default(field) or numbers != bounds(field):
            wrong[name] = (real_default(field), bounds(field))
    assert wrong == {}


def test_no_setting_is_mentioned_that_does_not_exist():
    known = {*setting_names(), *SCRIPT_ONLY_NAMES, PREFIX}
    unknown = {
        f"{path.name}: {name}"
        for path in every_document()
        for name in re.findall(rf"{PREFIX}\w*", path.read_text(encoding="utf-8"))
        if name not in known
    }
    assert unknown == set()


# -- links and images ------------------------------------------------------------------------------


def test_every_link_leads_somewhere():
    missing = []
    for path in every_document():
        text = re.sub(r"(?ms)^```.*?^```$", "", path.read_text(encoding="utf-8"))
        targets = {first or second for first, second in LINK.findall(text)}
        for target in sorted(each for each in targets if "://" not in each):
            file, _, anchor = target.partition("#")
            there = path.parent / file if file else path
            known = not anchor or anchor in anchors(there.read_text(encoding="utf-8"))
            if not there.exists() or not known:
                missing.append(f"{path.relative_to(ROOT)}: {target}")
    assert missing == []


def test_every_file_and_module_that_is_named_is_there():
    files = re.compile(r"(?<![\w/.])(?:glmtts_core|tests|scripts|benchmarks|docs|pages)/[\w./-]*\w")
    modules = re.compile(r"python -m ((?:glmtts_core|tests|scripts|benchmarks)[\w.]*)")
    missing = []
    for path in [*every_document(), ROOT / "NOTICE"]:
        text = path.read_text(encoding="utf-8")
        named = {
            *files.findall(text),
            *(f"{m.replace('.', '/')}.py" for m in modules.findall(text)),
        }
        missing += [f"{path.name}: {each}" for each in sorted(named) if not (ROOT / each).exists()]
    assert missing == []


def test_every_document_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    decisions = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    listed = {ROOT / "docs" / target for target, _ in LINK.findall(index)}
    listed |= {ROOT / "docs" / "decisions" / target for target, _ in LINK.findall(decisions)}
    there = set((ROOT / "docs").rglob("*.md"))
    assert there - {path.resolve() for path in listed} == {ROOT / "docs" / "README.md"}


@BOTH
def test_a_readme_is_short_and_shows_every_screenshot(language):
    text = (ROOT / READMES[language]).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_README_LINES
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/screenshots").glob("*")}
    assert set(re.findall(r"docs/screenshots/[\w-]+\.png", text)) == there


# -- both languages --------------------------------------------------------------------------------


def pairs() -> list[tuple[Path, Path]]:
    names = sorted(path.name for path in (ROOT / "docs" / "en").iterdir())
    assert names == sorted(path.name for path in (ROOT / "docs" / "zh").iterdir())
    twins = [(ROOT / "docs" / "en" / name, ROOT / "docs" / "zh" / name) for name in names]
    return [(ROOT / READMES["en"], ROOT / READMES["zh"]), *twins]


def test_both_languages_have_the_same_commands_examples_and_tables():
    spoken = re.compile(r'(?<=(?:say|ead) )"[^"]*"')
    differing = []
    for twins in pairs():
        texts = [path.read_text(encoding="utf-8") for path in twins]
        told = [
            (
                [spoken.sub("...", block) for block in blocks(text, r"\w+")],
                sorted(names for row in first_cells(text) for names in row),
                [row.count("|") for row in text.splitlines() if row.startswith("|")],
            )
            for text in texts
        ]
        if told[0] != told[1]:
            differing.append(twins[0].name)
    assert differing == []


# -- command line ----------------------------------------------------------------------------------


def commands(text: str) -> list[str]:
    lines = [line for block in blocks(text, "bash") for line in block.splitlines()]
    return [line for line in lines if line.startswith("python glmtts_inference.py ")]


def test_the_commands_are_understood():
    for path in every_document():
        for line in commands(path.read_text(encoding="utf-8")):
            words = re.findall(r'"[^"]*"|[^\s<]+', line.partition("<")[0])
            _parser().parse_args([word.strip('"') for word in words[2:]])  # exits when it does not


@BOTH
def test_every_command_is_shown_with_all_its_options(language, capsys):
    text = document(language, "http-and-command-line")
    assert {line.split()[2] for line in commands(text)} == set(COMMANDS)
    wrong = {}
    for command in COMMANDS:
        with suppress(SystemExit):
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


# -- HTTP ------------------------------------------------------------------------------------------


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


# -- voices and batch files ------------------------------------------------------------------------


@BOTH
def test_every_voice_is_named_in_its_order(language):
    rows = re.findall(
        r"^\| \S+ \| (`z.*|`b.*|`j.*) \|$", document(language, "voices"), re.MULTILINE
    )
    assert [name for row in rows for name in CODE.findall(row)] == [voice.id for voice in VOICES]


@BOTH
def test_the_fields_of_a_line_are_all_there_with_their_other_names(language):
    heading = {"en": "Fields", "zh": "字段"}[language]
    table = section(document(language, "batch-files"), heading)
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", table, re.MULTILINE)
    told = {}
    for names, others in rows:
        for name in CODE.findall(names):
            told[name] = (name, *CODE.findall(others))
    assert told == dict(ALIASES)


@BOTH
def test_the_fields_of_the_manifest_are_all_there(language):
    line = BatchLine(number=1, uttid="one", file_stem="one", text="text")
    problem = LineProblem(2, "two", "batch.line.no_text", {"names": "text"}, "{}")
    told = manifest([LineRow(0, line, LineStatus())], [problem], "en")
    spoken, aside = (list(json.loads(each)) for each in told)
    heading, last = {"en": ("The results", "has"), "zh": ("结果", "只有")}[language]
    text = section(document(language, "batch-files"), heading)
    assert [name for names in first_cells(text) for name in names] == spoken
    (sentence,) = re.findall(rf"^\S[^|]*?{last} (`.*)$", text, re.MULTILINE)
    assert CODE.findall(sentence) == aside


@BOTH
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_the_first_example_of_each_form_is_read_without_a_problem(language, kind):
    example = blocks(document(language, "batch-files"), kind)[0]
    read = read_batch(example.encode(), f"lines.{kind}")
    assert read.problems == ()
    assert len(read.lines) >= 2
