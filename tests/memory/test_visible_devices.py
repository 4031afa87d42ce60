"""CUDA_VISIBLE_DEVICES is read as CUDA and PyTorch read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.memory.visible_devices import visible_devices

UUIDS = ("GPU-1a2b", "GPU-1a3c", "GPU-9f00")


@pytest.mark.parametrize(
    ("setting", "visible"),
    [
        (None, (0, 1, 2)),
        ("", ()),
        ("-1", ()),
        ("7", ()),
        ("3", ()),
        ("99999999999999999999", ()),
        ("NoDevFiles", ()),
        ("all", ()),
        ("none", ()),
        (",", ()),
        ("0", (0,)),
        (" 0 ", (0,)),
        ("+1", (1,)),
        ("0,1", (0, 1)),
        ("1,0", (1, 0)),
        ("1, 0", (1, 0)),
        ("2,0,1", (2, 0, 1)),
        # the list ends at the first entry that names no GPU
        ("0,-1,1", (0,)),
        ("0,7,1", (0,)),
        ("0,,1", (0,)),
        ("0,none,1", (0,)),
        # what follows a number is not read
        ("1gpu,2nd", (1, 2)),
        # a GPU that is named twice hides all
        ("0,0", ()),
        ("1,0,1", ()),
        ("GPU-9f00", (2,)),
        ("GPU-9", (2,)),
        ("GPU-1a3c,GPU-1a2b", (1, 0)),
        ("GPU-9f00,0", (2,)),
        ("0,GPU-9f00", (0,)),
        ("GPU-9f00,GPU-9", ()),
        # of which of the two it is the beginning nobody can say
        ("GPU-1a", ()),
        ("GPU-", ()),
        ("GPU-0000", ()),
        ("GPU-9f00,GPU-0000,GPU-1a2b", (2,)),
        ("9f00", ()),
        # a MIG instance is none of the driver's GPUs, and CUDA shows one at most
        ("MIG-5c12", (None,)),
        ("MIG-5c12,MIG-77aa", (None,)),
        ("MIG-GPU-9f00/1/0", (None,)),
        ("MIG-GPU-0000/1/0", ()),
        ("MIG-GPU-9f00", ()),
        ("MIG-GPU-9f00/x/0", ()),
        ("MIG-", ()),
        ("0,MIG-5c12", (0,)),
    ],
)
def test_a_setting_leaves_these_visible(setting, visible):
    assert visible_devices(setting, UUIDS) == visible


@pytest.mark.parametrize("setting", [None, "", "0", "GPU-9f00", "MIG-5c12", "MIG-GPU-9f00/1/0"])
def test_without_a_gpu_nothing_is_visible(setting):
    assert visible_devices(setting, ()) == ()


def test_a_uuid_that_cannot_be_compared_may_be_one_of_those_that_are_not_told():
    assert visible_devices("GPU-9f00", (None, None)) == (None,)
    assert visible_devices("GPU-9f00,GPU-1a2b", ("GPU-1a2b", None)) == (None, 0)
    assert visible_devices("GPU-9f00,GPU-9f00", (None, None)) == ()
    assert visible_devices("1", (None, None)) == (1,)


ENTRIES = st.one_of(
    st.integers(-2, 5).map(str), st.sampled_from([*UUIDS, "MIG-5c12", "x"]), st.text(max_size=4)
)


@given(st.lists(ENTRIES, max_size=5), st.sampled_from([",", ", "]))
def test_no_gpu_is_ever_visible_twice_or_out_of_range(entries, separator):
    visible = visible_devices(separator.join(entries), UUIDS)
    numbers = [number for number in visible if number is not None]
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= {0, 1, 2}
    assert len(visible) <= 3


@given(st.permutations([0, 1, 2]), st.integers(0, 3))
def test_what_follows_an_invalid_entry_is_hidden(order, before):
    entries = list(map(str, order))
    entries.insert(before, "-1")
    assert visible_devices(",".join(entries), UUIDS) == tuple(order[:before])


@given(st.permutations([0, 1, 2]))
def test_uuids_and_numbers_name_the_same(order):
    by_uuid = ",".join(UUIDS[number] for number in order)
    assert visible_devices(by_uuid, UUIDS) == tuple(order)
    assert visible_devices(",".join(map(str, order)), UUIDS) == tuple(order)
