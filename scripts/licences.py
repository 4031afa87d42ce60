"""Writes the table of docs/licences.md: ``python -m scripts.licences``.

Every licence is what the installed packages say of themselves. Run it in the project's environment
after the requirements have changed, and read what is new: nobody else does.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageMetadata, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

ROOT: Final = Path(__file__).resolve().parents[1]
REQUIREMENTS: Final = ROOT / "requirements.txt"
DOCUMENT: Final = ROOT / "docs" / "licences.md"
NOT_STATED: Final = "not stated"
#: A longer licence field holds the licence's text and not its name.
_LONGEST_NAME: Final = 60
_PIN: Final = re.compile(r"([\w.-]+)(?:\[([\w,]+)\])?==")
_TABLE: Final = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end of table -->)", re.DOTALL)


def pins(requirements: Path = REQUIREMENTS) -> Iterator[Requirement]:
    """Yield every pinned package of a list of requirements, with its extras."""
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if _PIN.match(line):
            yield Requirement(line.partition("#")[0].strip())


def licence(metadata: PackageMetadata) -> str:
    """Return the licence that a package's metadata names, as it stands there."""
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    told = metadata["License"].strip() if "License" in metadata else ""
    if told == "UNKNOWN":
        told = ""
    if told and len(told) <= _LONGEST_NAME:
        return told
    classifiers = metadata.get_all("Classifier") or []
    named = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License :: ")]
    return ", ".join(named) or told.partition("\n")[0].strip() or NOT_STATED


def installed_with(requirements: Iterable[Requirement]) -> dict[str, set[str]]:
    """Return every package that these requirements bring onto this machine, and who asks for it."""
    askers: dict[str, set[str]] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(REQUIREMENTS.name, each) for each in requirements]
    while waiting:
        asker, wanted = waiting.pop()
        package = distribution(wanted.name)
        askers.setdefault(package.name, set()).add(asker)
        for extra in {"", *wanted.extras}:
            if (package.name, extra) not in seen:
                seen.add((package.name, extra))
                waiting += [(package.name, each) for each in _needed_by(package, extra)]
    return askers


def table() -> str:
    """Return the table as it stands in the document."""
    rows = ["| package | licence, as its metadata names it | asked for by |", "|---|---|---|"]
    for name, askers in sorted(installed_with(pins()).items(), key=lambda row: row[0].lower()):
        by = ", ".join(sorted(askers, key=str.lower))
        rows.append(f"| {name} | {licence(distribution(name).metadata)} | {by} |")
    return "\n".join(rows) + "\n"


def _needed_by(package: Distribution, extra: str) -> list[Requirement]:
    wanted = map(Requirement, package.requires or [])
    return [each for each in wanted if not each.marker or each.marker.evaluate({"extra": extra})]


if __name__ == "__main__":
    document = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(_TABLE.sub(lambda _: table(), document), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT.relative_to(ROOT)} is written.\n")
