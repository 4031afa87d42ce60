"""Every sentence a user can see, in Chinese and English.

The texts lie beside this file in ``messages/*.toml``: one table a sentence, ``zh`` and ``en``
together, with ``{name}`` placeholders. This module knows nothing about where a text is shown.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Final, Literal

from glmtts_core.places import COMMAND

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")


def text(key: str, language: Language, /, **details: object) -> str:
    """Return the sentence ``key`` in ``language`` with its placeholders filled in.

    ``{program}`` stands for what the command line is called by.

    Raises:
        KeyError: no such sentence, or a placeholder without a value (both are bugs, and the
            tests look for them).
    """
    return all_messages()[key][language].format(**{"program": COMMAND, **details})


@cache
def all_messages() -> dict[str, dict[Language, str]]:
    """Return the whole catalogue as ``{key: {"zh": ..., "en": ...}}``; read once."""
    found: dict[str, dict[Language, str]] = {}
    folder = resources.files(__package__) / "messages"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        for key, wording in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if key in found:
                raise KeyError(f"{key} stands twice in the catalogue (again in {file.name})")
            found[key] = wording
    return found
