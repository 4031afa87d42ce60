"""Reads devices through the real pynvml, one JSON line for each line that comes in."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict

from glmtts_core.memory.nvml import Nvml


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--retry-s", type=float, default=0.0)
    parser.add_argument("--holds-context", action="store_true")
    parser.add_argument("--pid", type=int, action="append", default=[], help="beside our own")
    arguments = parser.parse_args()
    nvml = Nvml(
        pids=lambda: (os.getpid(), *arguments.pid),
        holds_context=lambda: arguments.holds_context,
        retry_s=arguments.retry_s,
    )
    for _ in sys.stdin:
        print(json.dumps(asdict(nvml.read())), flush=True)  # noqa: T201
    nvml.close()


if __name__ == "__main__":
    main()
