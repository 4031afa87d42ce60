"""The allocators of several engines' processes, as one."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from glmtts_core.engines.host.protocol import Figures, Question
from glmtts_core.engines.host.remote_allocator import RemoteAllocator
from glmtts_core.errors import EngineProcessError, GLMTTSError, ProcessOutOfMemoryError
from glmtts_core.memory.allocator import AllocatorReading

UUID = "00000000-0000-0000-0000-000000000001"


@dataclass
class Process:
    """What a process has told last, and its answers."""

    allocated: int | None
    uuid: str | None = UUID
    peak: int | None = None
    asked: list[Question] = field(default_factory=list)

    @property
    def figures(self) -> Figures:
        size = self.allocated
        return Figures(
            allocated_bytes=size,
            reserved_bytes=None if size is None else 2 * size,
            reclaimable_bytes=None if size is None else size // 2,
            uuid=self.uuid,
        )

    @property
    def reading(self) -> AllocatorReading:
        told = self.figures
        return AllocatorReading(told.allocated_bytes, told.reserved_bytes, told.reclaimable_bytes)

    @property
    def mirror(self) -> Process:
        return self

    def ask(self, question: Question) -> int | None:
        self.asked.append(question)
        return self.peak


@dataclass
class Engine:
    """An engine with or without a process."""

    process: Process | None
    error: GLMTTSError | None = None
    returned: int = 0
    device: str = "cuda:0"

    @property
    def capabilities(self) -> Engine:
        return self

    def give_back(self) -> None:
        self.returned += 1
        if self.error is not None:
            raise self.error


def allocator(*engines: Engine, device: str = "cuda:0") -> RemoteAllocator:
    return RemoteAllocator(lambda: list(engines), device)


def test_figures_of_all_processes_are_added_up():
    engines = (Engine(Process(100)), Engine(None), Engine(Process(60)), Engine(Process(None, None)))
    assert allocator(*engines).read() == AllocatorReading(160, 320, 80)


def test_a_device_without_a_process_holds_nothing():
    read = allocator(Engine(None))
    assert read.read() == AllocatorReading(0, 0, 0)
    assert read.peak_allocated_bytes() == 0
    assert read.device_uuid() is None


def test_the_host_has_no_such_figures():
    process = Process(None, None)
    read = allocator(Engine(process, device="cpu"), device="cpu")
    read.reset_peak()
    assert read.read() == AllocatorReading(None, None, None)
    assert read.peak_allocated_bytes() is None
    assert process.asked == []


def test_peaks_are_asked_for_and_a_process_that_does_not_answer_counts_as_nothing():
    processes = Process(1, peak=70), Process(1, peak=None)
    read = allocator(*map(Engine, processes))
    read.reset_peak()
    assert read.peak_allocated_bytes() == 70
    assert processes[0].asked == [Question.RESET_PEAK, Question.PEAK]


def test_the_device_is_known_from_the_first_process_that_has_opened_it():
    engines = (Engine(None), Engine(Process(1, None)), Engine(Process(1)))
    assert allocator(*engines).device_uuid() == UUID


def test_the_device_stays_known_when_the_process_that_told_it_ends():
    engine = Engine(Process(1))
    read = allocator(engine)
    assert read.device_uuid() == UUID
    engine.process = None
    assert read.device_uuid() == UUID


def test_engines_elsewhere_count_for_nothing_and_return_their_memory_all_the_same():
    here, elsewhere = Engine(Process(100)), Engine(Process(60), device="cpu")
    both = allocator(here, elsewhere)
    assert both.read().allocated_bytes == 100
    both.give_back()
    assert (here.returned, elsewhere.returned) == (1, 1)


@pytest.mark.parametrize(
    "error",
    [
        EngineProcessError("engine.process_stopped", engine="Scripted"),
        ProcessOutOfMemoryError("engine.process_out_of_memory", engine="Scripted"),
    ],
)
def test_a_process_that_ends_meanwhile_keeps_no_other_from_returning_memory(error):
    engines = Engine(Process(1), error), Engine(Process(1))
    allocator(*engines).give_back()
    assert [each.returned for each in engines] == [1, 1]
