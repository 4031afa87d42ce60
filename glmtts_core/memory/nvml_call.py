"""Calls to NVML through pynvml: the answer, or why there is none. Nothing is raised.

pynvml loads the driver's library and looks its functions up late, so that any call may end in an
error of the package, of ctypes or of the library. Knows nothing about devices and figures.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from glmtts_core.message import Message

#: NVML's return codes (nvml.h, nvmlReturn_t).
LIBRARY_NOT_FOUND: Final = 12
FUNCTION_NOT_FOUND: Final = 13


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a question got no answer.

    Attributes:
        function: pynvml's name of what was asked.
        reason: in the words of the driver, the package or the system.
        code: NVML's return code; None where it did not come to one.
        in_package: whether it is the Python package that lacks the function.
    """

    function: str
    reason: str
    code: int | None = None
    in_package: bool = False


def import_pynvml() -> ModuleType | Message:
    """Return pynvml, or why it cannot be used; takes 30 ms the first time."""
    try:
        return importlib.import_module("pynvml")
    except ImportError:
        return Message("memory.nvml.not_installed")
    except Exception as error:  # noqa: BLE001 - what the package runs when imported is its own
        return Message("memory.nvml.failed", {"reason": _words(error)})


def ask(library: ModuleType, function: str, *arguments: Any) -> Any | Refusal:
    """Call ``function`` of pynvml and return its answer, or why it has none."""
    call = getattr(library, function, None)
    if call is None:
        return Refusal(function, "no such function", FUNCTION_NOT_FOUND, in_package=True)
    try:
        return call(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever ends a call to the driver is its refusal
        return _refusal(function, error)


def ask_either(library: ModuleType, functions: tuple[str, ...], *arguments: Any) -> Any | Refusal:
    """Ask the first of ``functions`` that is not missing; they answer alike."""
    answers = (ask(library, function, *arguments) for function in functions)
    first = next(answers)
    if not _is_missing(first):
        return first
    return next((answer for answer in answers if not _is_missing(answer)), first)


def _is_missing(answer: Any | Refusal) -> bool:
    return isinstance(answer, Refusal) and answer.code == FUNCTION_NOT_FOUND


def _refusal(function: str, error: Exception) -> Refusal:
    codes = (getattr(each, "value", None) for each in _chain(error))
    # pynvml hides the code of a missing function behind an error that has none
    code = next((code for code in codes if isinstance(code, int)), None)
    if code == LIBRARY_NOT_FOUND:
        for each in _chain(error):
            if isinstance(each, OSError) and not _is_absent(each):
                # a library that is there and cannot be loaded
                return Refusal(function, _words(each))
    return Refusal(function, _words(error), code)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield ``error`` and those while whose handling it came up."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_absent(error: OSError) -> bool:
    """Return whether it is NVML's library itself that could not be found."""
    message = str(error)
    return isinstance(error, FileNotFoundError) or (
        "No such file" in message and "libnvidia-ml" in message
    )


def _words(error: BaseException) -> str:
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 - pynvml asks the library how to word some errors
        words = ""
    return " ".join(words.split()) or type(error).__name__
