"""Every sentence in both languages, every key of the code in the catalogue, and none too many."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from jinja2 import nodes as template_nodes

import glmtts_core
from glmtts_core.api.downloads import RESULTS
from glmtts_core.batch.states import LineState, RunState
from glmtts_core.batch_files.fields import LineFields
from glmtts_core.batch_files.lines import InputFormat
from glmtts_core.catalogue import LANGUAGES, all_messages, text
from glmtts_core.cli.main import COMMANDS
from glmtts_core.diagnostics.environment import SettingOrigin
from glmtts_core.diagnostics.experiment import Policy
from glmtts_core.diagnostics.growth import Trend
from glmtts_core.diagnostics.metrics import Metric
from glmtts_core.diagnostics.quality import Verdict
from glmtts_core.diagnostics.research.claims import ClaimVerdict, claim_table
from glmtts_core.diagnostics.research.listening import Preference
from glmtts_core.diagnostics.self_check_results import Light, SelfCheckItem
from glmtts_core.diagnostics.symptoms import Symptom
from glmtts_core.engines.base import Stage
from glmtts_core.engines.glmtts.checkpoint.inspection import PartName
from glmtts_core.engines.kokoro.voices import VOICES
from glmtts_core.memory.census import Holder
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.layers import Layer
from glmtts_core.memory.ledger import CACHE_KINDS
from glmtts_core.memory.monitor import EventKind
from glmtts_core.speech import OPTION_NAMES
from glmtts_core.studio.state import EngineState
from glmtts_core.templates import environment

PACKAGE = Path(glmtts_core.__file__).parent
ROOT = PACKAGE.parent
SOURCES = sorted(
    [*PACKAGE.rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "streamlit_app.py"]
)
MESSAGES = all_messages()
FAMILIES = {key.partition(".")[0] for key in MESSAGES}
KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")

#: Keys that the code puts together from a name; a new family of these needs its names here.
COMPOSED = {
    "stage.{}": [stage.value for stage in Stage],
    "cleanup.pending.{}": list(CleanupLevel),
    "cleanup.level.{}": [CleanupLevel.OFFLOAD, CleanupLevel.UNLOAD],
    "cleanup.level_help.{}": [CleanupLevel.OFFLOAD, CleanupLevel.UNLOAD],
    "engine_state.{}": [state.value for state in EngineState],
    "layer.{}": [layer.value for layer in Layer],
    # the charts mark the start of a synthesis only
    "event.{}": [kind.value for kind in EventKind if kind is not EventKind.SYNTHESIS_END],
    "kokoro.voice.{}": [voice.id for voice in VOICES],
    "speech.sampling.{}": ["ras", "topk"],
    "speech.{}.wrong": list(OPTION_NAMES),
    "command.{}": list(COMMANDS),
    "speech.{}.help": [*OPTION_NAMES, "engine"],
    "batch.line_state.{}": list(LineState),
    "batch.run_state.{}": [*RunState, "stopping"],
    # the report's headings, and the figures at its top
    "batch.report.{}": [
        *("line", "name", "text", "left_out", "state", "voice", "reason", "audio", "work", "rtf"),
        *("cost", "sound"),
        *("done", "failed", "set_aside", "success", "time", "retries", "cleanups"),
        *("memory", "speed"),
    ],
    "batch.layout.{}": get_args(InputFormat),
    "batch.line.value.{}": [name for name in LineFields.model_fields if name not in OPTION_NAMES],
    "batch.reference.{}": ["outside", "missing"],
    "batch.filter.{}": ["all", "failed", "done", "waiting", "set_aside"],
    "batch.offer.{}": [RunState.RUNNING.value, RunState.INTERRUPTED.value],
    "batch.download.{}": [name.partition(".")[2] for name in RESULTS],
    "batch.column.{}": [
        *("number", "problem", "line", "uttid", "text", "own", "excerpt", "state", "seconds"),
        *("audio", "rtf", "memory", "retries", "reason"),
    ],
    "memory.nvml.{}_not_supported": ["memory", "name", "uuid", "processes"],
    "check.part.{}": [part.value for part in PartName],
    "claims.claim.{}": [str(claim.number) for claim in claim_table().claims],
    "claims.verdict.{}": [verdict.value for verdict in ClaimVerdict],
    "claims.shown.{}": [
        *("before", "after", "never", "always", "history", "plain"),
        *("fixed", "fresh", "cleanup", "restart"),
    ],
    "quality.symptom.{}": [symptom.value for symptom in Symptom],
    "diagnostics.allocator.{}": [
        *("reserved", "allocated", "free_inside", "largest_free", "fragmentation"),
    ],
    "diagnostics.also.{}": ["pressure", "rates", "voices", "history", "seeds"],
    "diagnostics.also_help.{}": ["pressure", "rates", "voices", "history", "seeds"],
    "diagnostics.block.{}": ["in_use", "waiting", "free"],
    "diagnostics.holder.{}": [holder.value for holder in Holder],
    "diagnostics.light.{}": [light.value for light in Light],
    "diagnostics.recording.{}": ["first", "second"],
    "diagnostics.policy.{}": [policy.value for policy in Policy],
    "diagnostics.prefer.{}": [preference.value for preference in Preference],
    "diagnostics.resident.{}": [
        *("anonymous", "file", "private", "shared", "swapped"),
        *("heap_used", "heap_free", "heap_mapped"),
    ],
    "laboratory.policy.{}": [policy.value for policy in Policy],
    "laboratory.extra.{}": ["start", "rates", "voices", "history", "seeds", "limit"],
    "laboratory.metric.{}": [metric.value for metric in Metric],
    "laboratory.conclusion.{}": ["lower", "higher"],
    "breakdown.{}": [kind.value for kind in CACHE_KINDS],
    "environment.origin.{}": [origin.value for origin in SettingOrigin],
    "growth.{}": [trend.value for trend in Trend],
    "quality.finding.{}": [symptom.value for symptom in Symptom],
    "quality.verdict.{}": [verdict.value for verdict in Verdict],
    "self_check.{}": [item.value for item in SelfCheckItem],
}
#: Strings that look like keys and are none.
NOT_KEYS = {
    "studio.db",
    "claims.toml",
    "flow.pt",
    "form.json",
    "listening.json",
    "memory.enable_memory_arena_shrinkage",
    "report.html",
    "tokenizer.model",
}


def nodes() -> Iterator[ast.AST]:
    for source in SOURCES:
        yield from ast.walk(ast.parse(source.read_text(encoding="utf-8"), str(source)))


def nodes_of_templates(kind: type[template_nodes.Node]) -> Iterator[template_nodes.Node]:
    for name in environment().list_templates(["jinja"]):
        source = (PACKAGE / name).read_text(encoding="utf-8")
        yield from environment().parse(source).find_all(kind)


def literal_keys() -> set[str]:
    """Return all string literals that look like a key of one of the catalogue's families."""
    strings = {
        node.value
        for node in chain(nodes(), nodes_of_templates(template_nodes.Const))
        if isinstance(node, ast.Constant | template_nodes.Const) and isinstance(node.value, str)
    }
    return {
        each
        for each in strings - NOT_KEYS
        if KEY.fullmatch(each) and each.partition(".")[0] in FAMILIES
    }


def composed_patterns() -> set[str]:
    """Return the f-strings that look like a key, with {} for each part that is filled in.

    In templates these are concatenations with ``~``.
    """
    patterns = {
        "".join(each.value if isinstance(each, template_nodes.Const) else "{}" for each in concat)
        for concat in (node.nodes for node in nodes_of_templates(template_nodes.Concat))
    }
    for node in nodes():
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            patterns.add("".join(parts))
    return {
        each
        for each in patterns
        if "{}" in each
        and KEY.fullmatch(each.replace("{}", "x"))
        and each.partition(".")[0] in FAMILIES
    }


def composed_keys() -> set[str]:
    return {pattern.format(name) for pattern, names in COMPOSED.items() for name in names}


def called_name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def sentence_calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls that take a key, with the key."""
    for node in nodes():
        if not isinstance(node, ast.Call):
            continue
        name = called_name(node)
        takes_key = name in ("text", "open_page", "Message", "Voice", "SynthesisCancelled")
        if not takes_key and not name.endswith("Error"):
            continue
        for argument in node.args[:2]:
            value = argument.value if isinstance(argument, ast.Constant) else None
            if isinstance(value, str) and KEY.fullmatch(value):
                yield value, node


def given_values(call: ast.Call) -> set[str] | None:
    """Return the names of a call's values; None where the code does not spell them out."""
    if called_name(call) != "Message":
        names = [keyword.arg for keyword in call.keywords]
    elif len(call.args) == 1:
        names = []
    elif isinstance(call.args[1], ast.Dict):
        names = [getattr(name, "value", None) for name in call.args[1].keys]
    else:
        return None
    return None if None in names else {str(name) for name in names}


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


# -- the sentences -----------------------------------------------------------------------------


def test_every_sentence_stands_in_both_languages():
    lacking = {
        key
        for key, wording in MESSAGES.items()
        if set(wording) != set(LANGUAGES) or not all(each.strip() for each in wording.values())
    }
    assert lacking == set()


def test_every_sentence_lies_in_the_file_that_its_key_begins_with():
    strays = [
        f"{file.name}: {key}"
        for file in (PACKAGE / "messages").glob("*.toml")
        for key in tomllib.loads(file.read_text(encoding="utf-8"))
        if key.partition(".")[0] != file.stem
    ]
    assert strays == []


def test_both_languages_have_the_same_placeholders():
    differing = {
        key
        for key, wording in MESSAGES.items()
        if placeholders(wording["zh"]) != placeholders(wording["en"])
    }
    assert differing == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_can_be_filled_in(language):
    for key, wording in MESSAGES.items():
        values = dict.fromkeys(placeholders(wording[language]), "here")
        assert "here" in text(key, language, **values) or not values


def test_no_chinese_stands_in_an_english_sentence():
    chinese = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
    assert {key for key, wording in MESSAGES.items() if chinese.search(wording["en"])} == set()


def test_next_to_chinese_words_stands_chinese_punctuation():
    # {{...}} is code that the user is to type; {name} stands for words
    words = {
        key: re.sub(r"\{\w+\}", "词", re.sub(r"\{\{.*?\}\}", "x", wording["zh"]))
        for key, wording in MESSAGES.items()
    }
    misplaced = re.compile(
        r"[\u4e00-\u9fff][,:;?!()]|[,:;?!()][\u4e00-\u9fff]|[\u4e00-\u9fff]\.(?!\w)"
    )
    assert {key: each for key, each in words.items() if misplaced.search(each)} == {}


def test_a_placeholder_without_a_value_is_a_bug_that_shows():
    with pytest.raises(KeyError):
        text("form.characters", "en", count=1)


def test_values_may_hold_braces():
    assert "{x}" in text("form.characters", "en", count="{x}", limit=5)


# -- the keys of the code ----------------------------------------------------------------------


def test_every_key_that_is_written_out_has_its_sentence():
    assert literal_keys() - MESSAGES.keys() == set()


def test_every_key_that_is_asked_for_has_its_sentence():
    asked = {key for key, _ in sentence_calls()}
    assert asked - MESSAGES.keys() == set()


def test_every_key_that_is_put_together_has_its_sentence():
    assert composed_keys() - MESSAGES.keys() == set()


def test_every_way_of_putting_keys_together_is_known_here():
    assert composed_patterns() == COMPOSED.keys()


def test_every_placeholder_of_a_sentence_gets_its_value():
    lacking = {
        key: missing
        for key, call in sentence_calls()
        if key in MESSAGES
        and (given := given_values(call)) is not None
        # what the program is called by is filled in for every sentence
        and (missing := placeholders(MESSAGES[key]["en"]) - given - {"program"})
    }
    assert lacking == {}


def test_no_sentence_is_left_that_nothing_asks_for():
    used = literal_keys() | composed_keys()
    unused = MESSAGES.keys() - used
    assert unused == set()
