"""The READMEs say what the program really has: settings, files, options, and both the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glmtts_core.api.routes import CLEANUP_WAIT_S
from glmtts_core.cli.main import _parser
from glmtts_core.settings import PREFIX, SCRIPT_ONLY_NAMES, Settings, setting_names

ROOT = Path(__file__).resolve().parents[1]
README, README_ZH = "README.md", "README.zh.md"
BOTH = pytest.mark.parametrize("readme", [README, README_ZH])
LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")


def read(readme: str) -> str:
    return (ROOT / readme).read_text(encoding="utf-8")


def settings_table(readme: str) -> dict[str, str]:
    """Return the default that the table gives for each name."""
    rows = re.findall(rf"^\| `({PREFIX}\w+)` \| (.+?) \| (.+) \|$", read(readme), re.MULTILINE)
    return {name: default.strip("`") for name, default, _ in rows}


def code_blocks(readme: str) -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```$", read(readme), re.MULTILINE | re.DOTALL)


@BOTH
def test_the_settings_table_names_every_setting_in_order(readme):
    assert list(settings_table(readme)) == [*setting_names(), *sorted(SCRIPT_ONLY_NAMES)]


@BOTH
def test_no_setting_is_mentioned_that_does_not_exist(readme):
    mentioned = set(re.findall(rf"{PREFIX}\w+", read(readme)))
    assert mentioned <= {*setting_names(), *SCRIPT_ONLY_NAMES}


@BOTH
@pytest.mark.parametrize(
    "field", [name for name in Settings.model_fields if name != "cache_dir"], ids=str
)
def test_the_table_gives_the_real_default(readme, field):
    default = Settings.model_fields[field].default
    told = settings_table(readme)[PREFIX + field.upper()]
    assert told == ("–" if default in (None, ()) else str(default))


@BOTH
def test_the_table_gives_the_real_default_of_the_cache_folder(readme, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    told = settings_table(readme)["GLMTTS_CACHE_DIR"]
    assert Path(told).expanduser() == Settings(_env_file=None).cache_dir


@BOTH
def test_every_link_and_image_is_there(readme):
    targets = {first or second for first, second in LINK.findall(read(readme))}
    local = {target for target in targets if "://" not in target}
    assert len(local) > 10
    missing = [target for target in local if not (ROOT / target).exists()]
    assert missing == []


@BOTH
def test_the_option_table_is_that_of_the_start_script(readme):
    script = (ROOT / "start_app.sh").read_text(encoding="utf-8")
    usage = re.search(r'^usage="(.*?)"$', script, re.MULTILINE | re.DOTALL)
    assert usage
    assert set(re.findall(r"^\| `(--[a-z-]+)", read(readme), re.MULTILINE)) == set(
        re.findall(r"^  (--[a-z-]+)", usage[1], re.MULTILINE)
    )


@BOTH
def test_the_wait_for_a_safe_point_is_the_real_one(readme):
    (row,) = re.findall(r"^\| `POST /api/cleanup` .*202.*$", read(readme), re.MULTILINE)
    assert re.findall(r"(\d+) (?:s|秒)", row) == [f"{CLEANUP_WAIT_S:g}"]


SUBCOMMANDS = ("say", "read", "batch", "cleanup", "download", "check", "parity", "doctor")


@BOTH
def test_the_commands_are_understood(readme):
    lines = [line for block in code_blocks(readme) for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("python glmtts_inference.py ")]
    assert {line.split()[2] for line in commands} == set(SUBCOMMANDS)
    for line in commands:
        words = re.findall(r'"[^"]*"|[^\s<]+', line.partition("<")[0])
        arguments = [word.strip('"') for word in words[2:]]
        _parser().parse_args(arguments)  # exits when it does not understand


def test_both_languages_show_the_same_commands_and_images():
    spoken = re.compile(r'(?:say|read) "[^"]*"')
    english, chinese = (
        [spoken.sub("say", block) for block in code_blocks(readme)]
        for readme in (README, README_ZH)
    )
    assert english == chinese
    images = [
        set(re.findall(r"docs/screenshots/[\w-]+\.png", read(each))) for each in (README, README_ZH)
    ]
    assert images[0] == images[1]


def test_every_screenshot_is_shown():
    shown = set(re.findall(r"docs/screenshots/[\w-]+\.png", read(README)))
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/screenshots").glob("*")}
    assert there == shown
