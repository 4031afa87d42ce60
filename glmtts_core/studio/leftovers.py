"""Clearing what killed processes have left half written, wherever this program writes.

Nothing that a living process holds is touched, nor what a download goes on with.
"""

from __future__ import annotations

from pathlib import Path

from glmtts_core.files import sweep_partial, sweep_scratch


def sweep_leftovers(output_dir: Path, cache_dir: Path) -> int:
    """Remove the partial files and scratch folders of processes that died; return how many.

    Only this program's own folders are looked through: a user may have set any folder.
    """
    ours = [cache_dir, output_dir / "sessions", output_dir / "laboratory"]
    return sweep_partial([*ours, *output_dir.glob("batch-*")]) + sweep_scratch()
