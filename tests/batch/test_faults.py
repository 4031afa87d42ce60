"""A batch in which much goes wrong: every good line is done, each bad one explained."""

from __future__ import annotations

from contextlib import closing

from glmtts_core.batch.manifest import manifest
from glmtts_core.batch.states import RunState
from glmtts_core.studio.studio import Studio
from tests.batch.faulty import speak_faulty_file
from tests.batch.runs import MoodyEngine


def test_every_good_line_is_done_and_each_bad_one_explained(settings, tmp_path):
    with closing(Studio(settings, MoodyEngine)) as studio:
        run, outcome = speak_faulty_file(studio, 40, tmp_path / "references")
        assert outcome.done == outcome.good == 36
        assert outcome.explained == outcome.bad == 4
        assert outcome.short > 0
        assert outcome.retries >= outcome.short
        view = run.view()
        assert (view.state, view.counts.total) == (RunState.FINISHED, 40)
        told = list(manifest(run.lines.rows(limit=40), run.lines.problems(), "zh"))
        assert len(told) == 40
