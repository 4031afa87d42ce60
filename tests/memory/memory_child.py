"""Touches as much memory as each line asks for, in MiB, and holds no more than that."""

from __future__ import annotations

import mmap
import sys


def main() -> None:
    block: mmap.mmap | None = None
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        if block is not None:
            block.close()
            block = None
        if (size := int(line) * 2**20) > 0:
            block = mmap.mmap(-1, size)
            for place in range(0, size, mmap.PAGESIZE):
                block[place] = 1
        print("held", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
