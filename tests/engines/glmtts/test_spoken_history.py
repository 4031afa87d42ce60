"""The history is pruned as the reference does it, kept per voice, counted and dropped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.glmtts.networks.kv_cache import KVPrefix
from glmtts_core.engines.glmtts.networks.language_model import PromptEntry
from glmtts_core.engines.glmtts.rehearsal import RehearsalNetworks
from glmtts_core.engines.glmtts.spoken_history import SpokenHistory, pruned
from glmtts_core.memory.ledger import Ledger, LedgerKind
from tests.engines.glmtts.tiny_engine import TINY_SIZE, Rig, recording, request

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")

HELLO = request("hello.", history=True)


def spoken(text: int, speech: int) -> PromptEntry:
    return PromptEntry(tuple(range(text)), tuple(range(speech)))


RECORDING = spoken(10, 100)


@pytest.mark.parametrize(
    ("entries", "text_ids", "kept"),
    [
        # 10 speech tokens an id: 100 are expected
        ([(10, 100)] * 5, 10, 5),
        ([(10, 100)] * 6, 10, 5),
        ([(10, 100)] * 7, 10, 5),
        ([(10, 100), (10, 600), (10, 5)], 2, 2),
        ([(10, 700)], 10, 0),
        ([], 100, 0),
    ],
)
def test_the_oldest_go_until_prompt_and_expected_speech_fit(entries, text_ids, kept):
    whole = [RECORDING, *(spoken(*each) for each in entries)]
    left = pruned(whole, text_ids)
    assert left[0] == RECORDING
    assert left[1:] == tuple(whole[len(whole) - kept :] if kept else ())


def test_without_any_text_nothing_is_divided_by_zero():
    assert pruned([PromptEntry((), (1, 2))], 3) == (PromptEntry((), (1, 2)),)


def test_each_voice_has_a_history_of_its_own():
    caches = SessionCaches("anna", Ledger())
    one = SpokenHistory(caches, "one", on_device=False)
    one.keep([spoken(2, 3)])
    assert one.entries() == (spoken(2, 3),)
    assert SpokenHistory(caches, "two", on_device=False).entries() == ()


def test_ids_and_keys_and_values_are_counted_to_the_byte_and_cleared():
    ledger = Ledger()
    caches = SessionCaches("anna", ledger)
    history = SpokenHistory(caches, "one", on_device=True)
    history.keep([spoken(2, 3), spoken(4, 5)])
    history.keep_prefix(KVPrefix(((1, 2),), torch.zeros(2, 2, 2, 2, 4)))
    kept = ledger.snapshot()
    assert kept.total_bytes(kinds={LedgerKind.HISTORY}, on_device=False) == 4 * 14
    assert kept.total_bytes(kinds={LedgerKind.HISTORY}, on_device=True) == 4 * 64
    caches.clear()
    assert (history.entries(), history.prefix()) == ((), None)


@pytest.fixture
def rig(settings) -> Rig:
    return Rig(settings, RehearsalNetworks(TINY_SIZE))


def test_what_was_spoken_changes_what_follows_only_where_it_is_asked_for(rig):
    first = rig.speak(HELLO)
    followed = rig.speak(HELLO)
    assert not np.array_equal(followed, first)
    alone = rig.speak(HELLO, history=False)
    assert np.array_equal(rig.speak(HELLO, history=False), alone)
    rig.caches.clear()
    assert np.array_equal(rig.speak(HELLO), first)
    assert np.array_equal(rig.speak(HELLO), followed)


def test_another_recording_or_another_text_of_it_begins_anew(rig, settings):
    rig.speak(HELLO)
    for reference in (recording(seed=1), recording(transcript="other")):
        fresh = Rig(settings, RehearsalNetworks(TINY_SIZE))
        asked = HELLO.changed(reference=reference)
        assert np.array_equal(rig.speak(asked), fresh.speak(asked))


def test_dropping_keys_and_values_alone_changes_no_sample(rig, settings):
    other = Rig(settings, RehearsalNetworks(TINY_SIZE))
    for _ in range(3):
        sound = rig.speak(HELLO)
        assert np.array_equal(other.speak(HELLO), sound)
        (name,) = (
            each.name
            for each in other.ledger.snapshot().entries
            if each.kind is LedgerKind.HISTORY and each.name.endswith("keys and values")
        )
        other.caches.drop(LedgerKind.HISTORY, name)


def test_a_long_history_stays_bounded(rig):
    sizes = []
    for _ in range(4):
        rig.speak(HELLO, text="hello hello hello hello hello hello hello hello.")
        sizes.append(rig.ledger.snapshot().total_bytes(kinds={LedgerKind.HISTORY}))
    assert sizes[0] < sizes[-1] == sizes[-2] == sizes[-3]
