"""What the laboratory is asked to compare: arms, their work, and the order of their trials.

Values only, checked where they come in: a page fills them, findings store them as JSON.
"""

from __future__ import annotations

import random
import tomllib
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Annotated, Final

from pydantic import ConfigDict, Field, model_validator

from glmtts_core.byte_units import MIB
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.stored import StrictModel

#: The seed of every synthesis whose arm does not ask for fresh ones.
FIXED_SEED: Final = 7
#: Four policies, each with six settings.
MOST_ARMS: Final = 24


class Policy(StrEnum):
    """When an arm cleans up."""

    NEVER = "never"
    ALWAYS = "always"
    EVERY = "every"
    AUTOMATIC = "automatic"


class Arm(StrictModel):
    """One arm of an experiment: a way of working that is compared with the others.

    Attributes:
        policy: when it cleans up.
        every: for `Policy.EVERY`, after how many syntheses.
        clean_at_start: whether it cleans up once before the first synthesis.
        switch_rates: whether each synthesis has another sample rate than the one before.
        switch_voices: whether each synthesis has another of two voices than the one before.
        history: whether sentences already spoken serve as prompt history.
        fresh_seeds: whether each synthesis draws its own seed.
        headroom_bytes: memory that it may take above what it holds after loading; None sets no
            limit.
    """

    # stored experiments call the history `use_history`
    model_config = ConfigDict(
        validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    policy: Policy
    every: Annotated[int, Field(ge=2, le=50)] = 4
    clean_at_start: bool = False
    switch_rates: bool = False
    switch_voices: bool = False
    history: bool = Field(default=False, alias="use_history")
    fresh_seeds: bool = False
    headroom_bytes: Annotated[int, Field(ge=MIB)] | None = None

    @property
    def id(self) -> str:
        """A short name, different for every arm; also the name of its folder."""
        policy = f"every-{self.every}" if self.policy is Policy.EVERY else self.policy.value
        limit = [] if self.headroom_bytes is None else [f"limit-{self.headroom_bytes}"]
        return "+".join([policy, *self.extras, *limit])

    @property
    def extras(self) -> list[str]:
        """The names of the switches that are on."""
        switches = {
            "start": self.clean_at_start,
            "rates": self.switch_rates,
            "voices": self.switch_voices,
            "history": self.history,
            "seeds": self.fresh_seeds,
        }
        return [name for name, is_on in switches.items() if is_on]

    @property
    def setting(self) -> Arm:
        """The same arm without cleanups: all that differs apart from when it cleans up."""
        return self.model_copy(update=_NO_POLICY)


_NO_POLICY: Final = {"policy": Policy.NEVER, "every": 4, "clean_at_start": False}


class Workload(StrictModel):
    """How much of the shipped texts one trial speaks.

    Attributes:
        growing: how many of the eight texts of growing length.
        timed: how often the text of 50 characters is spoken to measure the time.
        batch: how many of the batch's lines.
    """

    growing: Annotated[int, Field(ge=0, le=8)] = 8
    timed: Annotated[int, Field(ge=1, le=50)] = 3
    batch: Annotated[int, Field(ge=0, le=50)] = 50

    @property
    def characters(self) -> int:
        """Characters that one trial speaks, the two syntheses around its last cleanup included."""
        texts = shipped_texts()
        spoken = texts.growing[: self.growing] + texts.batch[: self.batch]
        return sum(map(len, spoken)) + (self.timed + 2) * len(texts.timed)


class Experiment(StrictModel):
    """Arms, work and repetitions; the first arm is the one that the others are compared with."""

    engine: str
    arms: Annotated[tuple[Arm, ...], Field(min_length=1, max_length=MOST_ARMS)]
    repetitions: Annotated[int, Field(ge=1, le=50)] = 4
    workload: Workload = Workload()
    order_seed: int = 1

    @model_validator(mode="after")
    def _arms_differ(self) -> Experiment:
        if len({arm.id for arm in self.arms}) < len(self.arms):
            raise ValueError("two arms are the same")
        return self

    def trials(self) -> list[tuple[Arm, int]]:
        """Return every arm with every repetition (from 1), in random order.

        The order spreads what changes with time on the machine (heat, other programs) over all
        arms.
        """
        trials = [(arm, number) for arm in self.arms for number in range(1, self.repetitions + 1)]
        random.Random(self.order_seed).shuffle(trials)
        return trials

    def seconds(self, seconds_per_character: float, seconds_to_start: float) -> float:
        """Return an estimate of how long the experiment takes."""
        one = seconds_to_start + self.workload.characters * seconds_per_character
        return one * len(self.arms) * self.repetitions


class ShippedTexts(StrictModel):
    """The texts that ship with the program."""

    growing: tuple[str, ...]
    batch: tuple[str, ...]

    @property
    def timed(self) -> str:
        """The text of 50 characters."""
        return self.growing[-1]


@cache
def shipped_texts() -> ShippedTexts:
    """Return the texts; read once."""
    file = resources.files(__package__) / "workload.toml"
    return ShippedTexts.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))


def claim_arms(capabilities: Capabilities, headroom_bytes: int) -> tuple[Arm, ...]:
    """Return the arms that test every claim that an engine of these capabilities can test."""
    never, always = Policy.NEVER, Policy.ALWAYS
    arms = [
        Arm(policy=never),
        Arm(policy=always, clean_at_start=True),
        Arm(policy=never, headroom_bytes=headroom_bytes),
        Arm(policy=always, headroom_bytes=headroom_bytes),
    ]
    if len(capabilities.sample_rates) > 1:
        arms += [Arm(policy=never, switch_rates=True), Arm(policy=always, switch_rates=True)]
    if len(capabilities.voices) > 1:
        arms += [Arm(policy=never, switch_voices=True), Arm(policy=always, switch_voices=True)]
    if capabilities.history:
        arms.append(Arm(policy=never, history=True))
    if capabilities.seed:
        arms.append(Arm(policy=never, fresh_seeds=True))
    return tuple(arms)
