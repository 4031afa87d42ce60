"""What a session has typed and uploaded, on disk, so that a reload or a crash loses none of it.

On disk and not in memory, because the memory of a closed tab is not given back reliably.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError

from glmtts_core.catalogue import Language
from glmtts_core.files import write_whole
from glmtts_core.speech import SpeechOverride

#: Most that the fields of the batch page take.
MOST_THRESHOLD_MIB: Final = 100_000
MOST_EVERY_LINES: Final = 1_000_000
_FORM_FILE: Final = "form.json"
_UNREADABLE_FORM_FILE: Final = "form-unreadable.txt"
_REFERENCE_FILE: Final = "reference.audio"
_log = logging.getLogger(__name__)


class BatchForm(SpeechOverride):
    """What holds for the lines of the next batch that say nothing else, and when it cleans up."""

    reference_name: str | None = None
    reference_text: str = ""
    clean_at_threshold: bool = True
    threshold_mib: Annotated[int, Field(ge=1, le=MOST_THRESHOLD_MIB)] | None = None
    clean_every: bool = False
    every_lines: Annotated[int, Field(ge=1, le=MOST_EVERY_LINES)] | None = None
    clean_after_failure: bool = True


class Form(SpeechOverride):
    """The fields of the synthesis form, of the batch page, and what both share."""

    language: Language | None = None
    engine: str | None = None
    text: str | None = None
    notice_read: bool = False
    reference_name: str | None = None
    reference_transcript: str | None = None
    batch: BatchForm = BatchForm()


class SavedForm:
    """The form of one session and its reference recording. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._form: Form | None = None
        self._problem = ""

    @property
    def form(self) -> Form:
        """The form as it was last kept."""
        with self._lock:
            return self._known_form()

    def keep(self, **changes: object) -> str:
        """Change fields of the form and write it; return why that failed, or "" when it did not.

        The changed form holds in memory in any case.
        """
        with self._lock:
            return self._change(changes)

    def keep_batch(self, **changes: object) -> str:
        """Change fields of the batch page's form, as `keep` does those of the other."""
        with self._lock:
            batch = self._known_form().batch.model_copy(update=changes)
            return self._change({"batch": batch})

    def keep_reference(self, data: bytes, name: str) -> str:
        """Keep the uploaded recording; return why that failed, or "" when it did not."""
        with self._lock:
            problem = self._write(_REFERENCE_FILE, data)
        return problem or self.keep(reference_name=name)

    def reference(self) -> bytes | None:
        """Return the uploaded recording, or None where there is none."""
        if self.form.reference_name is None:
            return None
        try:
            return (self._folder / _REFERENCE_FILE).read_bytes()
        except OSError as error:
            _log.warning("cannot read the reference recording in %s: %s", self._folder, error)
            return None

    @property
    def reference_file(self) -> Path | None:
        """Where the uploaded recording lies; None where there is none."""
        file = self._folder / _REFERENCE_FILE
        return file if self.form.reference_name is not None and file.is_file() else None

    def drop_reference(self) -> None:
        """Forget the uploaded recording."""
        self.keep(reference_name=None)
        try:
            (self._folder / _REFERENCE_FILE).unlink(missing_ok=True)
        except OSError as error:
            # forgotten all the same: the form does not name it any more
            _log.warning("cannot remove the recording in %s: %s", self._folder, error)

    def _change(self, changes: Mapping[str, object]) -> str:
        before = self._known_form()
        self._form = before.model_copy(update=changes)
        # what the disk refused before is tried again
        if self._form != before or self._problem:
            self._problem = self._write(_FORM_FILE, self._form.model_dump_json().encode())
        return self._problem

    def _known_form(self) -> Form:
        if self._form is None:
            self._form = self._read()
        return self._form

    def _read(self) -> Form:
        path = self._folder / _FORM_FILE
        if not path.is_file():
            return Form()
        try:
            return Form.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            _log.warning("cannot read the kept form %s: %s", path, error)
            self._put_aside(path)
            return Form()

    def _put_aside(self, path: Path) -> None:
        """Keep what cannot be read: a newer version, or a person, may still read it."""
        try:
            path.replace(path.with_name(_UNREADABLE_FORM_FILE))
        except OSError as error:
            _log.warning("cannot put the form %s aside: %s", path, error)

    def _write(self, name: str, data: bytes) -> str:
        try:
            write_whole(self._folder / name, data)
        except OSError as error:
            _log.warning("cannot keep %s in %s: %s", name, self._folder, error)
            return error.strerror or str(error)
        return ""
