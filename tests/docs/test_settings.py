"""The settings in the documents are those that there are, with their defaults and bounds."""

from __future__ import annotations

import re
from pathlib import Path

import annotated_types

from glmtts_core.settings import PREFIX, SCRIPT_ONLY_NAMES, Settings, setting_names
from tests.docs.documents import BOTH, CODE, document, every_document


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
