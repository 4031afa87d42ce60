"""Gives the wheel the requirements of requirements.txt; pyproject.toml names this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Requirements(MetadataHookInterface):
    """Reads the one list of requirements."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the requirements to what the wheel says of itself."""
        lines = Path(self.root, "requirements.txt").read_text(encoding="utf-8").splitlines()
        metadata["dependencies"] = [line for line in lines if line and not line.startswith("#")]
