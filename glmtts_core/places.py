"""Where the program lies: in a checkout, or installed as a package that brings its page scripts.

Brings nothing heavy.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

PACKAGE_DIR: Final = Path(__file__).resolve().parent
#: Only the wheel has this folder: the page scripts and their configuration (see pyproject.toml).
_INSTALLED_APP_DIR: Final = PACKAGE_DIR / "app"
INSTALLED: Final = _INSTALLED_APP_DIR.is_dir()

#: The folder of streamlit_app.py, pages/ and .streamlit/.
APP_DIR: Final = _INSTALLED_APP_DIR if INSTALLED else PACKAGE_DIR.parent
#: What the command line is called by.
COMMAND: Final = "glm-tts-studio" if INSTALLED else "python glmtts_inference.py"


def _data_dir() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "glm-tts-studio"


#: The folder of ``.env``, from which relative folders count wherever the program is started: the
#: checkout, or the user's own data folder.
PROGRAM_DIR: Final = _data_dir() if INSTALLED else PACKAGE_DIR.parent
