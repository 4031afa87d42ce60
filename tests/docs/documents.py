"""Reading the documents: their paths, sections, tables, code and anchors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOTH = pytest.mark.parametrize("language", ["en", "zh"])
READMES = {"en": ROOT / "README.md", "zh": ROOT / "README.zh.md"}
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


def commands(text: str) -> list[str]:
    """Return the command lines that a document shows."""
    lines = [line for block in blocks(text, "bash") for line in block.splitlines()]
    return [line for line in lines if line.startswith("python glmtts_inference.py ")]
