"""The options of speech come from their model: a new field is a new option, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pytest
import typer
from pydantic import Field
from typer.testing import CliRunner

from glmtts_core.cli.commands.batch import batch
from glmtts_core.cli.commands.say import say
from glmtts_core.cli.speech_options import flag, speech_options
from glmtts_core.cli.usage import WrongUsage
from glmtts_core.speech import SpeechOptions, SpeechOverride


class Feeling(SpeechOverride):
    emotion: Annotated[str, Field(max_length=20)] | None = None
    strength: Annotated[float, Field(gt=0)] = 0.5


def given(*arguments: str) -> Mapping[str, Any]:
    """Return what a command gets whose options are those of `Feeling`."""
    app, got = typer.Typer(), []

    @app.command()
    @speech_options(Feeling)
    def speak(speech: Mapping[str, Any]) -> None:
        got.append(speech)

    ran = CliRunner().invoke(app, arguments)
    if ran.exception is not None:
        raise ran.exception
    return got[0]


def test_a_new_field_is_an_option_of_its_kind():
    speech = given("--emotion", "glad", "--strength", "0.7")
    assert (speech["emotion"], speech["strength"]) == ("glad", 0.7)
    assert set(speech) == set(Feeling.model_fields)


def test_what_is_not_given_has_the_models_default():
    assert given() == Feeling().model_dump(by_alias=False)


def test_bounds_are_left_to_the_model():
    assert given("--speed", "-1", "--seed", str(2**40))["seed"] == 2**40


@pytest.mark.parametrize("wrong", [("--speed", "fast"), ("--seed", "1.5"), ("--sample-rate", "")])
def test_a_value_of_another_kind_is_refused(wrong):
    with pytest.raises(WrongUsage):
        given(*wrong)


@pytest.mark.parametrize(
    ("arguments", "history"), [([], None), (["--history"], True), (["--no-history"], False)]
)
def test_a_switch_that_may_be_left_open_has_an_opposite(arguments, history):
    assert given(*arguments)["history"] is history


def test_flags_leave_the_unit_out():
    assert flag("sample_rate_hz") == "--sample-rate"
    assert flag("second_voice") == "--second-voice"


@pytest.mark.parametrize(("command", "model"), [(say, SpeechOptions), (batch, SpeechOverride)])
def test_say_and_batch_have_an_option_for_every_field(command, model):
    typed = typer.Typer()
    typed.command()(command)
    shown = {
        name for each in typer.main.get_command(typed).params for name in each.opts if "--" in name
    }
    assert {flag(name) for name in model.model_fields} <= shown
