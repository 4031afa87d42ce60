"""The text tokenizer: byte pairs by rank, and the added tokens that stand for speech and phonemes.

The files are read as data; the Python code that comes with them is not run.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tiktoken

from glmtts_core.engines.glmtts.checkpoint.folder import read_json
from glmtts_core.engines.glmtts.decoding import SpeechIds
from glmtts_core.errors import CheckpointError

#: How text is cut before byte pairs are joined, in this order: English clitics; letters with at
#: most one other character before them; up to three figures; symbols; line ends; space.
_PATTERN: Final = "|".join(
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
        r"[^\r\n\p{L}\p{N}]?\p{L}+",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
_BEGIN_AUDIO: Final = "<|begin_of_audio|>"
_END_AUDIO: Final = "<|user|>"
#: The first of the special ids: all of them lie from here on.
_PAD: Final = "<|endoftext|>"


@dataclass(frozen=True, slots=True)
class _AddedToken:
    id: int
    takes_space_before: bool
    takes_space_after: bool


class TextTokenizer:
    """Turns text into ids.

    Args:
        folder: ``vq32k-phoneme-tokenizer`` of the checkpoint.

    Raises:
        CheckpointError: a file is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._ranks_file = folder / "tokenizer.model"
        self._config_file = folder / "tokenizer_config.json"
        self._pairs = tiktoken.Encoding(
            folder.name,
            pat_str=_PATTERN,
            mergeable_ranks=_read_ranks(self._ranks_file),
            special_tokens={},
        )
        self._added = _read_added(self._config_file)
        # the longest first: one added token may begin with another
        longest_first = sorted(self._added, key=len, reverse=True)
        self._cut = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def encode(self, text: str) -> list[int]:
        """Return the ids of ``text``; nothing is put before or after them."""
        ids: list[int] = []
        position = 0
        takes_space = False
        for found in self._cut.finditer(text):
            token = self._added[found[0]]
            before = text[position : found.start()]
            before = before.lstrip() if takes_space else before
            ids += self._pairs.encode_ordinary(
                before.rstrip() if token.takes_space_before else before
            )
            ids.append(token.id)
            position, takes_space = found.end(), token.takes_space_after
        rest = text[position:]
        return ids + self._pairs.encode_ordinary(rest.lstrip() if takes_space else rest)

    def speech_ids(self, codes: int) -> SpeechIds:
        """Return where speech lies in the vocabulary.

        Args:
            codes: how many speech tokens there are.

        Raises:
            CheckpointError: a special token is not one id, lies where text lies, or the speech
                tokens have gaps.
        """
        lowest = self._single_id(_PAD)
        first, last = (self._single_id(f"<|audio_{number}|>", lowest) for number in (0, codes - 1))
        if last - first != codes - 1:
            raise CheckpointError(
                "tokenizer.gaps", file=self._config_file, codes=codes, first=first, last=last
            )
        return SpeechIds(
            first_audio=first,
            last_audio=last,
            begin_audio=self._single_id(_BEGIN_AUDIO, lowest),
            end_audio=self._single_id(_END_AUDIO, lowest),
        )

    def _single_id(self, token: str, lowest: int = 0) -> int:
        ids = self.encode(token)
        if len(ids) != 1 or ids[0] < lowest:
            raise CheckpointError("tokenizer.not_special", file=self._config_file, token=token)
        return ids[0]


def _read_ranks(file: Path) -> dict[bytes, int]:
    try:
        lines = file.read_bytes().splitlines()
        pairs = (line.split() for line in lines if line)
        ranks = {base64.b64decode(token, validate=True): int(rank) for token, rank in pairs}
    except FileNotFoundError as error:
        raise CheckpointError("checkpoint.file_missing", file=file) from error
    except (OSError, ValueError, binascii.Error) as error:
        raise CheckpointError("checkpoint.file_damaged", file=file, reason=error) from error
    # the library takes both for granted and would panic in the middle of a text
    if any(bytes([byte]) not in ranks for byte in range(256)) or len(set(ranks.values())) < len(
        ranks
    ):
        reason = "a byte without a rank, or a rank twice"
        raise CheckpointError("checkpoint.file_damaged", file=file, reason=reason)
    return ranks


def _read_added(file: Path) -> dict[str, _AddedToken]:
    entries: Any = read_json(file).get("added_tokens_decoder", {})
    try:
        return {
            entry["content"]: _AddedToken(
                int(number), bool(entry.get("lstrip")), bool(entry.get("rstrip"))
            )
            for number, entry in entries.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"added_tokens_decoder: {error}"
        raise CheckpointError("checkpoint.file_damaged", file=file, reason=reason) from error
