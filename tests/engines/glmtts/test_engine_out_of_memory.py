"""Wherever memory runs out, the request is tried once more from a clean state, then refused."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import torch

from glmtts_core.engines.glmtts.engine import GlmTtsEngine
from glmtts_core.engines.glmtts.memory_shortage import shortage_of
from glmtts_core.engines.glmtts.network_source import NetworkName
from glmtts_core.engines.glmtts.rehearsal import RehearsalNetworks
from glmtts_core.errors import EngineError, OutOfMemoryError
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest
from glmtts_core.studio.studio import Studio
from tests.engines.glmtts.tiny_engine import TINY_SIZE, Rig, request
from tests.speaking import ANNA
from tests.waiting import BOUND_S

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")

HELLO = request("hello.")
CUDA_MESSAGE = (
    "CUDA out of memory. Tried to allocate 3.00 GiB. GPU 0 has a total capacity of 24 GiB"
)
HOST_MESSAGE = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4294967296 bytes."

#: Where a part is used: its name in the source, and its method.
USES = {
    "speech tokenizer": ("speech_tokenizer", "tokens"),
    "speaker model": ("speaker", "embed"),
    "prompt": ("language_model", "prefill"),
    "speech tokens": ("language_model", "step"),
    "mel": ("flow", "generate"),
    "24 kHz": ("hift", "generate"),
    "32 kHz": ("vocos", "decode"),
}
LOADS = ("language_model", "flow", "hift", "vocos", "speech_tokenizer", "speaker")


class Faults:
    """Raises instead of working as often as it is told to.

    Attributes:
        left: failures to come.
        error: what is raised.
        alive: what failed attempts had in memory, as far as it still is.
    """

    def __init__(self, left: int, error: Callable[[], BaseException]) -> None:
        self.left = left
        self.error = error
        self._held: list[weakref.ref[torch.Tensor]] = []

    @property
    def alive(self) -> int:
        return sum(reference() is not None for reference in self._held)

    def strike(self) -> None:
        assert self.alive == 0, "a failed attempt still holds its tensors"
        if self.left:
            self.left -= 1
            activations = torch.zeros(1000)
            self._held.append(weakref.ref(activations))
            raise self.error()


class FaultyParts(RehearsalNetworks):
    """Tiny networks, one of which runs out of memory while it loads or works."""

    def __init__(self, faults: Faults, part: str, method: str | None = None) -> None:
        super().__init__(TINY_SIZE)
        healthy = getattr(self, part)

        def load(*arguments: Any) -> Any:
            if method is None:
                faults.strike()
                return healthy(*arguments)
            network = healthy(*arguments)
            works = getattr(network, method)

            def use(*values: Any, **named: Any) -> Any:
                faults.strike()
                return works(*values, **named)

            setattr(network, method, use)
            return network

        setattr(self, part, load)


def out_of_gpu_memory() -> BaseException:
    return torch.OutOfMemoryError(CUDA_MESSAGE)


class StudioRig:
    """A studio with an engine on ``parts``: the retry is the studio's, who can free most."""

    def __init__(self, settings: Settings, parts: RehearsalNetworks) -> None:
        self.studio = Studio(
            settings, lambda settings, ledger: GlmTtsEngine(settings, ledger, "cpu", parts)
        )
        # a session that is open keeps its caches between two requests
        assert self.studio.sessions.lease(ANNA)

    def speak(self, request: SynthesisRequest, **changes: Any) -> bytes:
        """Return the WAV file of ``request`` with ``changes``, or raise what ended its job."""
        job = self.studio.submit(ANNA, request.changed(**changes))
        assert job.wait(BOUND_S)
        view = job.view()
        if view.error is not None:
            raise view.error
        assert view.record is not None
        return self.studio.sessions.entry(ANNA).history.wav(view.record.number)

    def names(self) -> set[str]:
        """Return the names of all that the engine keeps."""
        entries = self.studio.ledger.snapshot().entries
        return {entry.name for entry in entries if entry.owner == "engine"}


MakeRig = Callable[[RehearsalNetworks], StudioRig]


@pytest.fixture
def make_rig(settings: Settings) -> Iterator[MakeRig]:
    with ExitStack() as stack:

        def make(parts: RehearsalNetworks) -> StudioRig:
            rig = StudioRig(settings, parts)
            stack.callback(rig.studio.close)
            return rig

        yield make


def speak_both(rig: StudioRig) -> list[bytes]:
    return [rig.speak(HELLO, sample_rate_hz=hz) for hz in (24_000, 32_000)]


@pytest.fixture
def expected(make_rig: MakeRig) -> list[bytes]:
    return speak_both(make_rig(RehearsalNetworks(TINY_SIZE)))


@pytest.mark.parametrize("use", USES)
def test_a_request_that_runs_out_of_memory_once_speaks_all_the_same(make_rig, expected, use):
    faults = Faults(1, out_of_gpu_memory)
    rig = make_rig(FaultyParts(faults, *USES[use]))
    assert speak_both(rig) == expected
    assert (faults.left, faults.alive) == (0, 0)


@pytest.mark.parametrize("use", USES)
def test_a_request_that_runs_out_twice_is_refused_and_the_next_works(make_rig, expected, use):
    faults = Faults(2, out_of_gpu_memory)
    rig = make_rig(FaultyParts(faults, *USES[use]))
    with pytest.raises(OutOfMemoryError, match=r"at least [3-9]\.\d GiB") as error:
        speak_both(rig)
    assert error.value.__cause__ is None
    assert error.value.__context__ is None
    assert not {"speech tokenizer", "speaker", "KV cache"} & rig.names()
    assert faults.alive == 0
    assert speak_both(rig) == expected


@pytest.mark.parametrize("part", LOADS)
def test_running_out_while_loading_leaves_nothing_half_loaded(make_rig, expected, part):
    faults = Faults(2, out_of_gpu_memory)
    rig = make_rig(FaultyParts(faults, part))
    with pytest.raises(OutOfMemoryError):
        speak_both(rig)
    assert part.replace("_", " ") not in rig.names()
    assert speak_both(rig) == expected


def test_before_the_second_try_what_is_idle_is_released(make_rig):
    faults = Faults(0, out_of_gpu_memory)
    rig = make_rig(FaultyParts(faults, "flow", "generate"))
    rig.speak(HELLO, sample_rate_hz=24_000)
    faults.left = 1
    rig.speak(HELLO, sample_rate_hz=32_000)
    assert not {"hift", "speech tokenizer", "speaker"} & rig.names()


def test_the_history_is_as_if_the_failure_had_not_been(make_rig):
    faults = Faults(0, out_of_gpu_memory)
    rig = make_rig(FaultyParts(faults, "flow", "generate"))
    healthy = make_rig(RehearsalNetworks(TINY_SIZE))
    for failures in (0, 1, 2, 0):
        faults.left = failures
        if failures == 2:
            with pytest.raises(OutOfMemoryError):
                rig.speak(HELLO, history=True)
            continue
        sound = rig.speak(HELLO, history=True)
        assert sound == healthy.speak(HELLO, history=True)


def test_another_failure_is_not_tried_again(make_rig):
    faults = Faults(1, lambda: EngineError("glmtts.not_finite"))
    rig = make_rig(FaultyParts(faults, "flow", "generate"))
    with pytest.raises(EngineError, match="invalid values"):
        rig.speak(HELLO)
    assert len(rig.speak(HELLO))


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (torch.OutOfMemoryError(CUDA_MESSAGE), 3 * 2**30),
        (RuntimeError(HOST_MESSAGE), 2**32),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), 0),
        (MemoryError(), 0),
        (OutOfMemoryError("engine.out_of_memory"), 0),
    ],
)
def test_failed_allocations_are_told_from_other_errors(error, wanted):
    shortage = shortage_of(error)
    assert shortage is not None
    assert shortage.wanted_bytes == wanted


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory")])
def test_other_errors_are_no_shortage(error):
    assert shortage_of(error) is None


def test_a_model_that_cannot_fit_is_refused_before_it_is_loaded(settings):
    class Huge(RehearsalNetworks):
        def size_bytes(self, part, device) -> int:
            return 2**50

    rig = Rig(settings, Huge(TINY_SIZE))
    with pytest.raises(OutOfMemoryError, match="GiB"):
        rig.engine.load(rig.control)
    assert rig.ledger.snapshot().total_bytes(kinds=set(LedgerKind)) == 0


def test_a_part_that_has_no_room_is_not_even_begun(settings):
    class LargeTokenizer(RehearsalNetworks):
        large = True

        def size_bytes(self, part, device) -> int:
            large = self.large and part is NetworkName.SPEECH_TOKENIZER
            return 2**50 if large else super().size_bytes(part, device)

        def speech_tokenizer(self, device, on_bytes):
            assert not self.large
            return super().speech_tokenizer(device, on_bytes)

    parts = LargeTokenizer(TINY_SIZE)
    rig = Rig(settings, parts)
    with pytest.raises(OutOfMemoryError, match=r"at least 104857\d\.\d GiB"):
        rig.speak(HELLO)
    parts.large = False
    assert len(rig.speak(HELLO))
