"""An engine's process killed at random moments: what becomes of jobs, lines, memory and handles.

    python -m benchmarks.engine_kills [--kills 100] [--seed 1]

The built-in voice speaks in a process of its own, for somebody at a page and for a queue of lines
that is filled up all the time; a line that failed with its process is handed in once more, as a
batch does. A SIGKILL hits in turn while the engine loads, speaks, cleans up and is idle.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.line_feed import HANGS_S, SHORT, LineFeed
from benchmarks.process_traces import Traces
from benchmarks.reporting import Figure, count, print_figures, print_machine
from glmtts_core.engines.base import Stage
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.errors import GLMTTSError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.monitor import EventKind
from glmtts_core.memory.oom_kills import oom_kills
from glmtts_core.sessions.session import new_session_id
from glmtts_core.settings import load_settings
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.jobs import Job, JobState
from glmtts_core.studio.studio import Studio

_LONG: Final = "今天天气很好，我们一起去公园散步吧。"
PHASES: Final = ("load", "speech", "cleanup", "idle")
#: How often a sentence is handed in before it is given up.
_ATTEMPTS: Final = 5
#: Parts of a phase's length within which a kill is tried, until one comes in time.
_HURRIES: Final = (0.8, 0.5, 0.2, 0.0)
_PAUSE_S: Final = 0.001


@dataclass
class Tally:
    """What was seen in one phase.

    Attributes:
        kills: how often the process was killed.
        amid: how often it was still doing what the phase is named for.
        sentences: interactive jobs that ended in a sentence.
        again: interactive jobs that were begun anew after memory ran out.
        spoken: interactive jobs that were spoken.
        hangs: jobs and cleanups that did not end.
        next_s: seconds from a kill to the end of the next spoken sentence.
    """

    kills: int = 0
    amid: int = 0
    sentences: int = 0
    again: int = 0
    spoken: int = 0
    hangs: int = 0
    next_s: list[float] = field(default_factory=list)


class Killer:
    """Kills the engine's process of a studio, and looks at what comes of it."""

    def __init__(self, studio: Studio, seed: int) -> None:
        self._studio = studio
        self.traces: Traces | None = None
        self._random = random.Random(seed)
        self._owner = new_session_id()
        studio.sessions.lease(self._owner)
        self.tallies = {phase: Tally() for phase in PHASES}
        self._longest_s = {"load": 3.0, "speech": 1.0, "cleanup": 0.1, "idle": 0.2}

    def warm_up(self) -> None:
        """Do everything once, and learn how long each phase takes."""
        self._longest_s["load"] = _seconds(lambda: self._studio.load(self._owner).wait())
        self._speak(_LONG)
        self._longest_s["speech"] = _seconds(lambda: self._speak(_LONG))
        report = self._studio.cleanup(CleanupLevel.TRIM, None).wait(HANGS_S)
        if report is not None:
            self._longest_s["cleanup"] = report.seconds

    def round(self, phase: str) -> None:
        """Kill once, and see that the next sentence is spoken."""
        tally = self.tallies[phase]
        match phase:
            case "load":
                self._studio.cleanup(CleanupLevel.UNLOAD, self._owner, force=True).wait(HANGS_S)
                self._kill_amid(tally, phase, lambda _: True)
            case "speech":
                self._kill_amid(tally, phase, lambda job: self._stage(job) is not Stage.LOADING)
            case "cleanup":
                self._kill_cleanup(tally)
            case _:
                self._studio.load(self._owner).wait(HANGS_S)
                self._wait_at_random(phase)
                tally.amid += self._kill(tally)
        killed_s = time.perf_counter()
        for _ in range(_ATTEMPTS):
            job = self._speak(SHORT)
            if job.view().state is JobState.DONE:
                tally.next_s.append(time.perf_counter() - killed_s)
                return
            # it came before the end of the process was noticed
            tally.sentences += job.finished
            tally.hangs += not job.finished

    def _kill_amid(self, tally: Tally, phase: str, begun: Callable[[Job], bool]) -> None:
        for hurry in _HURRIES:
            job = self._studio.submit(self._owner, SynthesisRequest(text=_LONG))
            while not job.finished and (
                job.view().state is JobState.QUEUED
                or not self._studio.engines.processes
                or not begun(job)
            ):
                time.sleep(_PAUSE_S)
            self._wait_at_random(phase, hurry)
            if not job.finished:
                tally.amid += self._kill(tally)
                self._note(tally, job)
                return
            job.wait(HANGS_S)
        self._kill(tally)

    def _kill_cleanup(self, tally: Tally) -> None:
        self._studio.load(self._owner).wait(HANGS_S)
        before = self._cleanups()
        task = self._studio.cleanup(CleanupLevel.TRIM, None)
        while self._cleanups() == before:
            time.sleep(_PAUSE_S)
        self._wait_at_random("cleanup")
        killed = self._kill(tally)
        try:
            tally.hangs += task.wait(HANGS_S) is None
        except GLMTTSError:
            tally.amid += killed
            tally.sentences += 1

    def _cleanups(self) -> float:
        """Return when the last cleanup began."""
        events = self._studio.monitor.events(2 * HANGS_S)
        return max((each.time_s for each in events if each.kind is EventKind.CLEANUP), default=0.0)

    def _note(self, tally: Tally, job: Job) -> None:
        if not job.wait(HANGS_S):
            tally.hangs += 1
            return
        view = job.view()
        tally.again += view.retries
        tally.spoken += view.state is JobState.DONE
        tally.sentences += view.error is not None

    def _kill(self, tally: Tally) -> bool:
        """Kill the process; return whether there was one."""
        tally.kills += 1
        processes = list(self._studio.engines.processes or ())
        for pid in processes:
            if self.traces is not None:
                self.traces.before_kill(pid)
            os.kill(pid, signal.SIGKILL)
        return bool(processes)

    def _wait_at_random(self, phase: str, hurry: float = 1.0) -> None:
        time.sleep(self._random.uniform(0.0, self._longest_s[phase] * hurry))

    def _speak(self, text: str) -> Job:
        job = self._studio.submit(self._owner, SynthesisRequest(text=text))
        job.wait(HANGS_S)
        return job

    @staticmethod
    def _stage(job: Job) -> Stage:
        return job.view().progress.stage


def main() -> None:
    """Kill, look, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=count, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print_machine("onnxruntime", "kokoro-onnx")
    logging.getLogger("glmtts_core").setLevel(logging.ERROR)  # each kill is a warning
    if oom_kills() is None:
        print("the kernel does not count whom it kills: each kill is taken for lack of memory")
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings().model_copy(update={"output_dir": Path(folder), "device": "cpu"})
        with closing(Studio(settings, host=ProcessHost)) as studio:
            _run(studio, options.kills, options.seed)
    print(f"took {time.monotonic() - started_s:.0f} s")


def _run(studio: Studio, kills: int, seed: int) -> None:
    killer = Killer(studio, seed)
    killer.warm_up()
    traces = killer.traces = Traces()
    lines = LineFeed(studio)
    try:
        for number in range(kills):
            killer.round(PHASES[number % len(PHASES)])
            traces.look_for_zombies()
    except KeyboardInterrupt:
        print("interrupted: what was seen until now")
    finally:
        lines.close()
    print_tallies(killer.tallies)
    lines.print()
    traces.print()
    next_s = [each for tally in killer.tallies.values() for each in tally.next_s]
    if next_s:
        print_figures([Figure("kill to the next spoken sentence", next_s, "s")])


def print_tallies(tallies: dict[str, Tally]) -> None:
    """Print a row a phase."""
    print("phase    kills   amid  sentences  again  spoken  hangs  next, s (median)")
    for phase, each in tallies.items():
        next_s = f"{statistics.median(each.next_s):.2f}" if each.next_s else "-"
        print(
            f"{phase:8} {each.kills:5d} {each.amid:6d} {each.sentences:10d} {each.again:6d} "
            f"{each.spoken:7d} {each.hangs:6d}  {next_s}"
        )


def _seconds(work: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


if __name__ == "__main__":
    main()
