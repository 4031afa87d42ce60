"""The pages on a machine with GPUs, as the real pynvml and a stand-in driver make them look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.app import RunningApp, wait_for
from tests.browser.tab import Tab
from tests.nvml import (
    GIB,
    NOT_SUPPORTED,
    StubDevice,
    build_nvml_stub,
    c_compiler,
    stub_environment,
    write_nvml_state,
)

pytestmark = pytest.mark.browser

SMALL = "NVIDIA Small 24G"
LARGE = "NVIDIA Large 80G"


def write_state(state: Path, used_bytes: int = 6 * GIB, process_code: int = 0) -> None:
    write_nvml_state(
        state,
        [
            StubDevice(SMALL, 24 * GIB, used_bytes, process_code=process_code),
            StubDevice(LARGE, 80 * GIB, 9 * GIB),
        ],
    )


@pytest.fixture(scope="module")
def nvml_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nvml") / "state.txt"


@pytest.fixture(scope="module")
def gpu_app(
    chromium: Browser,
    model_cache: Path,
    nvml_state: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningApp]:
    if c_compiler() is None:
        pytest.skip("the NVML stub needs a C compiler (cc, gcc or clang)")
    library = build_nvml_stub(tmp_path_factory.mktemp("nvml-library"))
    write_state(nvml_state)
    running = RunningApp(
        tmp_path_factory.mktemp("gpu-app"), model_cache, stub_environment(library, nvml_state)
    )
    yield running
    running.close()


def choose(tab: Tab, name: str) -> None:
    """Have the sidebar show the memory called ``name``."""
    tab.sidebar.get_by_role("combobox").click()
    tab.page.get_by_role("option", name=name).click()


def test_the_sidebar_offers_the_engines_own_memory_first_and_every_device(open_tab, gpu_app):
    tab = open_tab(app=gpu_app)
    expect(tab.legend("pages")).to_be_visible()
    expect(tab.figure("reclaimable")).to_be_visible()
    tab.sidebar.get_by_role("combobox").click()
    expect(tab.page.get_by_role("option")).to_have_text([tab.say("memory_view.host"), SMALL, LARGE])
    tab.page.get_by_role("option", name=LARGE).click()
    # the built-in voice computes on the CPU: nothing on the card is its own to give back
    expect(tab.figure("reclaimable")).to_have_count(0)
    expect(tab.figure("now")).to_have_text("9.00 GiB / 80.00 GiB")
    tab.go_to("synthesis.title")
    expect(tab.figure("now")).to_have_text("9.00 GiB / 80.00 GiB")


def test_the_switch_of_language_keeps_the_chosen_memory(open_tab, gpu_app):
    tab = open_tab(app=gpu_app)
    choose(tab, LARGE)
    expect(tab.legend("other")).to_be_visible()
    tab.switch_language("zh")
    expect(tab.sidebar.get_by_role("combobox")).to_have_value(LARGE)
    expect(tab.legend("other")).to_be_visible()


def test_changing_device_memory_shows_up(open_tab, gpu_app, nvml_state):
    write_state(nvml_state)
    tab = open_tab(app=gpu_app)
    choose(tab, SMALL)
    expect(tab.figure("now")).to_have_text("6.00 GiB / 24.00 GiB")
    expect(tab.legend("other")).to_contain_text("6.00 GiB")
    write_state(nvml_state, used_bytes=10 * GIB)
    expect(tab.figure("now")).to_have_text("10.00 GiB / 24.00 GiB")
    expect(tab.figure("peak")).to_have_text("10.00 GiB")
    wait_for(
        lambda: max(map(float, tab.chart_traces()[0]["y"])) == 10, 20, "the chart shows the rise"
    )
    write_state(nvml_state)
    expect(tab.figure("now")).to_have_text("6.00 GiB / 24.00 GiB")
    expect(tab.figure("peak")).to_have_text("10.00 GiB")


def test_an_unknown_share_of_this_program_is_said_not_guessed(open_tab, gpu_app, nvml_state):
    write_state(nvml_state, process_code=NOT_SUPPORTED)
    tab = open_tab(app=gpu_app)
    choose(tab, SMALL)
    expect(tab.legend("unknown")).to_contain_text("6.00 GiB")
    sentence = tab.say("memory.nvml.processes_not_supported", index=0)
    expect(tab.sidebar.get_by_text(sentence)).to_be_visible()
    write_state(nvml_state)
    expect(tab.sidebar.get_by_text(sentence)).to_have_count(0)


def test_the_overview_draws_a_chart_for_each_memory(open_tab, gpu_app):
    tab = open_tab(app=gpu_app)
    for name in (SMALL, LARGE, tab.say("memory_view.host")):
        heading = tab.say("overview.chart", memory=name, minutes=10)
        expect(tab.page.get_by_test_id("stMain").get_by_text(heading)).to_be_visible()
    charts = tab.page.get_by_test_id("stMain").locator(".js-plotly-plot")
    expect(charts).to_have_count(3)
