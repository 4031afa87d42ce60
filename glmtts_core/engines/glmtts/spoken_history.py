"""What a session has spoken in one voice, as prompt for what comes next.

Kept in the session's caches: the ids of texts and speech, and the keys and values of the texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.glmtts.networks.kv_cache import KVPrefix
from glmtts_core.engines.glmtts.networks.language_model import PromptEntry
from glmtts_core.memory.ledger import LedgerKind

#: Speech tokens that prompt and expected speech may have together: 30 s.
MAX_SPEECH_TOKENS: Final = 750


def pruned(entries: Sequence[PromptEntry], text_ids: int) -> tuple[PromptEntry, ...]:
    """Return the entries that stay in the prompt of a sentence; the recording always stays.

    The sentence is expected to have as much speech for its text as the entries. The oldest entries
    are dropped until all speech together fits into 750 tokens.

    Args:
        entries: the recording, then what was spoken, oldest first.
        text_ids: ids of the sentence.
    """
    kept = list(entries)
    speech = sum(len(each.speech) for each in kept)
    text = sum(len(each.text) for each in kept)
    expected = int(speech / (text or 1) * text_ids)
    while speech + expected > MAX_SPEECH_TOKENS and len(kept) > 1:
        speech -= len(kept.pop(1).speech)
    return tuple(kept)


class SpokenHistory:
    """The history of one voice in one session.

    Args:
        caches: of the session.
        voice_key: names the voice; another voice has another history.
        on_device: whether keys and values lie on a GPU.
    """

    def __init__(self, caches: SessionCaches, voice_key: str, *, on_device: bool) -> None:
        self._caches = caches
        self._ids_key = f"{voice_key} ids"
        self._keys_values_key = f"{voice_key} keys and values"
        self._on_device = on_device

    def entries(self) -> tuple[PromptEntry, ...]:
        """Return what was spoken, without the recording, oldest first."""
        kept = self._caches.get(LedgerKind.HISTORY, self._ids_key)
        if not isinstance(kept, tuple):
            return ()
        return tuple(
            PromptEntry(tuple(text.tolist()), tuple(speech.tolist())) for text, speech in kept
        )

    def keep(self, entries: Sequence[PromptEntry]) -> None:
        """Keep what was spoken, in place of what was kept before."""
        kept = tuple((_ids(each.text), _ids(each.speech)) for each in entries)
        size = sum(text.nbytes + speech.nbytes for text, speech in kept)
        self._caches.put(LedgerKind.HISTORY, self._ids_key, kept, size)

    def prefix(self) -> KVPrefix | None:
        """Return the keys and values of the latest prompt's texts."""
        kept = self._caches.get(LedgerKind.HISTORY, self._keys_values_key)
        return kept if isinstance(kept, KVPrefix) else None

    def keep_prefix(self, prefix: KVPrefix) -> None:
        """Keep keys and values in place of those kept before."""
        self._caches.put(
            LedgerKind.HISTORY,
            self._keys_values_key,
            prefix,
            prefix.nbytes,
            on_device=self._on_device,
        )


def _ids(numbers: Sequence[int]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.int32)
