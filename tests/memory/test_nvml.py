"""The driver's answers, read by the real pynvml from the stub library."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.nvml import (
    DRIVER_MISMATCH,
    DRIVER_NOT_LOADED,
    GIB,
    GPU_IS_LOST,
    NO_PERMISSION,
    NOT_SUPPORTED,
    UNKNOWN_ERROR,
    StubDevice,
    StubProcess,
    write_nvml_state,
)

pytestmark = pytest.mark.process

STRANGER = 4_000_000  # beyond the kernel's default highest pid


def test_two_devices_are_told_apart(nvml_child, nvml_state):
    write_nvml_state(
        nvml_state,
        [
            StubDevice("NVIDIA One", 24 * GIB, 6 * GIB, processes=(StubProcess(2 * GIB),)),
            StubDevice("NVIDIA Two", 80 * GIB, 9 * GIB, processes=(StubProcess(GIB, STRANGER),)),
        ],
    )
    one, two = (reading := nvml_child().read())["devices"]
    assert (one["name"], one["used_bytes"], one["total_bytes"]) == ("NVIDIA One", 6 * GIB, 24 * GIB)
    assert one["process_used_bytes"] == 2 * GIB
    assert (two["name"], two["used_bytes"], two["process_used_bytes"]) == ("NVIDIA Two", 9 * GIB, 0)
    assert one["uuid"] != two["uuid"]
    assert reading["messages"] == []


def test_changing_memory_is_followed(nvml_child, nvml_state):
    child = nvml_child()
    seen = []
    for used in (GIB, 5 * GIB, 2 * GIB):
        write_nvml_state(nvml_state, [StubDevice(used_bytes=used)])
        seen.append(child.device()["used_bytes"])
    assert seen == [GIB, 5 * GIB, 2 * GIB]


def test_a_process_that_computes_and_draws_counts_once(nvml_child, nvml_state):
    both = (StubProcess(3 * GIB), StubProcess(3 * GIB, graphics=True))
    write_nvml_state(nvml_state, [StubDevice(processes=both)])
    assert nvml_child().device()["process_used_bytes"] == 3 * GIB


def test_a_process_that_only_draws_counts(nvml_child, nvml_state):
    drawing = (StubProcess(GIB, STRANGER), StubProcess(2 * GIB, graphics=True))
    write_nvml_state(nvml_state, [StubDevice(processes=drawing)])
    assert nvml_child().device()["process_used_bytes"] == 2 * GIB


def test_without_a_context_a_list_without_us_means_zero(nvml_child, nvml_state):
    write_nvml_state(nvml_state, [StubDevice(processes=(StubProcess(GIB, STRANGER),))])
    assert nvml_child().device()["process_used_bytes"] == 0


def test_with_a_context_a_list_without_us_means_unknown(nvml_child, nvml_state):
    write_nvml_state(nvml_state, [StubDevice(processes=(StubProcess(GIB, STRANGER),))] * 2)
    reading = nvml_child("--holds-context").read()
    assert [device["process_used_bytes"] for device in reading["devices"]] == [None, None]
    assert [message["key"] for message in reading["messages"]] == ["memory.nvml.process_hidden"]


def test_with_a_context_on_another_device_zero_is_believed(nvml_child, nvml_state):
    write_nvml_state(nvml_state, [StubDevice(processes=(StubProcess(GIB),)), StubDevice()])
    reading = nvml_child("--holds-context").read()
    assert [device["process_used_bytes"] for device in reading["devices"]] == [GIB, 0]


def test_a_driver_that_does_not_tell_our_figure_leaves_it_unknown(nvml_child, nvml_state):
    write_nvml_state(nvml_state, [StubDevice(processes=(StubProcess(None),))])
    reading = nvml_child().read()
    assert reading["devices"][0]["process_used_bytes"] is None
    assert reading["devices"][0]["used_bytes"] == 6 * GIB
    assert [message["key"] for message in reading["messages"]] == ["memory.nvml.process_not_told"]


@pytest.mark.parametrize(
    ("field", "unknown", "key"),
    [
        ("memory_code", {"used_bytes", "total_bytes"}, "memory.nvml.memory_not_supported"),
        ("process_code", {"process_used_bytes"}, "memory.nvml.processes_not_supported"),
        ("name_code", {"name"}, "memory.nvml.name_not_supported"),
    ],
)
def test_an_unsupported_field_is_unknown_alone(nvml_child, nvml_state, field, unknown, key):
    write_nvml_state(nvml_state, [StubDevice(**{field: NOT_SUPPORTED}), StubDevice()])
    child = nvml_child()
    child.read()
    reading = child.read()
    first, second = reading["devices"]
    assert {name for name, value in first.items() if value is None} == unknown
    assert None not in second.values()
    assert [(message["key"], message["details"]) for message in reading["messages"]] == [
        (key, {"index": 0})
    ]


def test_a_lost_device_leaves_the_other_one_readable(nvml_child, nvml_state):
    write_nvml_state(nvml_state, [StubDevice("One"), StubDevice("Two")])
    child = nvml_child("--retry-s", "1000")
    child.read()
    write_nvml_state(nvml_state, [StubDevice("One", memory_code=GPU_IS_LOST), StubDevice("Two")])
    reading = child.read()
    first, second = reading["devices"]
    assert (first["name"], first["used_bytes"], first["total_bytes"]) == ("One", None, None)
    assert second["used_bytes"] == 6 * GIB
    assert [message["key"] for message in reading["messages"]] == ["memory.nvml.device_lost"]


def test_a_lost_device_is_not_asked_again_before_its_time(nvml_child, nvml_state):
    child = nvml_child("--retry-s", "1000")
    write_nvml_state(nvml_state, [StubDevice(memory_code=GPU_IS_LOST)])
    child.read()
    write_nvml_state(nvml_state, [StubDevice()])
    assert child.device()["used_bytes"] is None


@pytest.mark.parametrize("code", [GPU_IS_LOST, UNKNOWN_ERROR])
def test_a_device_that_comes_back_is_read_again(nvml_child, nvml_state, code):
    child = nvml_child("--retry-s", "0")
    write_nvml_state(nvml_state, [StubDevice(memory_code=code)])
    assert child.device()["used_bytes"] is None
    write_nvml_state(nvml_state, [StubDevice()])
    assert child.device()["used_bytes"] == 6 * GIB
    assert child.message_keys() == []


def test_a_device_lost_from_the_start_still_has_its_place(nvml_child, nvml_state):
    write_nvml_state(nvml_state, [StubDevice(handle_code=GPU_IS_LOST), StubDevice()])
    reading = nvml_child().read()
    assert [device["used_bytes"] for device in reading["devices"]] == [None, 6 * GIB]
    assert [message["key"] for message in reading["messages"]] == ["memory.nvml.device_lost"]


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (DRIVER_NOT_LOADED, "memory.nvml.no_driver"),
        (DRIVER_MISMATCH, "memory.nvml.driver_mismatch"),
        (NO_PERMISSION, "memory.nvml.no_permission"),
        (UNKNOWN_ERROR, "memory.nvml.failed"),
    ],
)
def test_a_driver_that_does_not_start_is_named_and_tried_again(nvml_child, nvml_state, code, key):
    child = nvml_child("--retry-s", "0")
    write_nvml_state(nvml_state, [StubDevice()], init_code=code)
    assert child.message_keys() == [key]
    write_nvml_state(nvml_state, [StubDevice()])
    assert child.message_keys() == []


def test_a_driver_without_devices_is_named(nvml_child, nvml_state):
    write_nvml_state(nvml_state)
    assert nvml_child().read() == {
        "devices": [],
        "messages": [{"key": "memory.nvml.no_gpu", "details": {}}],
    }


@pytest.mark.parametrize(
    ("preparation", "key"),
    [
        ("sys.modules['pynvml'] = None", "memory.nvml.not_installed"),
        ("ctypes.CDLL = no_library", "memory.nvml.no_library"),
    ],
)
def test_a_machine_without_driver_or_package_says_so(preparation, key):
    program = (
        "import ctypes, sys\n"
        "def no_library(name):\n"
        "    raise OSError(f'{name}: cannot open shared object file: No such file or directory')\n"
        f"{preparation}\n"
        "from glmtts_core.memory.nvml import Nvml\n"
        "nvml = Nvml()\n"
        "nvml.read()\n"
        "print([each.key for each in nvml.read().messages])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert ran.stdout.strip() == str([key])


def test_the_engines_processes_count_beside_our_own_and_no_others(nvml_child, nvml_state):
    engine, other = STRANGER, STRANGER + 1
    write_nvml_state(
        nvml_state,
        [
            StubDevice(
                processes=(
                    StubProcess(GIB),
                    StubProcess(2 * GIB, engine),
                    StubProcess(3 * GIB, other),
                    StubProcess(2 * GIB, engine, graphics=True),
                )
            )
        ],
    )
    assert nvml_child("--pid", str(engine)).device()["process_used_bytes"] == 3 * GIB


def test_an_engine_that_computes_counts_though_we_do_not(nvml_child, nvml_state):
    write_nvml_state(nvml_state, [StubDevice(processes=(StubProcess(2 * GIB, STRANGER),))])
    child = nvml_child("--pid", str(STRANGER), "--holds-context")
    assert child.device()["process_used_bytes"] == 2 * GIB
    assert child.message_keys() == []


def test_an_engine_whose_use_is_not_told_makes_ours_unknown(nvml_child, nvml_state):
    processes = (StubProcess(GIB), StubProcess(None, STRANGER))
    write_nvml_state(nvml_state, [StubDevice(processes=processes)])
    child = nvml_child("--pid", str(STRANGER))
    assert child.device()["process_used_bytes"] is None
    assert child.message_keys() == ["memory.nvml.process_not_told"]
