"""What the system says comes as one sentence that names the folder."""

from __future__ import annotations

import shutil

import pytest

from glmtts_core.errors import StorageError
from glmtts_core.storage_errors import storage_errors


def test_the_folder_of_a_file_that_was_not_found_is_named(tmp_path):
    (tmp_path / "audio").mkdir()
    shutil.rmtree(tmp_path / "audio")
    with pytest.raises(StorageError, match="audio"), storage_errors(tmp_path):
        (tmp_path / "audio" / "a.wav").write_bytes(b"")
