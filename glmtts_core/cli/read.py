"""``glmtts_inference.py read``: what will be heard of a text; speaks nothing and loads no voice."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator

from glmtts_core.catalogue import Language, text
from glmtts_core.engines.reader import Heard, Reader
from glmtts_core.errors import GLMTTSError, StorageError, TextError
from glmtts_core.settings import Settings


def add_read_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``read`` and its options."""
    read = commands.add_parser("read", help="show how a text will be read aloud, without sound")
    read.add_argument(
        "text", nargs="?", help="what to read; without it each line of the standard input is a text"
    )
    read.add_argument("--json", action="store_true", help="print one JSON object a line")


def read(options: argparse.Namespace, settings: Settings, language: Language) -> int:
    r"""Print how each text is read; return the exit code.

    Args:
        options: of the command line; without a text the lines of the standard input are read, in
            which ``\n``, written out, means a line break.
        settings: for the cache folder.
        language: of the sentences, and of figures in a text without words.

    Raises:
        StorageError: the readings cannot be written.
    """
    reader = Reader(settings.cache_dir)
    try:
        return _print_all(reader, options, language)
    except BrokenPipeError:
        # who reads along has seen enough; nothing is left to be flushed at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        raise StorageError("cli.cannot_write", path="-", reason=error.strerror) from error


def _print_all(reader: Reader, options: argparse.Namespace, language: Language) -> int:
    """Print all readings; a line that has none is told and the next ones are read all the same."""
    code = 0
    for number, given in _texts(options):
        try:
            heard = reader.read(_decoded(given), language)
        except GLMTTSError as error:
            reason = error.text(language)
            told = (
                reason
                if number is None
                else text("read.line", language, number=number, reason=reason)
            )
            print(told, file=sys.stderr)
            code = 1
            continue
        if options.json:
            print(json.dumps(heard.as_json(), ensure_ascii=False), flush=True)
        else:
            print(_shown(heard, language), flush=True)
    return code


def _texts(options: argparse.Namespace) -> Iterator[tuple[int | None, bytes]]:
    """Yield each text with the number of its line; the one of the command line has none."""
    if options.text is not None:
        yield None, options.text.encode("utf-8", "surrogateescape")
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
