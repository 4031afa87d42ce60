"""Blind listening: order, seal, and the sign test."""

from __future__ import annotations

import pytest

from glmtts_core.audio import encode_wav
from glmtts_core.diagnostics.research.blind_listening import BlindTest
from glmtts_core.diagnostics.research.listening import (
    Judgement,
    Listening,
    Preference,
    load,
    outcome,
    save,
)
from glmtts_core.errors import DiagnosticsError
from tests.speaking import result


@pytest.fixture
def folder(tmp_path):
    wav = encode_wav(result().audio.samples, 24_000)
    for arm in ("never", "always"):
        for number in range(8):
            path = tmp_path / arm / f"growing-{number}.wav"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(wav)
    return tmp_path


def blind_test(folder, seed: int = 1) -> BlindTest:
    texts = {f"growing-{number}": f"text {number}" for number in range(8)}
    return BlindTest(folder, "never", "always", texts, seed)


def test_every_text_is_heard_once_from_both_arms_in_random_order(folder):
    test = blind_test(folder)
    firsts, texts = [], []
    while (pair := test.pair) is not None:
        assert pair.first.name == pair.second.name
        assert {pair.first.parent.name, pair.second.parent.name} == {"never", "always"}
        firsts.append(pair.first.parent.name)
        texts.append(pair.text)
        test.judge(Preference.SAME)
    assert set(firsts) == {"never", "always"}
    assert sorted(texts) == [f"text {number}" for number in range(8)] != texts


def test_the_result_is_sealed_until_the_last_judgement(folder):
    test = blind_test(folder)
    for _ in range(test.count):
        with pytest.raises(DiagnosticsError):
            test.result()
        test.judge(Preference.FIRST, (5, 2))
    assert test.finished
    assert len(test.result().judgements) == 8
    with pytest.raises(DiagnosticsError):
        test.judge(Preference.FIRST)


def test_the_vote_goes_to_the_arm_that_was_heard_and_not_to_the_place(folder):
    test = blind_test(folder)
    while (pair := test.pair) is not None:
        first = pair.first.parent.name == "always"
        test.judge(Preference.FIRST if first else Preference.SECOND, (4, 2) if first else (2, 4))
    found = outcome(test.result())
    assert (found.preferred, found.other_preferred, found.same) == (0, 8, 0)
    assert found.p_value == pytest.approx(2 / 2**8)
    assert (found.mean_rating, found.other_mean_rating) == (2.0, 4.0)


def test_ties_are_left_out_of_the_sign_test():
    def judgement(preference: Preference) -> Judgement:
        return Judgement(text="", first_arm="a", second_arm="b", preference=preference)

    votes = [Preference.FIRST] * 5 + [Preference.SAME] * 3
    found = outcome(Listening(arm="a", other_arm="b", judgements=tuple(map(judgement, votes))))
    assert found.p_value == pytest.approx(2 / 2**5)
    nothing = Listening(arm="a", other_arm="b", judgements=(judgement(Preference.SAME),))
    assert outcome(nothing).p_value is None


def test_a_finished_test_is_kept(folder):
    test = blind_test(folder)
    assert load(folder) is None
    while test.pair is not None:
        test.judge(Preference.SECOND)
    save(test.result(), folder)
    assert load(folder) == test.result()


def test_arms_without_common_recordings_cannot_be_compared(folder):
    with pytest.raises(DiagnosticsError):
        BlindTest(folder, "never", "every-4", {}, 1)
