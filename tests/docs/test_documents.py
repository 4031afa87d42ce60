"""What the documents name is there, and both languages say the same."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.documents import (
    BOTH,
    LINK,
    READMES,
    ROOT,
    anchors,
    blocks,
    every_document,
    first_cells,
)

MOST_README_LINES = 120


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
    text = READMES[language].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_README_LINES
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/screenshots").glob("*")}
    assert set(re.findall(r"docs/screenshots/[\w-]+\.png", text)) == there


def pairs() -> list[tuple[Path, Path]]:
    names = sorted(path.name for path in (ROOT / "docs" / "en").iterdir())
    assert names == sorted(path.name for path in (ROOT / "docs" / "zh").iterdir())
    twins = [(ROOT / "docs" / "en" / name, ROOT / "docs" / "zh" / name) for name in names]
    return [(READMES["en"], READMES["zh"]), *twins]


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
