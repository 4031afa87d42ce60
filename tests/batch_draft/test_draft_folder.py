"""The files of a draft: read once, and unreadable ones are as good as none."""

from __future__ import annotations

import pytest

from glmtts_core.batch_draft.draft_folder import DraftFile, DraftFolder, DraftOrigin
from glmtts_core.errors import BatchError


@pytest.fixture
def folder(tmp_path) -> DraftFolder:
    return DraftFolder(tmp_path / "draft")


def test_a_file_is_read_once(folder):
    folder.save(DraftOrigin(name="a.jsonl"), b'{"text": "one"}\n')
    file = DraftFile(folder, "a.jsonl")
    assert file.batch is None
    batch = file.read()
    assert [line.text for line in batch.lines] == ["one"]
    folder.remove()
    assert file.read() is file.batch is batch


def test_without_a_file_reading_says_so(folder):
    with pytest.raises(BatchError, match="not there any more"):
        DraftFile(folder, "a.jsonl").read()


def test_an_origin_that_cannot_be_read_is_empty_and_logged(folder, tmp_path, caplog):
    origin = DraftOrigin(name="a.jsonl", amends="batch-1")
    folder.save(origin, b"")
    assert folder.origin() == origin
    (tmp_path / "draft" / "origin.json").write_text('{"nam')
    assert folder.origin() == DraftOrigin()
    assert "cannot read the batch draft" in caplog.text
