"""An engine that does what a text tells it to do, so that another process can be steered.

A text is spoken as it is, but for its words ``verb:argument``; each verb is a method of `Steps`.
While it is made, loads and releases, the files `ON_MAKE`, `ON_LOAD` and `ON_RELEASE` in the output
folder are obeyed.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from glmtts_core import errors
from glmtts_core.audio import Samples
from glmtts_core.engines.base import JobControl, Progress, SpokenAudio, Stage, StageTime
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.engines.checks import check_unicode
from glmtts_core.engines.order import EngineOrder
from glmtts_core.errors import EngineError, OutOfMemoryError
from glmtts_core.memory.cleanup import CleanupLevel
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.message import Message
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest
from tests.scripted_engine import WEIGHTS_BYTES, CloningEngine

ORDER: Final = EngineOrder("tests.engines.host.remote_scripted:RemoteScripted")
NAME: Final = "Remote"
ON_MAKE: Final = "on-make.txt"
ON_LOAD: Final = "on-load.txt"
ON_RELEASE: Final = "on-release.txt"
#: Written when a step begins to wait.
WAITS: Final = "waits"
#: Holds the step `Steps.hold` for as long as it is there.
HOLD: Final = "hold"
#: Holds the pid of what `Steps.spawn` or `Steps.fork` has started.
GRANDCHILD: Final = "grandchild"
_PAUSE_S: Final = 0.002
_INSIDE: Final = Message("text.too_long", {"chars": 7, "limit": 5})


class Panic(BaseException):
    """What a native library raises that is no Exception."""


#: What `Steps.fail` raises, by name.
FAULTS: Final[dict[str, Callable[[], BaseException]]] = {
    **{
        name: lambda kind=kind: kind("engine.unexpected", reason=kind.__name__)
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.GLMTTSError)
    },
    "sized": lambda: OutOfMemoryError("engine.out_of_memory", requested_bytes=2**33),
    "nested": lambda: EngineError("engine.no_pytorch", reason=_INSIDE),
    "figures": lambda: errors.TextError("text.too_long", chars=np.int64(7), limit=float("inf")),
    "no_unicode": lambda: EngineError("engine.unexpected", reason="name-\udcff"),
    "memory": lambda: MemoryError(),
    "unexpected": lambda: KeyError("weights"),
    "panic": lambda: Panic("called `Option::unwrap()`"),
    "system_exit": lambda: SystemExit(3),
    "interrupt": lambda: KeyboardInterrupt(),
}


class RemoteScripted(CloningEngine):
    """Clones and speaks; keeps in the session's caches what it is told to."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        super().__init__(settings, ledger)
        self.messages = (Message("engine.no_pytorch", {"reason": _INSIDE}),)
        self._folder = settings.output_dir
        self._obey(ON_MAKE, None)

    @property
    def capabilities(self) -> Capabilities:
        return replace(
            super().capabilities, engine=NAME, release_levels=tuple(CleanupLevel), history=False
        )

    def load(self, control: JobControl) -> None:
        if self.ready:
            return
        for fraction in (0.25, 0.5, 0.75):
            control.report(Progress(Stage.LOADING, fraction, piece=int(fraction * 4)))
            control.safe_point()
        self._obey(ON_LOAD, control)
        self._weights = np.ones(WEIGHTS_BYTES, np.uint8)
        self.offloaded = False
        self._ledger.record(LedgerKind.WEIGHTS, "engine", NAME, WEIGHTS_BYTES)

    def synthesize(
        self, request: SynthesisRequest, caches: SessionCaches, control: JobControl
    ) -> SpokenAudio:
        check_unicode(request.text)
        self.load(control)
        stages = (Stage.TEXT, Stage.MEL, Stage.WAVEFORM)
        steps = Steps(self._folder, control, caches, request)
        for number, stage in enumerate(stages, 1):
            control.report(Progress(stage, number / 4, number, len(stages)))
            control.safe_point()
            if stage is Stage.MEL:
                steps.take(request.text)
        control.report(Progress(Stage.WAVEFORM, 1.0, len(stages), len(stages)))
        rate_hz = request.sample_rate_hz
        times = tuple(StageTime(stage, 0.25) for stage in stages)
        return SpokenAudio(steps.samples(rate_hz), rate_hz, times, ("alpha", "kumo"))

    def release(self, level: CleanupLevel) -> None:
        self._obey(ON_RELEASE, None)
        if level is CleanupLevel.TRIM:
            return
        super().release(level)

    def _obey(self, file: str, control: JobControl | None) -> None:
        path = self._folder / file
        if path.exists():
            Steps(self._folder, control, None, None).take(path.read_text("utf-8"))


class Steps:
    """What a text tells to do."""

    def __init__(
        self,
        folder: Path,
        control: JobControl | None,
        caches: SessionCaches | None,
        request: SynthesisRequest | None,
    ) -> None:
        self._folder, self._control = folder, control
        self._caches, self._request = caches, request
        self._samples: Samples | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, text: str) -> None:
        """Take each step that ``text`` names."""
        for word in text.split():
            verb, colon, argument = word.partition(":")
            if colon:
                getattr(self, verb)(argument)

    def samples(self, rate_hz: int) -> Samples:
        """Return what was made, by default noise that depends on the text."""
        if self._samples is not None:
            return self._samples
        text = self._request.text if self._request is not None else ""
        noise = np.random.default_rng(list(text.encode())[:64])
        return noise.uniform(-1, 1, rate_hz // 100 * max(1, len(text))).astype(np.float32)

    # -- sounds --------------------------------------------------------------------------------

    def shape(self, argument: str) -> None:
        """Make samples of this shape, such as 2x3."""
        shape = tuple(int(each) for each in argument.split("x"))
        self._samples = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)

    def odd(self, _: str) -> None:
        """Make samples that lie backwards in memory, with figures that are none."""
        self._samples = np.array([1, np.nan, np.inf, -0.0, 1e-45], np.float32)[::-1]

    def minutes(self, argument: str) -> None:
        """Make minutes of sound."""
        self._samples = np.arange(int(argument) * 60 * 24_000, dtype=np.float32)

    def echo(self, _: str) -> None:
        """Give the recording back."""
        assert self._request is not None and self._request.reference is not None
        self._samples = self._request.reference.samples

    def about(self, _: str) -> None:
        """Raise what is known of the recording."""
        assert self._request is not None and self._request.reference is not None
        heard = self._request.reference
        raise EngineError(
            "engine.unexpected", reason=f"{heard.name}|{heard.transcript}|{heard.sample_rate_hz}"
        )

    def options(self, _: str) -> None:
        """Raise how to speak."""
        assert self._request is not None
        raise EngineError("engine.unexpected", reason=self._request.given())

    # -- caches --------------------------------------------------------------------------------

    def keep(self, argument: str) -> None:
        """Keep this text."""
        assert self._caches is not None
        self._caches.put(LedgerKind.VOICE_CACHE, "kept", argument, 1000)

    def kept(self, _: str) -> None:
        """Raise what was kept."""
        assert self._caches is not None
        found = self._caches.get(LedgerKind.VOICE_CACHE, "kept")
        raise EngineError("engine.unexpected", reason=found)

    # -- waiting -------------------------------------------------------------------------------

    def native(self, _: str) -> None:
        """Wait as a native library does, looking at the token only."""
        assert self._control is not None
        (self._folder / WAITS).touch()
        while not self._control.cancel.cancelled:
            time.sleep(_PAUSE_S)
        self._control.cancel.raise_if_cancelled()

    def deaf(self, _: str) -> None:
        """Wait for ever, whatever comes."""
        (self._folder / WAITS).touch()
        while True:
            time.sleep(_PAUSE_S)

    def quiet(self, _: str) -> None:
        """Wait without a word while the file is there."""
        (self._folder / WAITS).touch()
        while (self._folder / HOLD).exists():
            time.sleep(_PAUSE_S)

    def hold(self, _: str) -> None:
        """Wait at safe points while the file is there."""
        assert self._control is not None
        (self._folder / WAITS).touch()
        while (self._folder / HOLD).exists():
            self._control.safe_point()
            time.sleep(_PAUSE_S)

    # -- faults and ends -----------------------------------------------------------------------

    def fail(self, argument: str) -> None:
        """Raise one of the faults."""
        raise FAULTS[argument]()

    def spoil(self, _: str) -> None:
        """Raise what CUDA raises for ever after."""
        raise EngineError("engine.unexpected", reason="the GPU") from RuntimeError(
            "CUDA error: an illegal memory access was encountered"
        )

    def kill(self, argument: str) -> None:
        """Send this process a signal."""
        os.kill(os.getpid(), signal.Signals[argument])
        while True:  # a stopped process goes on here
            time.sleep(_PAUSE_S)

    def once(self, argument: str) -> None:
        """Send this process a signal, but only one process of all."""
        mark = self._folder / "once"
        if not mark.exists():
            mark.touch()
            self.kill(argument)

    def abort(self, _: str) -> None:
        """End as a native library's assertion does."""
        os.abort()

    def crash(self, _: str) -> None:
        """Read from where nothing is."""
        ctypes.string_at(0)

    def exit(self, argument: str) -> None:
        """End without a word."""
        os._exit(int(argument))

    def disconnect(self, _: str) -> None:
        """Close every handle but the standard ones, and go on."""
        os.closerange(3, 256)
        self.deaf("")

    def garble(self, _: str) -> None:
        """Write what is no message into the connection."""
        for handle in range(3, 64):
            with suppress(OSError):
                os.write(handle, b"\x00\x00\x00\x07garbage")
        self.deaf("")

    def trap(self, argument: str) -> None:
        """Leave garbage that, when it is collected, takes the step ``verb=argument``."""
        gc.disable()
        verb, _, more = argument.partition("=")
        _Trap(lambda: getattr(self, verb)(more))

    def output(self, _: str) -> None:
        """Write to standard output, as libraries do, and close it."""
        print("a progress bar\r\x00\xff" * 100, flush=True)  # noqa: T201
        os.write(1, b"\x00\x00\x10\x00" + os.urandom(64))
        os.close(1)

    def spawn(self, _: str) -> None:
        """Start a program that outlives this process."""
        started = subprocess.Popen(["sleep", "300"])
        (self._folder / GRANDCHILD).write_text(str(started.pid), "utf-8")

    def fork(self, _: str) -> None:
        """Fork a process that holds every handle of this one."""
        if (pid := os.fork()) == 0:
            signal.pause()
        (self._folder / GRANDCHILD).write_text(str(pid), "utf-8")


class _Trap:
    """Garbage in a cycle."""

    def __init__(self, step: Callable[[], None]) -> None:
        self._cycle = self
        self._step = step

    def __del__(self) -> None:
        self._step()
