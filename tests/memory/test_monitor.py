"""The sampling thread, its marks, and peaks that survive."""

from __future__ import annotations

import threading
import time

import pytest

from glmtts_core.memory.monitor import EventKind, MemoryMonitor
from tests.memory.stand_in_devices import MIB, HostRig

BOUND_S = 20.0


def wait_until(condition) -> None:
    """Wait for ``condition``, at most for BOUND_S."""
    pause = threading.Event()
    end = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        pause.wait(0.005)


@pytest.fixture
def rig():
    rig = HostRig()
    yield rig
    rig.monitor.stop()


def fast(rig: HostRig, history_s: float = 600.0) -> MemoryMonitor:
    rig.monitor = MemoryMonitor(rig.probe, rate_hz=200.0, history_s=history_s)
    return rig.monitor


def test_it_samples_until_it_is_stopped_and_keeps_what_it_has(rig):
    monitor = fast(rig)
    monitor.start()
    monitor.start()
    wait_until(lambda: len(monitor.samples(60)) >= 3)
    assert sum(thread.name == "memory-monitor" for thread in threading.enumerate()) == 1
    monitor.stop()
    monitor.stop()
    assert not monitor.running
    assert len(monitor.samples(60)) >= 3


def test_it_can_be_started_again(rig):
    monitor = fast(rig)
    monitor.start()
    monitor.stop()
    before = len(monitor.samples(60))
    monitor.start()
    wait_until(lambda: len(monitor.samples(60)) > before)


def test_readings_come_in_the_order_of_time_even_with_marks_from_other_threads(rig):
    monitor = fast(rig)
    monitor.start()
    markers = [
        threading.Thread(target=lambda: [monitor.mark(EventKind.LOAD) for _ in range(50)])
        for _ in range(3)
    ]
    for marker in markers:
        marker.start()
    for marker in markers:
        marker.join()
    times = [reading.time_s for reading in monitor.samples(60)]
    assert times == sorted(times)
    assert len(monitor.events(60)) == 150


def test_old_readings_make_room(rig):
    monitor = fast(rig, history_s=0.05)
    monitor.start()
    first = monitor.latest()
    wait_until(lambda: monitor.latest().time_s > first.time_s + 0.1)
    assert first not in monitor.samples(60)


def test_the_latest_reading_is_taken_when_there_is_none(rig):
    assert rig.monitor.latest().resident_set_bytes == rig.resident.bytes
    assert len(rig.monitor.samples(60)) == 1


def test_a_mark_keeps_the_height_at_that_moment(rig):
    rig.resident.bytes = 700 * MIB
    event = rig.monitor.mark(EventKind.SYNTHESIS_START, "one")
    rig.resident.bytes = 100 * MIB
    rig.monitor.sample_now()
    assert rig.monitor.events(60) == (event,)
    peak = rig.monitor.peak_between(event.time_s, time.monotonic())
    assert peak.resident_set_bytes == 700 * MIB


def test_a_peak_outside_the_two_moments_does_not_count(rig):
    rig.resident.bytes = 900 * MIB
    rig.monitor.sample_now()
    start = time.monotonic()
    rig.resident.bytes = 300 * MIB
    rig.monitor.sample_now()
    assert rig.monitor.peak_between(start, time.monotonic()).resident_set_bytes == 300 * MIB


def test_without_a_sample_in_between_the_newest_answers(rig):
    rig.monitor.sample_now()
    now = time.monotonic()
    assert rig.monitor.peak_between(now, now).resident_set_bytes == rig.resident.bytes


@pytest.mark.parametrize("points", [3, 7, 50])
def test_fewer_points_keep_the_peak_and_the_newest(rig, points):
    for number in range(400):
        rig.resident.bytes = (5000 if number == 123 else number) * MIB
        rig.monitor.sample_now()
    span = time.monotonic() - rig.monitor.samples(60)[0].time_s
    heights = [
        reading.resident_set_bytes // MIB for reading in rig.monitor.samples(span * 1.5, points)
    ]
    assert len(heights) <= points
    assert 5000 in heights
    assert heights[-1] == 399


def test_fewer_points_keep_the_peak_of_the_figure_that_is_drawn(rig):
    # another memory may be at its height when the main line is at its lowest
    for number in range(400):
        rig.resident.bytes = (1 if number == 123 else 500 + number) * MIB
        rig.monitor.sample_now()
    drawn = rig.monitor.samples(600, 20, lambda reading: -reading.resident_set_bytes)
    assert min(reading.resident_set_bytes for reading in drawn) == MIB


def test_two_points_are_refused(rig):
    for _ in range(3):
        rig.monitor.sample_now()
    with pytest.raises(ValueError, match="2 points"):
        rig.monitor.samples(60, 2)


def test_a_failing_reading_is_shown_and_the_thread_goes_on(rig):
    monitor = fast(rig)
    monitor.start()
    wait_until(lambda: monitor.samples(60))
    rig.resident.error = OSError("no such process")
    wait_until(lambda: monitor.message is not None)
    assert "no such process" in monitor.message.text("en")
    assert monitor.sample_now() in monitor.samples(60)
    rig.resident.error = None
    wait_until(lambda: monitor.message is None)
    assert monitor.running


def test_the_first_reading_that_fails_is_raised(rig):
    rig.resident.error = OSError("no such process")
    with pytest.raises(OSError, match="no such process"):
        rig.monitor.latest()
