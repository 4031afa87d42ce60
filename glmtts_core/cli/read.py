"""``read``: what will be heard of a text; speaks nothing and loads no voice."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator

from glmtts_core.catalogue import Language, text
from glmtts_core.cli.task import Invocation
from glmtts_core.engines.reader import Heard, Reader
from glmtts_core.errors import GLMTTSError, StorageError, TextError


def print_readings(given: str | None, as_json: bool, invocation: Invocation) -> int:
    r"""Print how each text is read; return the exit code.

    Args:
        given: the text; None reads the lines of the standard input, in which ``\n``, written out,
            means a line break.
        as_json: print one JSON object a text.
        invocation: its language is also that of figures in a text without words.

    Raises:
        StorageError: the readings cannot be written.
    """
    reader = Reader(invocation.settings.cache_dir)
    try:
        return _print_all(reader, given, as_json, invocation.language)
    except BrokenPipeError:
        # who reads along has seen enough; nothing is left to be flushed at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        raise StorageError("cli.cannot_write", path="-", reason=error.strerror) from error


def _print_all(reader: Reader, given: str | None, as_json: bool, language: Language) -> int:
    """Print all readings; a line without one gets its error, and the next ones are read."""
    code = 0
    for number, words in _texts(given):
        try:
            heard = reader.read(_decoded(words), language)
        except GLMTTSError as error:
            reason = error.text(language)
            if number is not None:
                reason = text("read.line", language, number=number, reason=reason)
            print(reason, file=sys.stderr)
            code = 1
            continue
        if as_json:
            print(json.dumps(heard.as_json(), ensure_ascii=False), flush=True)
        else:
            print(_shown(heard, language), flush=True)
    return code


def _texts(given: str | None) -> Iterator[tuple[int | None, bytes]]:
    """Yield each text with the number of its line; the one of the command line has none."""
    if given is not None:
        yield None, given.encode("utf-8", "surrogateescape")
        return
    for number, line in enumerate(sys.stdin.buffer, start=1):
        yield number, line.rstrip(b"\r\n").replace(b"\\n", b"\n")


def _decoded(given: bytes) -> str:
    try:
        return given.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise TextError("text.not_unicode") from error


def _shown(heard: Heard, language: Language) -> str:
    lines = [heard.spoken or text("read.nothing", language)]
    for piece in heard.pieces:
        sounds = " ".join(piece.pinyin) if piece.language == "zh" else piece.phonemes
        lines.append(f"  {piece.language}  {sounds}")
    if heard.left_out:
        lines.append("  " + text("read.left_out", language, parts=" ".join(heard.left_out)))
    return "\n".join(lines)
