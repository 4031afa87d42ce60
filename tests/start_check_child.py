"""What is checked before a start, alone: ``python -m tests.start_check_child``."""

from __future__ import annotations

import sys

from glmtts_core.cli.start import check_start
from glmtts_core.errors import SettingsError
from glmtts_core.settings import load_settings

if __name__ == "__main__":
    try:
        # port 0 takes any that is free
        check_start(load_settings().device, "127.0.0.1", 0)
    except SettingsError as refused:
        sys.exit(str(refused))
