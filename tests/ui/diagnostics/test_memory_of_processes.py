"""What the diagnostics page tells of engines in processes of their own, apart from the pages'."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.engines.order import EngineOrder
from glmtts_core.studio.studio import Studio
from tests.speaking import ANNA
from tests.ui.diagnostics.test_tabs import open_tab
from tests.ui.visitor import DIAGNOSTICS, Visitor, in_one_language
from tests.waiting import BOUND_S

pytestmark = pytest.mark.process


@pytest.fixture
def studio(settings) -> Iterator[Studio]:
    """A studio whose engine has a process of its own."""
    order = EngineOrder("tests.scripted_engine:ScriptedEngine")
    with closing(Studio(settings, order, host=ProcessHost)) as opened:
        yield opened


@in_one_language
def test_the_engines_process_and_that_of_the_pages_are_told_apart(
    visit: Callable[..., Visitor], language, studio
):
    visitor = open_tab(visit(DIAGNOSTICS, language), "memory")
    engines = visitor.words("diagnostics.process.engine", engine="Scripted")
    pages = visitor.words("diagnostics.process.pages")
    assert engines not in visitor.read()
    assert pages in visitor.read()
    assert studio.load(ANNA).wait(BOUND_S)
    words = visitor.run().read()
    assert words.index(engines) < words.index(pages)
    assert words.count(visitor.words("diagnostics.resident.heap_used")) == 2


@in_one_language
def test_the_report_names_both_processes(visit: Callable[..., Visitor], language, studio):
    assert studio.load(ANNA).wait(BOUND_S)
    studio.monitor.sample_now()
    visitor = open_tab(visit(DIAGNOSTICS, language), "environment")
    report = " ".join(block.value for block in visitor.app.code)
    for key in ("environment.engine_process", "environment.pages_process"):
        assert visitor.words(key, engine="Scripted", size="").strip() in report
