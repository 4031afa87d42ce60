"""How often ways of reading Mandarin aloud find the right reading, and what they cost.

    python -m benchmarks.polyphones [--sentences FILE FILE] [--packages FOLDER]

Every candidate reads the same text in a process of its own. Candidates whose packages are not
installed are skipped; --packages names a folder with some (pip install --target). g2pW is left
out: it downloads its model when it is first used. --sentences takes a second test set as two
files: sentences with ▁ on both sides of one character, and a syllable a line for it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.reporting import MIB, print_machine

#: Returns a syllable for each character of a text that is all Mandarin.
Read = Callable[[str], Sequence[str]]

_LINES: Final = Path(__file__).parents[1] / "tests" / "data" / "polyphones.jsonl"
_MANDARIN: Final = re.compile(r"[〇㐀-䶿一-鿿]+")
_COLUMNS: Final = ("our lines", "other set", "MiB disk", "MiB memory", "s to load", "characters/s")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way of reading: the packages that it needs, and what loads it."""

    packages: tuple[str, ...]
    build: Callable[[], Read]


@dataclass(frozen=True, slots=True)
class Line:
    """A text, the place of a character in it, and the syllable of that character."""

    text: str
    place: int
    pinyin: str


def _by_words() -> Read:
    jieba = import_module("jieba")
    pinyin = _whole_text()
    return lambda text: [each for word in jieba.lcut(text) for each in pinyin(word)]


def _whole_text() -> Read:
    pypinyin = import_module("pypinyin")
    tone3 = pypinyin.Style.TONE3
    return lambda text: list(pypinyin.lazy_pinyin(text, style=tone3, neutral_tone_with_five=True))


def _with_large_dictionary() -> Read:
    import_module("pypinyin_dict.phrase_pinyin_data.large_pinyin").load()
    return _whole_text()


def _g2pm() -> Read:
    model: Any = import_module("g2pM").G2pM()
    return lambda text: list(model(text, tone=True, char_split=True))


def _kokorog2p() -> Read:
    import_module("kokorog2p.zh.frontend").ZHFrontend()  # adds its phrases to pypinyin
    return _by_words()  # as it reads before it applies tone sandhi


def _ours() -> Read:
    from glmtts_core.text.pinyin import MandarinReader

    reader = MandarinReader(Path(os.environ["POLYPHONES_CACHE"]))
    reader.load()

    def read(text: str) -> list[str]:
        if reader.unreadable(text):
            return []
        return [each for word in reader.words(text) for each in word.pinyin]

    return read


CANDIDATES: Final = {
    "jieba's words + pypinyin": Candidate(("jieba", "pypinyin"), _by_words),
    "pypinyin": Candidate(("pypinyin",), _whole_text),
    "pypinyin + pypinyin-dict": Candidate(("pypinyin", "pypinyin_dict"), _with_large_dictionary),
    "g2pM": Candidate(("g2pM",), _g2pm),
    "kokorog2p": Candidate(("kokorog2p", "jieba", "pypinyin", "pypinyin_dict"), _kokorog2p),
    "ours": Candidate(("jieba", "pypinyin"), _ours),
}


def main() -> None:
    """Measure every candidate and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=Path, nargs=2, metavar="FILE")
    parser.add_argument("--packages", type=Path, help="folder with more packages")
    parser.add_argument("--candidate", choices=CANDIDATES, help="measure only this one")
    parser.add_argument("--child", choices=CANDIDATES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_measure(options.child, options.sentences)))
        return
    print_machine("jieba", "pypinyin")
    print(f"{'':26}" + "".join(f"{column:>14}" for column in _COLUMNS))
    with tempfile.TemporaryDirectory() as cache:
        for name in [options.candidate] if options.candidate else CANDIDATES:
            print(f"{name:26}{_row(name, options.packages, cache)}")


def _row(name: str, packages: Path | None, cache: str) -> str:
    environment = {**os.environ, "POLYPHONES_CACHE": cache}
    if packages:
        environment["PYTHONPATH"] = str(packages.absolute())
    command = [sys.executable, "-m", "benchmarks.polyphones", "--child", name, *sys.argv[1:]]
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if child.returncode:
        return f"  skipped: {child.stderr.strip().splitlines()[-1]}"
    ours, other, disk, memory, seconds, speed = json.loads(child.stdout.splitlines()[-1])
    shares = "".join(f"{'-' if share is None else f'{share:.2%}':>14}" for share in (ours, other))
    return f"{shares}{disk:14.1f}{memory:14.0f}{seconds:14.2f}{speed:14,.0f}"


def _measure(name: str, sentences: Sequence[Path] | None) -> list[float | None]:
    candidate = CANDIDATES[name]
    for package in candidate.packages:
        if find_spec(package) is None:
            raise SystemExit(f"{package} is not installed")
    process = psutil.Process()
    before, start = process.memory_info().rss, time.perf_counter()
    read = candidate.build()
    read("你好")
    seconds, memory = time.perf_counter() - start, (process.memory_info().rss - before) / MIB
    ours = list(_lines(_LINES))
    other = list(_sentences(*sentences)) if sentences else []
    shares = [_share(read, ours), _share(read, other)]
    parts = [part for line in ours for part in _MANDARIN.findall(line.text)]
    start = time.perf_counter()
    for part in parts:
        read(part)
    speed = sum(map(len, parts)) / (time.perf_counter() - start)
    disk = sum(map(_size, candidate.packages)) / MIB
    return [*shares, disk, memory, seconds, speed]


def _share(read: Read, lines: Sequence[Line]) -> float | None:
    if not lines:
        return None
    return sum(_syllable(read, line) == line.pinyin for line in lines) / len(lines)


def _syllable(read: Read, line: Line) -> str:
    """Return the syllable that the candidate has for the character of the line."""
    for part in _MANDARIN.finditer(line.text):
        if part.start() <= line.place < part.end():
            found = read(part[0])
            if len(found) == len(part[0]):
                return found[line.place - part.start()].replace("u:", "v").replace("ü", "v")
    return ""


def _lines(path: Path) -> Iterator[Line]:
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        places = [match.start() for match in re.finditer(row["char"], row["text"])]
        yield Line(row["text"], places[row["occurrence"]], row["pinyin"])


def _sentences(sentences: Path, syllables: Path) -> Iterator[Line]:
    files = (file.read_text("utf-8").splitlines() for file in (sentences, syllables))
    for text, syllable in zip(*files, strict=True):
        yield Line(text.replace("▁", ""), text.index("▁"), syllable.strip().replace("u:", "v"))


def _size(package: str) -> int:
    spec = find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or []
    files = (file for folder in folders for file in Path(folder).rglob("*"))
    return sum(file.stat().st_size for file in files if file.suffix != ".pyc" and file.is_file())


if __name__ == "__main__":
    main()
