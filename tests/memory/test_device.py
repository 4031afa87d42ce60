"""Which device is chosen, and what is said where that is not the one that was hoped for."""

from __future__ import annotations

import os

import pytest

from glmtts_core.errors import SettingsError
from glmtts_core.memory.device import DeviceChoice, choose_device, nvml_for
from glmtts_core.memory.nvml import NvmlReading
from glmtts_core.message import Message
from tests.memory.stand_in_devices import Driver, device

CARDS = (device(0, uuid="GPU-aaaa"), device(1, uuid="GPU-bbbb"))
HIDING = ["", "-1", "7", "NoDevFiles", "GPU-dead", "MIG-GPU-dead/0/0", "all", "0,0"]


class Silent:
    """A driver without devices, for one reason."""

    def __init__(self, key: str) -> None:
        self._message = Message(key, {"reason": "odd", "function": "nvmlInit"})

    def read(self) -> NvmlReading:
        return NvmlReading((), (self._message,))


@pytest.fixture
def visible(monkeypatch):
    """Set CUDA_VISIBLE_DEVICES for the test; None takes it away."""

    def set_to(setting: str | None) -> None:
        # set first, so that it is put back whatever the choice makes of it
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting or "")
        if setting is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES")

    return set_to


@pytest.mark.parametrize("setting", [None, "0", "1,0", "GPU-bbbb", "GPU-b", "MIG-cccc", "1,7,0"])
def test_a_visible_gpu_is_proposed_and_the_setting_left_alone(visible, setting):
    visible(setting)
    assert choose_device("auto", Driver(CARDS)) == DeviceChoice("cuda:0")
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == setting


@pytest.mark.parametrize("setting", HIDING)
def test_hidden_gpus_mean_the_cpu_and_a_sentence_that_names_the_setting(visible, setting):
    visible(setting)
    choice = choose_device("auto", Driver(CARDS))
    assert choice.device == "cpu"
    assert f'CUDA_VISIBLE_DEVICES="{setting}"' in choice.message.text("en")
    assert f'CUDA_VISIBLE_DEVICES="{setting}"' in choice.message.text("zh")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


@pytest.mark.parametrize("wanted", ["cuda", "cuda:0", "cuda:1"])
@pytest.mark.parametrize("setting", HIDING)
def test_a_hidden_gpu_that_is_asked_for_by_name_is_refused(visible, setting, wanted):
    visible(setting)
    with pytest.raises(SettingsError) as refused:
        choose_device(wanted, Driver(CARDS))
    assert f'CUDA_VISIBLE_DEVICES="{setting}"' in str(refused.value)
    assert f"GLMTTS_DEVICE={wanted}" in str(refused.value)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == setting


@pytest.mark.parametrize("setting", ["1", "GPU-bbbb", "0,-1,1", "MIG-cccc,MIG-dddd"])
def test_a_gpu_is_counted_among_the_visible_ones(visible, setting):
    visible(setting)
    assert choose_device("cuda:0", Driver(CARDS)).device == "cuda:0"
    with pytest.raises(SettingsError, match="leaves 1 GPU"):
        choose_device("cuda:1", Driver(CARDS))


def test_without_the_setting_the_gpus_of_the_machine_count(visible):
    visible(None)
    assert choose_device("cuda:1", Driver(CARDS)).device == "cuda:1"
    with pytest.raises(SettingsError, match=r"this machine has 2 GPU\(s\)"):
        choose_device("cuda:2", Driver(CARDS))


@pytest.mark.parametrize("key", ["memory.nvml.driver_too_old", "memory.nvml.failed"])
def test_a_driver_that_tells_nothing_is_named(visible, key):
    visible(None)
    choice = choose_device("auto", Silent(key))
    assert choice == DeviceChoice("cpu", Message("glmtts.cpu_no_answer"))
    visible(None)
    with pytest.raises(SettingsError, match="GLMTTS_DEVICE=cuda asks for a GPU, but none is"):
        choose_device("cuda", Silent(key))


@pytest.mark.parametrize("key", ["memory.nvml.no_library", "memory.nvml.no_gpu"])
def test_on_a_machine_without_a_gpu_there_is_nothing_to_say(visible, key):
    visible("7")
    assert choose_device("auto", Silent(key)) == DeviceChoice("cpu")


class Untouchable:
    """A driver that must not be asked."""

    def read(self) -> NvmlReading:
        raise AssertionError("the driver was asked")


def test_for_the_cpu_the_driver_is_not_asked(visible):
    visible("0")
    assert choose_device("cpu", Untouchable()) == DeviceChoice("cpu")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_for_the_cpu_a_reading_has_no_devices_and_says_why():
    nvml = nvml_for("cpu")
    reading = nvml.read()
    assert reading.devices == ()
    assert [each.key for each in reading.messages] == ["memory.nvml.off"]
    assert nvml.driver_version() is None
