"""Memory over cycles of load, speech, trim and unload: the program's process and the engine's own.

    python -m benchmarks.load_cycles [--cycles 20] [--plot FILE.html]

Measured in a fresh process that has imported what the process with the pages imports. What it
holds must not grow from cycle to cycle, and each unload must give back what was promised.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.reporting import MIB, Figure, count, print_figures, print_machine

if TYPE_CHECKING:
    from glmtts_core.memory.cleanup import CleanupReport
    from glmtts_core.studio.studio import Studio

_TEXT: Final = "今天天气很好，我们一起去公园散步吧。The river was quiet."
STEPS: Final = ("before", "loaded", "after speech", "after a trim", "unloaded")
#: Most that the processes may hold, in MiB, by step.
_PAGES_TARGETS: Final = {"before": "<= 190", "loaded": "<= 200", "unloaded": "<= 200"}
_ENGINE_TARGETS: Final = {"loaded": "<= 350"}
#: Most that the program's own process may grow by, in percent, from before the first cycle.
_GROWTH_TARGET: Final = "<= 3"


@dataclass(frozen=True, slots=True)
class Moment:
    """What was in physical memory at one step of a cycle, in MiB.

    Attributes:
        cycle: from 1; 0 before the first.
        step: one of `STEPS`.
        pages_mib: resident set of the process with the pages.
        engine_mib: the engine's own process, shared pages by its part; 0 without one.
    """

    cycle: int
    step: str
    pages_mib: float
    engine_mib: float


@dataclass(frozen=True, slots=True)
class Unload:
    """What one unload promised and gave back."""

    promised_mib: float
    regained_mib: float
    seconds: float


def main() -> None:
    """Measure, print, and write the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cycles", type=count, default=20)
    parser.add_argument("--text", default=_TEXT)
    parser.add_argument("--plot", type=Path, help="write a page with the plot here")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_experiment(options.cycles, options.text)))
        return
    print_machine("onnxruntime", "kokoro-onnx", "streamlit")
    command = [sys.executable, "-m", "benchmarks.load_cycles", "--child"]
    command += ["--cycles", str(options.cycles), "--text", options.text]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    moments = [Moment(**each) for each in found["moments"]]
    print_figures(_figures(moments, [Unload(**each) for each in found["unloads"]]))
    if options.plot is not None:
        options.plot.write_text(plot_page(moments), encoding="utf-8")
        print(f"plot: {options.plot}")


def _experiment(cycles: int, text: str) -> dict[str, Any]:
    from glmtts_core.api import routes  # noqa: F401 - what the process with the pages imports
    from glmtts_core.engines.host.process import ProcessHost
    from glmtts_core.settings import load_settings
    from glmtts_core.studio.studio import Studio
    from glmtts_core.ui import page  # noqa: F401 - the same
    from glmtts_core.ui.batch import sections  # noqa: F401 - the same
    from glmtts_core.ui.diagnostics import tabs  # noqa: F401 - the same
    from glmtts_core.ui.synthesis import form  # noqa: F401 - the same

    moments: list[Moment] = []
    unloads: list[Unload] = []
    with tempfile.TemporaryDirectory() as folder:
        changes = {"output_dir": Path(folder), "device": "cpu"}
        settings = load_settings().model_copy(update=changes)
        with closing(Studio(settings, host=ProcessHost)) as studio:
            # the page with the text has been opened: it knows who speaks that best
            studio.engine.capabilities.default_voice(text)
            moments.append(_moment(studio, 0, "before"))
            for cycle in range(1, cycles + 1):
                _cycle(studio, text, cycle, moments, unloads)
    return {
        "moments": [asdict(each) for each in moments],
        "unloads": [asdict(each) for each in unloads],
    }


def _cycle(
    studio: Studio, text: str, cycle: int, moments: list[Moment], unloads: list[Unload]
) -> None:
    from glmtts_core.memory.cleanup import CleanupLevel
    from glmtts_core.sessions.session import new_session_id
    from glmtts_core.speech import SynthesisRequest

    owner = new_session_id()
    studio.sessions.lease(owner)
    for step, request in (("loaded", None), ("after speech", SynthesisRequest(text=text))):
        job = studio.load(owner) if request is None else studio.submit(owner, request)
        job.wait()
        if (error := job.view().error) is not None:
            raise error
        moments.append(_moment(studio, cycle, step))
    _cleaned(studio, CleanupLevel.TRIM, owner)
    moments.append(_moment(studio, cycle, "after a trim"))
    report = _cleaned(studio, CleanupLevel.UNLOAD, owner)
    unloads.append(Unload(report.promised.bytes / MIB, report.regained_bytes / MIB, report.seconds))
    # the session's page has been closed
    studio.end_lease(owner)
    moments.append(_moment(studio, cycle, "unloaded"))


def _cleaned(studio: Studio, level: Any, owner: str) -> CleanupReport:
    report = studio.cleanup(level, owner).wait(60)
    if report is None:
        raise TimeoutError("the cleanup took too long")
    return report


def _moment(studio: Studio, cycle: int, step: str) -> Moment:
    from glmtts_core.memory.system import proportional_set_bytes, resident_set_bytes

    engines = sum(proportional_set_bytes(pid) or 0 for pid in studio.engines.processes or ())
    return Moment(cycle, step, resident_set_bytes() / MIB, engines / MIB)


def _figures(moments: Sequence[Moment], unloads: Sequence[Unload]) -> list[Figure]:
    def of(step: str) -> list[Moment]:
        return [each for each in moments if each.step == step]

    before, unloaded = of("before")[0].pages_mib, [each.pages_mib for each in of("unloaded")]
    figures = [
        *(
            Figure(
                f"pages' process, {step}",
                [each.pages_mib for each in of(step)],
                "MiB",
                _PAGES_TARGETS.get(step, ""),
            )
            for step in STEPS
        ),
        _growth("before to last unload", before, unloaded[-1], _GROWTH_TARGET),
        _growth("first unload to last", unloaded[0], unloaded[-1]),
    ]
    figures += [
        Figure(
            f"engine's process, {step}",
            [each.engine_mib for each in of(step)],
            "MiB",
            _ENGINE_TARGETS.get(step, ""),
        )
        for step in STEPS[1:]
    ]
    return [
        *figures,
        Figure("promised of an unload", [each.promised_mib for each in unloads], "MiB"),
        Figure("regained by it", [each.regained_mib for each in unloads], "MiB"),
        Figure(
            "regained / promised",
            [each.regained_mib / each.promised_mib for each in unloads],
            "",
            "0.95 to 1.05",
        ),
        Figure("an unload", [each.seconds for each in unloads], "s"),
    ]


def _growth(when: str, first_mib: float, last_mib: float, target: str = "") -> Figure:
    return Figure(f"its growth, {when}", [100 * (last_mib / first_mib - 1)], "%", target)


def plot_page(moments: Sequence[Moment]) -> str:
    """Return a page with both processes' memory over the cycles, one upon the other."""
    import plotly.graph_objects as graph

    steps = [each.step for each in moments]
    cycles = [number / (len(STEPS) - 1) for number in range(len(moments))]
    figure = graph.Figure(
        [
            graph.Scatter(
                x=cycles, y=sizes, text=steps, name=name, stackgroup="memory", mode="lines"
            )
            for name, sizes in (
                ("process with the pages", [each.pages_mib for each in moments]),
                ("the engine's own process", [each.engine_mib for each in moments]),
            )
        ]
    )
    figure.update_layout(
        title="Physical memory over cycles of load, speech, trim and unload",
        yaxis={"title": "MiB", "rangemode": "tozero"},
        xaxis={"title": "cycles"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    page: str = figure.to_html(include_plotlyjs=True)
    return page


if __name__ == "__main__":
    main()
