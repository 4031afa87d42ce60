"""A long task beside the pages: started once, with progress, cancellation and its outcome.

Knows nothing about what the work is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from glmtts_core.engines.base import CancelToken
from glmtts_core.errors import GLMTTSError

T = TypeVar("T")
#: Receives the wish to stop, and a function that takes the finished fraction, 0 to 1.
Work = Callable[[CancelToken, Callable[[float], None]], T]
#: What the user reads after an unexpected exception, unless a task has a sentence of its own.
UNEXPECTED: Final = "studio.task_failed"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TaskView(Generic[T]):
    """A task at one moment.

    Attributes:
        running: whether its work has begun and not ended.
        fraction: the finished part of the work, 0 to 1.
        result: what the work returned; None before that, and after an error.
        error: why the work has no result; `SynthesisCancelled` where it was cancelled.
    """

    running: bool = False
    fraction: float = 0.0
    result: T | None = None
    error: GLMTTSError | None = None


class BackgroundTask(Generic[T]):
    """Runs one piece of work at a time in a thread of its own. Thread-safe.

    Args:
        name: of the thread, and in the log.
        unexpected_key: the sentence shown after an exception that is no `GLMTTSError`; its
            placeholder is ``reason``.
    """

    def __init__(self, name: str, unexpected_key: str = UNEXPECTED) -> None:
        self._name = name
        self._unexpected_key = unexpected_key
        self._lock = threading.Lock()
        self._view: TaskView[T] = TaskView()
        self._cancel = CancelToken()
        self._thread: threading.Thread | None = None

    def start(
        self, work: Work[T], on_end: Callable[[GLMTTSError | None], None] = lambda _: None
    ) -> bool:
        """Begin ``work``; while earlier work runs, nothing happens and False is returned.

        Args:
            work: runs in the thread.
            on_end: called in the thread with the error, if any, before the task counts as ended.
        """
        with self._lock:
            if self._view.running:
                return False
            cancel = CancelToken()
            thread = threading.Thread(
                target=self._run, args=(work, cancel, on_end), name=self._name, daemon=True
            )
            thread.start()
            # the thread's own changes wait for the lock, so they come after this
            self._thread, self._cancel, self._view = thread, cancel, TaskView(running=True)
            return True

    def view(self) -> TaskView[T]:
        """Return the task as it is now."""
        with self._lock:
            return self._view

    @property
    def running(self) -> bool:
        """Whether its work has begun and not ended."""
        return self.view().running

    def cancel(self) -> None:
        """Ask the running work to stop; without any, nothing happens."""
        with self._lock:
            cancel = self._cancel
        cancel.cancel()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the work has ended; False when ``timeout_s`` ran out first."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def close(self, timeout_s: float) -> bool:
        """Cancel and wait; False, and a line in the log, when ``timeout_s`` ran out first."""
        self.cancel()
        ended = self.wait(timeout_s)
        if not ended:
            _log.warning("%s did not end within %.0f s", self._name, timeout_s)
        return ended

    def _run(
        self, work: Work[T], cancel: CancelToken, on_end: Callable[[GLMTTSError | None], None]
    ) -> None:
        result: T | None = None
        error: GLMTTSError | None = None
        try:
            result = work(cancel, self._report)
        except BaseException as failure:  # noqa: BLE001
            error = user_error(failure, self._unexpected_key)
        try:
            on_end(error)
        except BaseException as failure:  # noqa: BLE001
            result, error = None, user_error(failure, self._unexpected_key)
        with self._lock:
            fraction = 1.0 if error is None else self._view.fraction
            self._view = TaskView(fraction=fraction, result=result, error=error)

    def _report(self, fraction: float) -> None:
        with self._lock:
            self._view = replace(self._view, fraction=fraction)


def user_error(error: BaseException, unexpected_key: str) -> GLMTTSError:
    """Return the error that ended a thread's work, as it can be kept and shown.

    An unexpected one, such as a native library's panic (which is no Exception), is logged and
    becomes the sentence of ``unexpected_key``.
    """
    if isinstance(error, GLMTTSError):
        # a traceback holds every frame's locals, tensors among them
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)
    _log.error("%s failed unexpectedly", threading.current_thread().name, exc_info=error)
    return GLMTTSError(unexpected_key, reason=f"{type(error).__name__}: {error}")
