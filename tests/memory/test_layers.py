"""The chart's layers add up to the whole, whatever the sources say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.memory.layers import HOST_LAYERS, Layer, device_layers, host_layers
from glmtts_core.memory.ledger import WeightsPart
from tests.memory.stand_in_devices import device, reading

SIZES = st.integers(0, 100)
MAYBE = st.none() | SIZES
PARTS = st.dictionaries(st.sampled_from(WeightsPart), SIZES)
NO_PARTS = dict.fromkeys(
    (
        Layer.PAGES,
        Layer.LANGUAGE_MODEL,
        Layer.FLOW,
        Layer.VOCODER,
        Layer.TOKENIZER,
        Layer.WEIGHTS,
    ),
    0,
)


@st.composite
def readings(draw):
    """Draw readings whose sources contradict each other as they like."""
    return reading(
        devices=(device(0, draw(MAYBE), draw(MAYBE), draw(MAYBE)),),
        main_device=draw(st.sampled_from([None, 0, 1])),
        allocated_bytes=draw(MAYBE),
        reserved_bytes=draw(MAYBE),
        resident_set_bytes=draw(SIZES),
        weights_bytes=draw(SIZES),
        caches_bytes=draw(SIZES),
        weights_on_device_bytes=draw(SIZES),
        caches_on_device_bytes=draw(SIZES),
        workspace_bytes=draw(MAYBE),
        idle_bytes=draw(SIZES),
        host_parts=draw(PARTS),
        device_parts=draw(PARTS),
        pages_bytes=draw(MAYBE),
    )


@given(readings())
def test_device_layers_add_up_to_the_card(taken):
    layers = device_layers(taken, 0)
    total = taken.devices[0].total_bytes
    if total is None:
        assert layers is None
    else:
        assert sum(layers.values()) == total
        assert min(layers.values()) >= 0
        assert set(layers) == set(Layer)


@given(readings())
def test_host_layers_add_up_to_the_resident_set(taken):
    layers = host_layers(taken)
    assert sum(layers.values()) == taken.resident_set_bytes
    assert min(layers.values()) >= 0
    assert tuple(layers) == HOST_LAYERS


@given(readings())
def test_what_nobody_explains_is_called_unknown(taken):
    layers = device_layers(taken, 0)
    if layers is not None and taken.devices[0].process_used_bytes is None:
        assert layers[Layer.OTHER] == layers[Layer.OUTSIDE] == 0
    if layers is not None and taken.devices[0].used_bytes is None:
        assert layers[Layer.UNKNOWN] == taken.devices[0].total_bytes
        assert layers[Layer.FREE] == 0


def gpu_reading(process: int | None):
    return reading(
        devices=(device(0, used=60, total=100, process=process),),
        main_device=0,
        allocated_bytes=25,
        reserved_bytes=35,
        weights_bytes=15,
        weights_on_device_bytes=15,
        caches_bytes=4,
        caches_on_device_bytes=4,
        idle_bytes=7,
    )


def test_a_card_is_split_into_all_its_layers():
    assert device_layers(gpu_reading(process=40), 0) == NO_PARTS | {
        Layer.WEIGHTS: 15,
        Layer.CACHES: 4,
        Layer.WORKSPACE: 9,
        Layer.RECLAIMABLE: 7,
        Layer.OUTSIDE: 5,
        Layer.OTHER: 20,
        Layer.UNKNOWN: 0,
        Layer.FREE: 40,
    }


def test_without_our_process_figure_the_rest_is_unknown_but_ours_is_still_shown():
    layers = device_layers(gpu_reading(process=None), 0)
    assert (layers[Layer.WEIGHTS], layers[Layer.UNKNOWN], layers[Layer.FREE]) == (15, 25, 40)


def test_a_card_that_the_engine_does_not_use_has_none_of_its_layers():
    taken = reading(devices=(device(1, used=60, total=100, process=5),), main_device=0)
    layers = device_layers(taken, 1)
    assert (layers[Layer.OUTSIDE], layers[Layer.OTHER], layers[Layer.FREE]) == (5, 55, 40)


def test_a_card_that_is_not_there_has_no_layers():
    assert device_layers(reading(), 0) is None


def test_a_resident_set_is_split_into_its_layers():
    taken = reading(
        resident_set_bytes=100, weights_bytes=30, caches_bytes=5, workspace_bytes=8, idle_bytes=20
    )
    assert host_layers(taken) == NO_PARTS | {
        Layer.OUTSIDE: 37,
        Layer.WEIGHTS: 30,
        Layer.CACHES: 5,
        Layer.WORKSPACE: 8,
        Layer.RECLAIMABLE: 20,
    }


def test_what_serves_the_pages_is_a_layer_of_its_own_where_engines_have_processes():
    taken = reading(resident_set_bytes=100, pages_bytes=45, weights_bytes=30)
    layers = host_layers(taken)
    assert (layers[Layer.PAGES], layers[Layer.WEIGHTS], layers[Layer.OUTSIDE]) == (45, 30, 25)


def test_weights_on_a_card_are_not_in_the_resident_set():
    taken = reading(
        resident_set_bytes=100, allocated_bytes=30, weights_bytes=30, weights_on_device_bytes=30
    )
    assert host_layers(taken)[Layer.WEIGHTS] == 0


def test_the_networks_of_an_engine_have_layers_of_their_own():
    parts = {WeightsPart.LANGUAGE_MODEL: 20, WeightsPart.FLOW: 6}
    taken = reading(resident_set_bytes=100, weights_bytes=30, host_parts=parts)
    layers = host_layers(taken)
    named = [layers[Layer.LANGUAGE_MODEL], layers[Layer.FLOW], layers[Layer.WEIGHTS]]
    assert named == [20, 6, 4]
    assert sum(layers.values()) == 100
