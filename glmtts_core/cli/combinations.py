"""Options of the command line that have no effect together with, or without, another one."""

from __future__ import annotations

from glmtts_core.errors import RequestError


def refuse_without(needed: str, is_there: bool, option: str, given: bool) -> None:
    """Refuse ``option`` where ``needed``, without which it has no effect, is missing.

    Raises:
        RequestError: the sentence names both.
    """
    if given and not is_there:
        raise RequestError("cli.needs", option=option, needed=needed)


def refuse_both(option: str, given: bool, other: str, other_given: bool) -> None:
    """Refuse two options of which only one could be followed.

    Raises:
        RequestError: the sentence names both.
    """
    if given and other_given:
        raise RequestError("cli.excludes", option=option, other=other)
