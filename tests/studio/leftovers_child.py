"""A process that is in the middle of writing: ``python -m tests.studio.leftovers_child FOLDER``.

Says "ready" as soon as a partial file in FOLDER and a scratch folder are there, and then waits to
be killed, or for the end of its standard input.
"""

from __future__ import annotations

import sys
from pathlib import Path

from glmtts_core.files import partial_file, scratch_folder


def main() -> None:
    """Hold both."""
    with partial_file(Path(sys.argv[1])) as (file, _), scratch_folder() as scratch:
        file.write(b"half a fi")
        file.flush()
        (scratch / "sessions").mkdir()
        sys.stdout.write(f"{scratch}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
