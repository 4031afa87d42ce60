"""Whether speaking two short lines at a time pays on a CPU: two networks against one.

The built-in voice's network takes one sequence a run, so that lines cannot share a forward pass;
what is left is a second network beside the first, each on half of the cores.
Run with ``python -m benchmarks.batch_concurrency [--rounds N] [--lines N] [--tokens N]``.
"""

from __future__ import annotations

import argparse
import random
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from benchmarks.reporting import MIB, Figure, count, print_figures, print_machine

#: Lines, and tokens of each: a short sentence.
_LINES, _TOKENS = 4, 24


def main() -> None:
    """Speak the same lines in both ways, by turns, and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=count, default=5)
    parser.add_argument("--lines", type=count, default=_LINES, help="2 or more")
    parser.add_argument("--tokens", type=count, default=_TOKENS, help="of each line")
    options = parser.parse_args()
    if options.lines < 2:
        parser.error("--lines: it takes two lines to speak two at a time")
    print_machine("onnxruntime", "kokoro-onnx")

    from glmtts_core.engines.base import CancelToken
    from glmtts_core.engines.kokoro.model_file import japanese_voices_path, model_path
    from glmtts_core.engines.kokoro.network import KokoroNetwork
    from glmtts_core.memory.system import resident_set_bytes
    from glmtts_core.settings import Settings

    # which sounds they are does not matter to the time that they take
    draw = random.Random(1)
    lines = [[draw.randint(5, 150) for _ in range(options.tokens)] for _ in range(options.lines)]
    model = model_path(Settings(_env_file=None).cache_dir)
    sizes = [resident_set_bytes()]
    whole = KokoroNetwork(model, [japanese_voices_path()], threads=2)
    sizes.append(resident_set_bytes())
    halves = [KokoroNetwork(model, [japanese_voices_path()], threads=1) for _ in range(2)]
    sizes.append(resident_set_bytes())

    def speak(network: KokoroNetwork, some: list[list[int]]) -> None:
        for tokens in some:
            network.speak(tokens, "jf_alpha", 1.0, CancelToken())

    def one_by_one() -> None:
        speak(whole, lines)

    def two_by_two() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(speak, halves, (lines[::2], lines[1::2])))

    took: dict[str, list[float]] = {"one": [], "two": []}
    cpu: dict[str, list[float]] = {"one": [], "two": []}
    for _ in range(options.rounds + 1):
        for name, way in (("one", one_by_one), ("two", two_by_two)):
            started_s, used_s = time.perf_counter(), time.process_time()
            way()
            took[name].append(time.perf_counter() - started_s)
            cpu[name].append(time.process_time() - used_s)
    # the first round warms up
    first, second = (values[1:] for values in took.values())
    first_cpu, second_cpu = (values[1:] for values in cpu.values())
    loaded, doubled = ((after - before) / MIB for before, after in pairwise(sizes))
    print_figures(
        [
            Figure("one line at a time, one network on all cores", first, "s"),
            Figure("two at a time, two networks on a core each", second, "s"),
            Figure("processor time of the first way", first_cpu, "s"),
            Figure("processor time of the second way", second_cpu, "s"),
            Figure(
                "throughput of the second way / the first",
                [one / two for one, two in zip(first, second, strict=True)],
                "",
                ">= 1.2 to be kept",
            ),
            Figure("memory of one network", [loaded], "MiB"),
            Figure("memory of two more", [doubled], "MiB"),
        ]
    )


if __name__ == "__main__":
    main()
