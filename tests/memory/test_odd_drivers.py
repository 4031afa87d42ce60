"""A driver that is old, damaged or wrong costs what it cannot tell, and nothing else.

All is read by the real pynvml, from stubs that lack functions or answer nonsense.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from glmtts_core.memory import nvml_figures
from glmtts_core.memory.nvml_call import FUNCTION_NOT_FOUND, LIBRARY_NOT_FOUND, Refusal, ask
from tests.nvml import (
    GIB,
    V3_PROCESSES,
    StubDevice,
    StubProcess,
    build_nvml_stub,
    stub_environment,
    write_nvml_state,
)

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
FIGURES = {"name", "used_bytes", "total_bytes", "process_used_bytes", "uuid"}
NOT_AVAILABLE = 2**64 - 1


@pytest.fixture
def build(nvml_library, tmp_path):
    """Build a stub of another age; asks for the ordinary one first, which skips without cc."""

    def build_one(*missing: str, with_v2_processes: bool = False) -> Path:
        folder = tmp_path / "odd-driver"
        folder.mkdir()
        return build_nvml_stub(folder, missing, with_v2_processes=with_v2_processes)

    return build_one


def keys(reading: dict) -> list[str]:
    return [message["key"] for message in reading["messages"]]


# -- functions that are missing ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "unknown"),
    [
        (V3_PROCESSES, {"process_used_bytes"}),
        (V3_PROCESSES[:1], {"process_used_bytes"}),
        (V3_PROCESSES[1:], {"process_used_bytes"}),
        (("nvmlDeviceGetMemoryInfo",), {"used_bytes", "total_bytes"}),
        (("nvmlDeviceGetUUID",), {"uuid"}),
        (("nvmlDeviceGetName",), {"name"}),
        (("nvmlDeviceGetName", "nvmlDeviceGetUUID"), {"name", "uuid"}),
        (("nvmlDeviceGetHandleByIndex_v2",), FIGURES),
    ],
)
def test_a_missing_function_makes_its_field_unknown_alone(
    build, nvml_child, nvml_state, missing, unknown
):
    write_nvml_state(nvml_state, [StubDevice(processes=(StubProcess(GIB),))])
    child = nvml_child(library=build(*missing))
    for reading in (child.read(), child.read()):
        (device,) = reading["devices"]
        assert {name for name in FIGURES if device[name] is None} == unknown
        assert set(keys(reading)) == {"memory.nvml.driver_lacks_function"}
        assert [message["details"]["index"] for message in reading["messages"]] == [0] * len(
            keys(reading)
        )


def test_the_process_lists_of_2020_are_read_where_there_are_no_newer_ones(
    build, nvml_child, nvml_state
):
    used = (StubProcess(2 * GIB), StubProcess(GIB, pid=4_000_000))
    write_nvml_state(nvml_state, [StubDevice(processes=used)])
    reading = nvml_child(library=build(*V3_PROCESSES, with_v2_processes=True)).read()
    assert reading["devices"][0]["process_used_bytes"] == 2 * GIB
    assert reading["messages"] == []


@pytest.mark.parametrize("missing", ["nvmlInitWithFlags", "nvmlDeviceGetCount_v2"])
def test_without_the_first_functions_there_is_no_reading_and_a_reason(
    build, nvml_child, nvml_state, missing
):
    write_nvml_state(nvml_state, [StubDevice()])
    child = nvml_child(library=build(missing))
    for reading in (child.read(), child.read()):
        assert reading["devices"] == []
        assert keys(reading) == ["memory.nvml.driver_too_old"]


@pytest.mark.parametrize("missing", ["nvmlShutdown", "nvmlErrorString", "nvmlInit_v2"])
def test_what_no_figure_needs_may_be_missing(build, nvml_child, nvml_state, missing):
    write_nvml_state(nvml_state, [StubDevice(memory_code=77)])
    child = nvml_child(library=build(missing))
    assert keys(child.read()) == ["memory.nvml.device_failed"]
    write_nvml_state(nvml_state, [StubDevice()])
    assert child.read()["messages"] == []


def test_an_unknown_version_has_a_reason_of_its_own(build, nvml_state):
    write_nvml_state(nvml_state, [StubDevice()])
    program = (
        "from glmtts_core.memory.nvml import Nvml\n"
        "nvml = Nvml()\n"
        "print(nvml.driver_version(), nvml.version_message.key, nvml.read().messages)"
    )
    library = build("nvmlSystemGetDriverVersion")
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=stub_environment(library, nvml_state),
    )
    assert ran.stdout.strip() == "None memory.nvml.version_unknown ()"


# -- libraries that cannot be loaded -----------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: b"no library at all\n" * 100,
        lambda whole: whole[:40],
        # 32 bits: the field EI_CLASS
        lambda whole: whole[:4] + b"\x01" + whole[5:],
    ],
    ids=["empty", "text", "cut short", "32 bits"],
)
def test_a_library_that_does_not_load_is_not_called_absent(
    nvml_library, nvml_child, nvml_state, tmp_path, damage
):
    (folder := tmp_path / "damaged").mkdir()
    library = folder / nvml_library.name
    library.write_bytes(damage(nvml_library.read_bytes()))
    write_nvml_state(nvml_state, [StubDevice()])
    reading = nvml_child(library=library).read()
    assert reading["devices"] == []
    assert keys(reading) == ["memory.nvml.failed"]
    assert library.name in reading["messages"][0]["details"]["reason"]


def test_a_library_of_another_processor_is_passed_over(
    nvml_library, nvml_child, nvml_state, tmp_path
):
    (folder := tmp_path / "foreign").mkdir()
    whole = nvml_library.read_bytes()
    # the field e_machine of the ELF header: the system's loader goes on to the next folder
    (folder / nvml_library.name).write_bytes(whole[:18] + b"\xf3\x00" + whole[20:])
    write_nvml_state(nvml_state, [StubDevice()])
    reading = nvml_child(library=folder / nvml_library.name).read()
    assert reading["devices"] == []
    assert len(reading["messages"]) == 1


# -- answers that cannot be right --------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "used", "known", "key"),
    [
        (0, 0, (None, None), "memory.nvml.memory_implausible"),
        (0, GIB, (None, None), "memory.nvml.memory_implausible"),
        (24 * GIB, 25 * GIB, (None, 24 * GIB), "memory.nvml.memory_implausible"),
        (2**63, GIB, (None, None), "memory.nvml.memory_implausible"),
        (NOT_AVAILABLE, NOT_AVAILABLE, (None, None), "memory.nvml.memory_not_supported"),
        (24 * GIB, NOT_AVAILABLE, (None, 24 * GIB), "memory.nvml.memory_not_supported"),
        (NOT_AVAILABLE, GIB, (None, None), "memory.nvml.memory_not_supported"),
    ],
)
def test_figures_that_cannot_be_right_are_unknown(nvml_child, nvml_state, total, used, known, key):
    write_nvml_state(nvml_state, [StubDevice(total_bytes=total, used_bytes=used)])
    reading = nvml_child().read()
    (device,) = reading["devices"]
    assert (device["used_bytes"], device["total_bytes"]) == known
    assert device["process_used_bytes"] == 0
    assert keys(reading) == [key]


def test_a_full_and_an_empty_card_are_believed(nvml_child, nvml_state):
    write_nvml_state(nvml_state, [StubDevice(used_bytes=24 * GIB), StubDevice(used_bytes=0)])
    reading = nvml_child().read()
    assert [device["used_bytes"] for device in reading["devices"]] == [24 * GIB, 0]
    assert reading["messages"] == []


@pytest.mark.parametrize("used", [25 * GIB, 2**63 - 1])
def test_a_share_of_ours_above_the_card_is_unknown(nvml_child, nvml_state, used):
    write_nvml_state(nvml_state, [StubDevice(processes=(StubProcess(used),))])
    reading = nvml_child().read()
    assert reading["devices"][0]["process_used_bytes"] is None
    assert reading["devices"][0]["used_bytes"] == 6 * GIB
    assert keys(reading) == ["memory.nvml.process_implausible"]


def test_a_name_in_no_known_encoding_is_unknown_alone(nvml_child, nvml_state):
    write_nvml_state(nvml_state, [StubDevice(r"NVIDIA \xff\xfe")])
    reading = nvml_child().read()
    assert reading["devices"][0]["name"] is None
    assert reading["devices"][0]["used_bytes"] == 6 * GIB
    assert keys(reading) == ["memory.nvml.device_failed"]


def test_a_name_stays_on_one_line(nvml_child, nvml_state):
    write_nvml_state(nvml_state, [StubDevice(r"NVIDIA\x0a\x1b[31m Red"), StubDevice(r"\x20")])
    first, second = (reading := nvml_child().read())["devices"]
    assert first["name"] == "NVIDIA [31m Red"
    assert second["name"] is None
    assert keys(reading) == ["memory.nvml.name_not_supported"]


def test_a_device_that_is_counted_and_not_there_leaves_the_others_readable(nvml_child, nvml_state):
    write_nvml_state(nvml_state, [StubDevice()], lying_devices=2)
    reading = nvml_child().read()
    assert [device["used_bytes"] for device in reading["devices"]] == [6 * GIB, None, None]
    assert keys(reading) == ["memory.nvml.device_failed"] * 2


@pytest.mark.parametrize("lie", [1_000_000, -2])
def test_a_count_that_cannot_be_right_is_not_followed(nvml_child, nvml_state, lie):
    write_nvml_state(nvml_state, [StubDevice()], lying_devices=lie)
    reading = nvml_child().read()
    assert reading["devices"] == []
    assert keys(reading) == ["memory.nvml.failed"]


@pytest.mark.parametrize(
    ("answer", "told"), [(b"Tesla \xff", "Tesla \ufffd"), ("A 100", "A 100"), ("", None)]
)
def test_names_come_as_bytes_or_as_text(answer, told):
    assert nvml_figures.words(answer) == told


# -- packages of another age -------------------------------------------------------------------


class OddPackage:
    """A module in pynvml's place whose functions end in what a test wants."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def nvmlInit(self) -> None:  # noqa: N802 - pynvml's name
        raise self._error


class CodedError(Exception):
    value = LIBRARY_NOT_FOUND


class WordlessError(Exception):
    def __str__(self) -> str:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AttributeError("undefined symbol"), None),
        (OSError("wrong ELF class"), None),
        (TypeError("an integer is required"), None),
        (ValueError("NULL pointer access"), None),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), None),
        (WordlessError(), None),
        (CodedError(), LIBRARY_NOT_FOUND),
    ],
)
def test_whatever_a_call_raises_is_a_refusal(error, code):
    refusal = ask(OddPackage(error), "nvmlInit")
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert refusal.reason


def test_a_package_without_the_function_is_named_as_such():
    refusal = ask(OddPackage(ValueError()), "nvmlDeviceGetUUID")
    assert refusal == Refusal("nvmlDeviceGetUUID", refusal.reason, FUNCTION_NOT_FOUND, True)


def test_what_is_no_error_is_not_caught():
    with pytest.raises(KeyboardInterrupt):
        ask(OddPackage(KeyboardInterrupt()), "nvmlInit")


@pytest.mark.parametrize(
    ("package", "key"),
    [
        ("raise ImportError('gone')", "memory.nvml.not_installed"),
        ("raise RuntimeError('odd')", "memory.nvml.failed"),
        ("def nope(: pass", "memory.nvml.failed"),
        ("", "memory.nvml.package_too_old"),
        ("def nvmlInit(): pass", "memory.nvml.package_too_old"),
    ],
)
def test_a_package_that_is_broken_or_too_old_is_named(tmp_path, package, key):
    (tmp_path / "pynvml.py").write_text(package, encoding="utf-8")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from glmtts_core.memory.nvml import Nvml\n"
        "print([each.key for each in Nvml().read().messages])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout.strip() == str([key])
