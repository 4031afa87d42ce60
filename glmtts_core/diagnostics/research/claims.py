"""Public claims about memory: the table that ships with the program, and what an answer is."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from glmtts_core.diagnostics.statistics import Summary
from glmtts_core.message import Message
from glmtts_core.stored import StrictModel


class ClaimVerdict(StrEnum):
    """The result of testing a claim on this machine."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    NOT_TESTABLE = "not_testable"


class Claim(StrictModel):
    """One public claim.

    Attributes:
        number: as in the table of claims; its sentence is in the catalogue.
        figures: as claimed.
        share: the claimed effect as a share of the figure that it is compared with.
    """

    number: int
    figures: str
    share: float | None = None


class ClaimTable(StrictModel):
    """All claims, and where they come from: hardware, number of user reports, year and month."""

    hardware: str
    reports: int
    made_in: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class ClaimFigure:
    """A figure measured on this machine; ``unit`` is "s", "bytes", "share" or "points"."""

    label: str
    summary: Summary
    unit: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of testing one claim.

    Attributes:
        claim: the claim.
        verdict: the short answer.
        reason: why, in one sentence.
        shown: the figures it rests on.
    """

    claim: Claim
    verdict: ClaimVerdict
    reason: Message
    shown: tuple[ClaimFigure, ...] = ()


@cache
def claim_table() -> ClaimTable:
    """Return the claims that ship with the program; read once."""
    file = resources.files(__package__) / "claims.toml"
    return ClaimTable.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
