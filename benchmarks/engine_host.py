"""What an engine's own process costs: the same requests here and there, taking turns.

    python -m benchmarks.engine_host [--runs 9] [--loads 3] [--safe-points 500]

Loading is compared from a fresh Python that imports everything and loads, to a process that is
started and loads: in both cases until the voice is ready. Progress is measured with the voice's
own job, at its real pace. On a busy machine the clock's differences are noise: the processor's
time, and what the connection takes without any work, say more.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import psutil

from benchmarks.reporting import Figure, count, print_figures, print_machine
from glmtts_core.engines.available import BUILT_IN_VOICE
from glmtts_core.engines.base import CancelToken, Engine, JobControl, Progress, SpokenAudio
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.host.base import EngineHost
from glmtts_core.engines.host.inline import InlineHost
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.engines.host.remote_engine import RemoteEngine
from glmtts_core.engines.kokoro.capabilities import CAPABILITIES
from glmtts_core.engines.order import EngineOrder
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings, load_settings
from glmtts_core.speech import SynthesisRequest

_SENTENCE: Final = "今天天气很好，我们一起去公园散步吧。"
#: What is spoken, by length in characters.
TEXTS: Final = {"short": "今天天气很好，对吧？", "middle": _SENTENCE * 3, "long": _SENTENCE * 12}
_VOICE: Final = "zf_xiaobei"
#: Runs in this process, and beside each the one in a process of its own.
Pairs = tuple[list[float], list[float]]
#: Loads the voice in a fresh Python, and prints the seconds since this process was told to start.
_FRESH: Final = """
import sys, time
from benchmarks.engine_host import Control, settings_in
from glmtts_core.engines.available import BUILT_IN_VOICE
from glmtts_core.memory.ledger import Ledger
engine = BUILT_IN_VOICE(settings_in(sys.argv[2]), Ledger())
engine.load(Control())
print(time.time() - float(sys.argv[1]))
"""


@dataclass
class Control:
    """A job whose reports of progress are counted."""

    cancel: CancelToken = field(default_factory=CancelToken)
    reports: int = 0

    def report(self, progress: Progress) -> None:  # noqa: ARG002 - only that it came counts
        """Count it."""
        self.reports += 1

    def safe_point(self) -> None:
        """Nothing waits."""


def settings_in(folder: str) -> Settings:
    """Return the settings, with results in ``folder``."""
    return load_settings().model_copy(update={"output_dir": Path(folder), "device": "cpu"})


def main() -> None:
    """Measure, and print every figure's spread."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=count, default=9, help="syntheses of each length")
    parser.add_argument("--loads", type=count, default=3)
    parser.add_argument("--safe-points", type=count, default=500)
    parser.add_argument("--texts", nargs="+", choices=TEXTS, default=tuple(TEXTS))
    options = parser.parse_args()
    print_machine("onnxruntime", "kokoro-onnx")
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(folder)
        with closing(Hosts(settings)) as hosts:
            figures = [*hosts.loads(options.loads, folder)]
            for name in options.texts:
                figures += hosts.syntheses(name, options.runs)
        figures += connection(settings, options.safe_points)
    print_figures(figures)


class Hosts:
    """The built-in voice here and in a process of its own."""

    def __init__(self, settings: Settings) -> None:
        self._hosts: tuple[EngineHost, EngineHost] = (
            InlineHost(settings, Ledger(), [BUILT_IN_VOICE], lambda _: None),
            ProcessHost(settings, Ledger(), [BUILT_IN_VOICE], lambda _: None),
        )

    def close(self) -> None:
        """Unload both."""
        for host in self._hosts:
            host.close(idle=True)

    @property
    def _engines(self) -> tuple[Engine, Engine]:
        here, there = (host.preferred for host in self._hosts)
        return here, there

    def loads(self, runs: int, folder: str) -> list[Figure]:
        """Compare loading, from nothing to a voice that is ready."""
        here, there = self._engines
        fresh_s, process_s = [], []
        _fresh_load(folder)  # puts the cache folder's files together
        for _ in range(runs):
            fresh_s.append(_fresh_load(folder))
            there.release(CleanupLevel.UNLOAD)
            process_s.append(_seconds(lambda: there.load(Control())))
        here.load(Control())
        ratios = [mine / fresh for fresh, mine in zip(fresh_s, process_s, strict=True)]
        return [
            Figure("load in a fresh Python", fresh_s, "s"),
            Figure("load in a process of its own", process_s, "s"),
            Figure("own process / fresh Python", ratios, "x", "<= 1.2"),
        ]

    def syntheses(self, name: str, runs: int) -> list[Figure]:
        """Compare syntheses of one text, and count the reports of progress."""
        seconds: Pairs = ([], [])
        processor: Pairs = ([], [])
        reports: Pairs = ([], [])
        for number in range(runs + 1):
            # who goes first changes too
            for place in (0, 1) if number % 2 else (1, 0):
                control = Control()
                before_s = self._processor_s()
                took_s = _seconds(partial(self._speak, place, TEXTS[name], control))
                if number == 0:
                    continue  # warms up
                seconds[place].append(took_s)
                processor[place].append(self._processor_s() - before_s)
                reports[place].append(control.reports / took_s)
        return self._compared(name, seconds, processor, reports)

    @staticmethod
    def _compared(name: str, seconds: Pairs, processor: Pairs, reports: Pairs) -> list[Figure]:
        return [
            Figure(f"{name} ({len(TEXTS[name])} characters), here", seconds[0], "s"),
            Figure(f"{name}, own process", seconds[1], "s"),
            Figure(
                f"{name}, added",
                [1e3 * (there - here) for here, there in zip(*seconds, strict=True)],
                "ms",
                "<= 10",
            ),
            Figure(f"{name}, added", _added_percent(seconds), "%", "<= 1"),
            Figure(f"{name}, processor time added", _added_percent(processor), "%", "<= 3"),
            Figure(f"{name}, reports of progress here", reports[0], "/s"),
            Figure(f"{name}, reports of progress, own process", reports[1], "/s"),
        ]

    def _processor_s(self) -> float:
        """Return the processor time of this process and the engine's own, in seconds."""
        total = time.process_time()
        for pid in self._hosts[1].processes or ():
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system
        return total

    def _speak(self, place: int, text: str, control: Control) -> None:
        request = SynthesisRequest(text=text, voice=_VOICE)
        self._engines[place].synthesize(request, SessionCaches("benchmark", Ledger()), control)


class SafePointMeter:
    """An engine that only stops at safe points: its sound is how long each took, in microseconds.

    The text says how often.
    """

    capabilities = replace(CAPABILITIES, engine="Safe points")
    loaded = ready = True
    messages = ()

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        """Take what every engine is made from."""

    def load(self, control: JobControl) -> None:
        """Nothing is to be loaded."""

    def synthesize(
        self,
        request: SynthesisRequest,
        caches: SessionCaches,  # noqa: ARG002 - an engine's interface
        control: JobControl,
    ) -> SpokenAudio:
        """Stop so often."""
        took_us = [1e6 * _seconds(control.safe_point) for _ in range(int(request.text))]
        return SpokenAudio(np.array(took_us, np.float32), request.sample_rate_hz, ())

    def release(self, level: CleanupLevel) -> None:
        """Nothing is kept."""


class SilenceMaker(SafePointMeter):
    """An engine that computes nothing: so many seconds of silence as the text says."""

    capabilities = replace(CAPABILITIES, engine="Silence")

    def synthesize(
        self,
        request: SynthesisRequest,
        caches: SessionCaches,  # noqa: ARG002 - an engine's interface
        control: JobControl,  # noqa: ARG002 - the same
    ) -> SpokenAudio:
        """Return them."""
        rate_hz = request.sample_rate_hz
        return SpokenAudio(np.zeros(int(request.text) * rate_hz, np.float32), rate_hz, ())


def connection(settings: Settings, number: int) -> list[Figure]:
    """Measure what the connection alone takes: safe points, commands, and sound."""
    orders = [
        EngineOrder(f"benchmarks.engine_host:{name}") for name in ("SafePointMeter", "SilenceMaker")
    ]
    host = ProcessHost(settings, Ledger(), orders, lambda _: None)
    caches = SessionCaches("benchmark", Ledger())

    def speak(engine: str, text: str) -> SpokenAudio:
        request = SynthesisRequest(text=text)
        return host.find(engine).synthesize(request, caches, Control())

    try:
        audio = speak("Safe points", str(number))
        nobody = ["0" * 32]
        speak("Silence", "1")
        sounds = {
            length: [1e3 * _seconds(partial(speak, "Silence", length)) for _ in range(20)]
            for length in ("1", "10", "600")
        }
        meter = host.find("Safe points")
        assert isinstance(meter, RemoteEngine)
        commands = [1e6 * _seconds(lambda: meter.drop_caches(nobody)) for _ in range(number)]
    finally:
        host.close(idle=True)
    return [
        Figure("a safe point in a process of its own", audio.samples.tolist(), "us"),
        Figure("a command to it and its answer", commands, "us"),
        *(
            Figure(f"a synthesis without any work, {length} s of sound", values, "ms")
            for length, values in sounds.items()
        ),
    ]


def _added_percent(values: Pairs) -> list[float]:
    return [100 * (there / here - 1) for here, there in zip(*values, strict=True)]


def _fresh_load(folder: str) -> float:
    command = [sys.executable, "-c", _FRESH, str(time.time()), folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout.splitlines()[-1])


def _seconds(work: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


if __name__ == "__main__":
    main()
