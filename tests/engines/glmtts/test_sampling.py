"""Tokens are drawn by the rules of the reference, and the same numbers give the same tokens."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.engines.glmtts.golden import golden
from glmtts_core.engines.glmtts.sampling import Sampling, draw_token, nucleus, uniform_numbers

NOTHING = torch.full((10,), -1)
MAY_END = torch.tensor([True])
MUST_GO_ON = torch.tensor([False])


def draw(logits, first: float, second: float = 0.5, *, recent=NOTHING, may_end=MAY_END, **rule):
    uniforms = torch.tensor([first, second], dtype=torch.float64)
    return int(draw_token(logits, recent, may_end, uniforms, Sampling(**rule)))


@pytest.mark.parametrize("case", range(6))
def test_the_nucleus_holds_the_ids_of_the_reference_with_its_probabilities(case):
    vectors = golden("nucleus").tensors
    probabilities = torch.softmax(vectors[f"logits_{case}"], dim=0)
    ids, weights = nucleus(probabilities, top_k=25, top_p=0.8)
    kept = weights > 0
    assert ids[kept].tolist() == vectors[f"kept_{case}"].tolist()
    expected = vectors[f"prob_{case}"]
    found = weights[kept]
    if not torch.allclose(found, expected, atol=1e-6, rtol=0):
        found = found / found.sum()
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_equal_probabilities_stand_in_the_order_of_their_ids():
    ids, _ = nucleus(torch.full((40,), 1 / 40), top_k=25, top_p=1.0)
    assert ids.tolist() == list(range(25))


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=60), st.floats(0.05, 1.0))
def test_the_nucleus_is_what_a_plain_loop_over_a_stable_sort_keeps(scores, top_p):
    probabilities = torch.softmax(torch.tensor(scores, dtype=torch.float32), dim=0)
    ordered, order = probabilities.sort(descending=True, stable=True)
    expected, mass = [], 0.0
    for value, index in zip(ordered, order.tolist(), strict=True):
        if mass >= top_p or len(expected) == 25:
            break
        expected.append(index)
        mass = float(torch.tensor(mass, dtype=torch.float32) + value)
    ids, weights = nucleus(probabilities, top_k=25, top_p=top_p)
    assert ids[weights > 0].tolist() == expected


def test_draws_are_as_frequent_as_the_probabilities():
    logits = torch.tensor([0.5, 0.2, 0.15, 0.1, 0.05]).log()
    shares = [(turn + 0.5) / 1000 for turn in range(1000)]
    drawn = [draw(logits, share) for share in shares]
    # the nucleus at 0.8 is 0.5, 0.2 and 0.15, so the others never come at first
    counts = [drawn.count(token) / 1000 for token in range(5)]
    assert counts == pytest.approx([0.5 / 0.85, 0.2 / 0.85, 0.15 / 0.85, 0, 0], abs=0.002)


def test_a_repeated_candidate_is_drawn_again_from_everything():
    logits = torch.tensor([0.9, 0.06, 0.04]).log()
    recent = torch.tensor([-1] * 9 + [0])
    assert draw(logits, 0.5, 0.93, recent=NOTHING) == 0
    assert draw(logits, 0.5, 0.93, recent=recent) == 1
    assert draw(logits, 0.5, 0.97, recent=recent) == 2
    assert draw(logits, 0.5, 0.1, recent=recent) == 0


def test_the_second_draw_is_as_frequent_as_the_probabilities_too():
    probabilities = torch.softmax(torch.linspace(-2, 3, 60), dim=0)
    best = int(probabilities.argmax())
    recent = torch.arange(50, 60)
    shares = [(turn + 0.5) / 800 for turn in range(800)]
    drawn = torch.tensor([draw(probabilities.log(), 0.1, share, recent=recent) for share in shares])
    assert best in drawn
    counts = torch.bincount(drawn, minlength=60) / 800
    assert (counts - probabilities).abs().max() < 1 / 400


@pytest.mark.parametrize("method", ["ras", "topk"])
@pytest.mark.parametrize("share", [0.0, 0.3, 1 - 2**-53])
def test_the_end_never_comes_before_it_may(method, share):
    logits = torch.tensor([0.0, 1.0, 2.0, 9.0])
    recent = torch.tensor([0, 1, 2] * 3 + [2])
    for top_k in (1, 2, 25):
        drawn = draw(
            logits, share, share, recent=recent, may_end=MUST_GO_ON, method=method, top_k=top_k
        )
        assert drawn != 3
    assert draw(logits, 0.5, recent=NOTHING, method=method) == 3


def test_top_k_draws_from_the_best_only():
    logits = torch.linspace(0, 1, 50)
    shares = [(turn + 0.5) / 500 for turn in range(500)]
    drawn = {draw(logits, share, method="topk", top_k=5) for share in shares}
    assert drawn == {45, 46, 47, 48, 49}


def test_what_cannot_come_is_never_drawn_whatever_the_number():
    logits = torch.full((1000,), -math.inf)
    logits[[3, 500]] = 0.0
    recent = torch.tensor([3, 500] * 5)
    for share in (0.0, 0.25, 0.5, 0.75, 1 - 2**-53):
        assert draw(logits, share, share, recent=recent) in (3, 500)


def test_the_numbers_of_a_seed_are_always_the_same_and_leave_others_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, two = uniform_numbers(7, 100), uniform_numbers(7, 100)
    assert torch.equal(one, two)
    assert not torch.equal(one, uniform_numbers(8, 100))
    assert torch.equal(uniform_numbers(7, 200)[:100], one)
    assert torch.equal(torch.random.get_rng_state(), before)
