"""The figures beside the chart: of the engines' processes and of the pages' own, apart."""

from __future__ import annotations

import re

import pytest

from glmtts_core.catalogue import LANGUAGES
from glmtts_core.memory.resident_sets import ProcessUse
from glmtts_core.sessions.session import Session
from glmtts_core.ui.shared.memory_view import MemoryView, figures_html, legend_html
from tests.memory.stand_in_devices import device, reading
from tests.speaking import ANNA

MIB = 2**20
HOST = MemoryView(None)
ENGINE = ProcessUse(4711, "Scripted", 300 * MIB, 260 * MIB)
SEPARATE = {"resident_set_bytes": 410 * MIB, "pages_bytes": 149 * MIB, "engines": (ENGINE,)}


def words(html: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", html).split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_processes_are_named_with_what_each_takes(studio, language):
    shown = words(figures_html(Session(studio, ANNA), HOST, (reading(**SEPARATE),), language))
    assert {"en": "engine 260 MiB web 150 MiB", "zh": "引擎 260 MiB 网页 150 MiB"}[
        language
    ] in shown


def test_without_an_engines_process_the_pages_have_everything(studio):
    alone = {"resident_set_bytes": 150 * MIB, "pages_bytes": 149 * MIB}
    shown = words(figures_html(Session(studio, ANNA), HOST, (reading(**alone),), "en"))
    assert shown.endswith("engine – web 150 MiB")


def test_in_one_process_nothing_is_told_apart(studio):
    shown = figures_html(Session(studio, ANNA), HOST, (reading(resident_set_bytes=MIB),), "en")
    assert "web" not in shown


def test_a_cards_figures_are_its_own(studio):
    card = reading(devices=(device(0, 8 * MIB, 4 * MIB, 2 * MIB),), main_device=0, **SEPARATE)
    assert "web" not in figures_html(Session(studio, ANNA), MemoryView(0), (card,), "en")


def test_the_legend_has_a_layer_for_the_pages():
    assert "pages and server 149 MiB" in words(legend_html(reading(**SEPARATE), HOST, "en"))
