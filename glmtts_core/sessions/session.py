"""The handle of one browser session: what pages hold in ``st.session_state["model"]``.

Light: the weights and the caches lie in the studio. Knows nothing about Streamlit.
"""

from __future__ import annotations

import secrets
import time
from typing import Final

import numpy as np

from glmtts_core.audio import Samples, decode
from glmtts_core.engines.capabilities import Capabilities
from glmtts_core.errors import GLMTTSError
from glmtts_core.memory.cleanup import CleanupLevel, CleanupReport, Promise
from glmtts_core.memory.ledger import LedgerKind
from glmtts_core.message import Message
from glmtts_core.sessions.events import AskedBy
from glmtts_core.sessions.history import SessionHistory
from glmtts_core.sessions.registry import TAKEOVER_S
from glmtts_core.sessions.result_record import ResultRecord
from glmtts_core.sessions.saved_form import SavedForm
from glmtts_core.speech import ReferenceAudio, SynthesisRequest, new_seed
from glmtts_core.studio.jobs import Job
from glmtts_core.studio.studio import Studio
from glmtts_core.studio.worker import WorkerTask

#: Seconds that a click on the cleanup button waits for the report before it says "soon".
CLICK_WAIT_S: Final = 1.5
#: Seconds in which the old page of a reload lets go of its session, or is found to be silent.
_HANDOVER_S: Final = TAKEOVER_S + 0.5


def new_session_id() -> str:
    """Return an id that cannot be guessed: who has it sees the session's results."""
    return secrets.token_hex(16)


def take_lease(studio: Studio, session_id: str, holder: object | None = None) -> bool:
    """Lease a session for a browser, waiting a moment for the page that a reload replaces."""
    give_up_s = time.monotonic() + _HANDOVER_S
    while not studio.sessions.lease(session_id, holder):
        if time.monotonic() > give_up_s:
            return False
        time.sleep(0.05)
    return True


class Session:
    """One browser session: submits, cancels, cleans, and reads its own history."""

    def __init__(self, studio: Studio, session_id: str) -> None:
        self.studio = studio
        self.id = session_id
        self._cleanup: WorkerTask[CleanupReport] | None = None
        self._load_job: Job | None = None
        self.pending_level = CleanupLevel.TRIM
        self.cleanup_report: CleanupReport | None = None
        self.cleanup_error: GLMTTSError | None = None

    @property
    def engine(self) -> str:
        """Name of the engine that this session has chosen, or of the preferred one."""
        names = self.studio.engines.names
        chosen = self.saved_form.form.engine
        return chosen if chosen in names else names[0]

    @property
    def capabilities(self) -> Capabilities:
        """What the session's engine can do."""
        return self.studio.engines.find(self.engine).capabilities

    @property
    def job(self) -> Job | None:
        """The newest job of this session, finished or not."""
        return self.studio.sessions.entry(self.id).job

    @property
    def history(self) -> SessionHistory:
        """What this session has spoken."""
        return self.studio.sessions.entry(self.id).history

    @property
    def saved_form(self) -> SavedForm:
        """What this session has typed and uploaded."""
        return self.studio.sessions.entry(self.id).saved_form

    def submit(self, request: SynthesisRequest) -> Job:
        """Queue a synthesis by the session's engine where none is named; see `Studio.submit`.

        A voice that is not named is chosen here, and where the engine draws at random and no seed
        is given, one is drawn, so that the result can tell how to get it again.
        """
        if request.engine is None:
            request = request.changed(engine=self.engine)
        can = self.studio.engines.find(request.engine).capabilities
        request = can.with_voice(request)
        if can.seed and request.seed is None:
            request = request.changed(seed=new_seed())
        return self.studio.submit(self.id, request)

    def plain_request(self, text: str, seed: int | None = None) -> SynthesisRequest:
        """Return what the session's engine speaks without further wishes: for checks and hunts.

        The preferred voice of the text's language, the first rate, and the uploaded recording
        where the engine clones.

        Raises:
            AudioError: the recording cannot be read.
        """
        can = self.capabilities
        return can.plain_request(text, self.reference() if can.voice_cloning else None, seed)

    def load(self) -> None:
        """Queue the loading of the engine; what is under way already loads it anyway."""
        busy = self.studio.sessions.entry(self.id).active_job is not None
        if not busy and (self._load_job is None or self._load_job.finished):
            self._load_job = self.studio.load(self.id, self.engine)

    @property
    def load_error(self) -> GLMTTSError | None:
        """Why the last wish to load failed, as long as nothing has loaded since."""
        job = self._load_job
        # the engine may have been taken away since
        if job is None or job.engine not in self.studio.engines.names:
            return None
        return None if self.studio.engines.find(job.engine).loaded else job.view().error

    def cancel(self) -> None:
        """Cancel this session's job, waiting or running."""
        job = self.studio.sessions.entry(self.id).active_job
        if job is not None:
            job.cancel()

    def samples(self, record: ResultRecord) -> Samples:
        """Return a result's samples, float32 of shape (frames,), from memory or from its file.

        Raises:
            StorageError, AudioError: the file is gone or cannot be read.
        """
        caches = self.studio.sessions.entry(self.id).caches
        kept = caches.get(LedgerKind.RESULTS, str(record.number))
        if isinstance(kept, np.ndarray):
            return kept
        samples = decode(self.history.wav(record.number), record.file_name).samples
        caches.put(LedgerKind.RESULTS, str(record.number), samples, samples.nbytes)
        return samples

    def delete(self, number: int) -> None:
        """Delete a result from disk and from memory.

        Raises:
            StorageError: the folder cannot be changed.
        """
        self.history.delete(number)
        self.studio.sessions.entry(self.id).caches.drop(LedgerKind.RESULTS, str(number))

    def reference(self) -> ReferenceAudio | None:
        """Return the uploaded recording with its transcript, or None where there is none.

        Raises:
            AudioError: it cannot be read.
        """
        data = self.saved_form.reference()
        form = self.saved_form.form
        if data is None or form.reference_name is None:
            return None
        max_s = self.studio.settings.max_reference_s
        audio = decode(data, form.reference_name, max_s=max_s)
        return ReferenceAudio(
            audio.samples,
            audio.sample_rate_hz,
            form.reference_name,
            form.reference_transcript or "",
        )

    # -- memory --------------------------------------------------------------------------------

    def promise(self) -> Promise:
        """Return what the cleanup button would give back."""
        return self.studio.promise(self.id)

    def advice(self) -> Message | None:
        """Return the line of advice that applies, if any."""
        return self.studio.advice(self.id)

    def clean(self, level: CleanupLevel) -> None:
        """Ask for a cleanup and wait a moment for its report; `poll_cleanup` sees to the rest.

        A second wish while one waits changes nothing: its report is still to come.
        """
        if self.cleanup_pending:
            return
        self.cleanup_report = self.cleanup_error = None
        try:
            self._cleanup = self.studio.cleanup(level, self.id, asked_by=AskedBy.PAGE)
        except GLMTTSError as error:
            self.cleanup_error = error
            return
        self.pending_level = level
        self.poll_cleanup(CLICK_WAIT_S)

    @property
    def cleanup_pending(self) -> bool:
        """Whether a cleanup was asked for that has not run yet."""
        return self._cleanup is not None

    def poll_cleanup(self, wait_s: float = 0.0) -> None:
        """Take over the report or the error of a cleanup that has run meanwhile."""
        if self._cleanup is None:
            return
        try:
            self.cleanup_report = self._cleanup.wait(wait_s)
        except GLMTTSError as error:
            self.cleanup_error = error
        if self.cleanup_report is not None or self.cleanup_error is not None:
            self._cleanup = None
