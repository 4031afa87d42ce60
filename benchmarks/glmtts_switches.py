"""A hundred switches between 24 kHz and 32 kHz without any cleanup: does all succeed, what grows?

    python -m benchmarks.glmtts_switches [--size tiny|full] [--switches 100] [--device cpu]

NetworkSet have random weights; every sound of a rate must equal the first one, bit for bit.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.glmtts_arms import SIZES
from benchmarks.reporting import MIB, Figure, count, print_figures, print_machine
from glmtts_core.engines.base import CancelToken, Progress
from glmtts_core.engines.caches import SessionCaches
from glmtts_core.engines.glmtts.engine import GlmTtsEngine
from glmtts_core.engines.glmtts.network_source import VOCODERS
from glmtts_core.engines.glmtts.rehearsal import REHEARSAL_VOICE, RehearsalNetworks, RehearsalSize
from glmtts_core.memory.ledger import Ledger
from glmtts_core.memory.system import resident_set_bytes
from glmtts_core.settings import Settings
from glmtts_core.speech import SynthesisRequest


class _Control:
    """A job that nobody stops or watches."""

    def __init__(self) -> None:
        self.cancel = CancelToken()

    def report(self, progress: Progress) -> None:
        """Nobody watches."""

    def safe_point(self) -> None:
        """Nothing waits."""


def main() -> None:
    """Switch as often as asked for and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--switches", type=count, default=100)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    print_machine("torch")
    size = SIZES[options.size]
    parts = RehearsalNetworks(
        RehearsalSize(size.llama, size.ids, size.flow, size.hift, size.tokenizer)
    )
    ledger = Ledger()
    engine = GlmTtsEngine(Settings(_env_file=None), ledger, options.device, parts)
    caches, control = SessionCaches("benchmark", ledger), _Control()
    first: dict[int, np.ndarray] = {}
    seconds, resident_mib = [], []
    for switch in range(options.switches + 1):
        hz = tuple(VOCODERS)[switch % 2]
        request = SynthesisRequest(
            text="你好。", voice=REHEARSAL_VOICE.id, sample_rate_hz=hz, seed=1
        )
        started_s = time.perf_counter()
        samples = engine.synthesize(request, caches, control).samples
        seconds.append(time.perf_counter() - started_s)
        resident_mib.append(resident_set_bytes() / MIB)
        if not np.array_equal(first.setdefault(hz, samples), samples):
            raise SystemExit(f"switch {switch} changed the sound")
    settled, skipped = resident_mib[10:], "tenth"
    if not settled:
        settled, skipped = resident_mib, "first"
    print(f"{options.switches} switches, every sound of a rate the same bit for bit")
    print_figures(
        [
            Figure("a synthesis", seconds[2:] or seconds, "s"),
            Figure(f"resident set from the {skipped} on", settled, "MiB"),
            Figure(f"growth from the {skipped} to the last", [settled[-1] - settled[0]], "MiB"),
        ]
    )


if __name__ == "__main__":
    main()
