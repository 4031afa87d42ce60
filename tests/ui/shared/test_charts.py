"""Figures are plain dictionaries that Plotly takes, and show what was measured."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.diagnostics.breakdown import MemoryPart
from glmtts_core.memory.layers import Layer, device_layers, host_layers
from glmtts_core.memory.monitor import Event, EventKind
from glmtts_core.message import Message
from glmtts_core.ui.diagnostics.charts import treemap
from glmtts_core.ui.shared import charts
from glmtts_core.ui.shared.theme import LAYER_COLOURS
from tests.memory.stand_in_devices import device, reading

MIB, GIB = 2**20, 2**30
NOW_S = 1000.0


def host_samples(count: int = 5, weights: int = 80 * MIB):
    """Readings a second apart on a machine without a GPU, the newest at NOW_S."""
    return [
        reading(
            time_s=NOW_S - count + 1 + index,
            resident_set_bytes=(300 + 10 * index) * MIB,
            weights_bytes=weights,
            idle_bytes=20 * MIB,
        )
        for index in range(count)
    ]


def memory(samples, events=(), language="en", layers=host_layers, **given):
    given = {"span_s": 120.0, "height_px": 150} | given
    return charts.memory(samples, events, layers, language, **given)


def event(kind: EventKind, time_s: float = NOW_S, label: str = "") -> Event:
    return Event(time_s, kind, label)


def layer_traces(figure):
    return [trace for trace in figure["data"] if trace["mode"] == "lines"]


def marks(figure):
    return figure["data"][-1]


def tone(seconds: float = 1.0) -> np.ndarray:
    times_s = np.arange(int(24_000 * seconds)) / 24_000
    return (0.5 * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)


def assert_drawable(figure) -> None:
    go.Figure(figure)
    assert "NaN" not in plotly.io.to_json(figure, validate=False)


# -- memory ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_memory_chart_can_be_drawn_in_both_languages(language):
    events = [event(kind) for kind in EventKind]
    assert_drawable(memory(host_samples(), events, language))


@pytest.mark.parametrize("total_bytes", [None, 24 * GIB])
def test_without_samples_the_chart_is_empty_but_drawable(total_bytes):
    figure = memory([], total_bytes=total_bytes)
    assert_drawable(figure)
    assert figure["data"] == []


def test_a_single_sample_can_be_drawn():
    assert_drawable(memory(host_samples(1)))


def test_the_layers_add_up_to_the_whole_at_every_moment():
    samples = host_samples()
    stacked = np.sum([trace["y"] for trace in layer_traces(memory(samples))], axis=0)
    whole = [sample.resident_set_bytes / MIB for sample in samples]
    np.testing.assert_allclose(stacked, whole, atol=0.01)


def test_a_layer_that_is_nowhere_is_left_out_of_the_legend():
    names = [trace["name"] for trace in layer_traces(memory(host_samples(weights=0)))]
    assert names == ["program", "reclaimable"]


def test_free_memory_is_the_room_above_the_stack():
    samples = [reading(time_s=NOW_S, devices=(device(used=6 * GIB, total=24 * GIB),))]
    figure = memory(samples, layers=lambda each: device_layers(each, 0) or {}, total_bytes=24 * GIB)
    assert sum(trace["y"][-1] for trace in layer_traces(figure)) == pytest.approx(6)
    assert figure["layout"]["yaxis"]["range"][1] >= 24


def test_without_a_total_the_axis_ends_a_little_above_the_highest_stack():
    low, high = memory(host_samples())["layout"]["yaxis"]["range"]
    assert low == 0
    assert 340 < high < 400


@pytest.mark.parametrize(("resident", "unit"), [(900 * MIB, "MiB"), (1200 * MIB, "GiB")])
def test_the_unit_fits_the_size(resident, unit):
    figure = memory([reading(time_s=NOW_S, resident_set_bytes=resident)])
    assert figure["layout"]["yaxis"]["ticksuffix"] == f" {unit}"
    assert all(unit in trace["hovertemplate"] for trace in layer_traces(figure))


def test_every_layer_has_a_colour_of_its_own():
    assert set(LAYER_COLOURS) == set(Layer)
    assert len(set(LAYER_COLOURS.values())) == len(Layer)


def test_every_layer_but_the_free_one_has_its_place_in_the_stack():
    assert sorted(charts.STACK) == sorted(set(Layer) - {Layer.FREE})


def test_time_runs_from_the_span_to_now():
    figure = memory(host_samples(), span_s=600.0)
    assert figure["layout"]["xaxis"]["range"] == [-600.0, 0]
    assert figure["layout"]["xaxis"]["ticktext"][-1] == "now"
    assert layer_traces(figure)[0]["x"][-1] == 0


def test_events_are_marked_where_they_happened_with_their_words():
    happened = event(EventKind.SYNTHESIS_START, NOW_S - 30, "#7")
    assert (marks(memory(host_samples(), [happened]))["x"]) == [-30.0]
    assert marks(memory(host_samples(), [happened], "zh"))["text"] == ["合成 #7"]


def test_events_before_the_span_are_left_out():
    figure = memory(host_samples(), [event(EventKind.CLEANUP, NOW_S - 121)])
    assert marks(figure)["x"] == []


def test_the_end_of_a_synthesis_is_no_mark_of_its_own():
    assert marks(memory(host_samples(), [event(EventKind.SYNTHESIS_END)]))["x"] == []


def test_cleanup_and_running_out_of_memory_look_different():
    events = [event(EventKind.CLEANUP), event(EventKind.OUT_OF_MEMORY)]
    figure = marks(memory(host_samples(), events))
    assert len(set(figure["marker"]["symbol"])) == 2
    assert len(set(figure["marker"]["color"])) == 2


# -- sound -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.0001, 0.3, 20.0])
def test_a_waveform_spans_the_sounds_length_in_few_points(seconds):
    figure = charts.waveform(tone(seconds), 24_000, "Waveform")
    assert_drawable(figure)
    lows, highs = figure["data"]
    assert len(lows["x"]) <= 600
    assert lows["x"][-1] == pytest.approx(seconds, abs=1e-3)
    assert all(low <= high for low, high in zip(lows["y"], highs["y"], strict=True))


def test_a_waveform_shows_how_loud_a_quiet_sound_really_is():
    figure = charts.waveform(0.1 * tone(), 24_000, "Waveform")
    assert max(figure["data"][1]["y"]) == pytest.approx(0.05, abs=1e-3)
    assert figure["layout"]["yaxis"]["range"] == [-1, 1]


def test_a_waveform_of_no_samples_can_be_drawn():
    assert_drawable(charts.waveform(np.zeros(0, np.float32), 24_000, "Waveform"))


@pytest.mark.parametrize("samples", [tone(), np.zeros(24_000, np.float32)], ids=["tone", "silence"])
def test_a_mel_spectrogram_spans_the_sounds_length(samples):
    figure = charts.mel_spectrogram(samples, 24_000, "Mel")
    assert_drawable(figure)
    heatmap = figure["data"][0]
    assert heatmap["dx"] * len(heatmap["z"][0]) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("draw", [charts.waveform, charts.mel_spectrogram])
def test_the_title_is_shown(draw):
    assert draw(tone(), 24_000, "波形")["layout"]["title"]["text"] == "波形"


def test_the_label_of_an_event_is_shown_as_text():
    loaded = event(EventKind.LOAD, label="<a href='http://x'>x</a>")
    (shown,) = marks(memory(host_samples(), [loaded]))["text"]
    assert shown.endswith(" &lt;a href='http://x'&gt;x&lt;/a&gt;")


def test_the_names_in_a_treemap_are_shown_as_text():
    part = MemoryPart(Message("breakdown.named", {"name": "<b>x</b>"}), 1)
    (label,) = treemap(part, "en")["data"][0]["labels"]
    assert "&lt;b&gt;x&lt;/b&gt;" in label
