"""No words from outside reach Streamlit's Markdown, or HTML of ours, as they came."""

from __future__ import annotations

from tests.ui.markup_lint import raw_places, read
from tests.ui.visitor import ROOT

_SOURCES = (
    *sorted((ROOT / "glmtts_core" / "ui").glob("*.py")),
    *sorted((ROOT / "pages").glob("*.py")),
    ROOT / "streamlit_app.py",
    ROOT / "glmtts_core" / "batch" / "report.py",
    ROOT / "glmtts_core" / "diagnostics" / "report.py",
)
#: They make what the others use.
_MAKERS = ROOT / "glmtts_core" / "markup.py"


def test_every_place_that_renders_gets_words_of_ours_or_disarmed_ones():
    sources = [read(path, ROOT) for path in (*_SOURCES, _MAKERS)]
    makers = ("glmtts_core/markup.py", "glmtts_core/ui/markdown.py")
    faults = [each for each in raw_places(sources) if not each.startswith(makers)]
    assert faults == []
