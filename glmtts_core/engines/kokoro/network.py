"""The Kokoro network in an ONNX Runtime session: from token numbers to raw sound.

Knows nothing about text, pieces or progress.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from glmtts_core.audio import Samples
from glmtts_core.engines.base import CancelToken
from glmtts_core.engines.onnx_session import NATIVE_ERRORS, run_options, session_options, wrapped
from glmtts_core.errors import EngineError, GLMTTSError, ModelFileError

#: The styles of a voice, shape (510, 1, 256).
Styles = npt.NDArray[np.float16] | npt.NDArray[np.float32]

_PAD_TOKEN: Final = 0
_SHRINK_ENTRY: Final = ("memory.enable_memory_arena_shrinkage", "cpu:0")


class KokoroNetwork:
    """An open session and the voices' style vectors.

    Args:
        model_file: the ONNX file.
        voices_files: each an .npz with an array of shape (510, 1, 256) a voice, float32 or float16:
            one style for each number of tokens.
        threads: CPU threads of a run; 0 takes all cores.

    Raises:
        ModelFileError: the files cannot be read.
        OutOfMemoryError: there is not enough memory for the weights.
    """

    def __init__(self, model_file: Path, voices_files: Iterable[Path], threads: int) -> None:
        try:
            self._session = onnxruntime.InferenceSession(
                str(model_file), session_options(threads), providers=["CPUExecutionProvider"]
            )
            # in the dtype of the file; a run casts only the row that it uses
            self._styles: dict[str, Styles] = {}
            for file in voices_files:
                with np.load(file) as voices:
                    self._styles.update({name: voices[name] for name in voices.files})
        except NATIVE_ERRORS as error:
            raise _wrapped(error, ModelFileError("kokoro.model_unreadable", reason=error)) from None
        except (OSError, ValueError) as error:
            raise ModelFileError("kokoro.model_unreadable", reason=error) from error
        styles_bytes = sum(style.nbytes for style in self._styles.values())
        #: The file is mostly the graph's initializers, which stay in memory unchanged.
        self.weights_bytes = model_file.stat().st_size + styles_bytes

    def speak(self, tokens: list[int], voice: str, speed: float, cancel: CancelToken) -> Samples:
        """Run once.

        Args:
            tokens: 1 to 510 token numbers.
            voice: name of a style.
            speed: 1.0 is natural.
            cancel: stops the run within some tens of milliseconds.

        Returns:
            float32, shape (frames,), 24 kHz, with silence at both ends.

        Raises:
            SynthesisCancelled: the run was cancelled.
            OutOfMemoryError: an allocation failed.
            EngineError: the run failed otherwise, or its result is not finite.
        """
        options = run_options()

        def stop() -> None:
            options.terminate = True

        try:
            with cancel.interrupting(stop):
                (sound,) = self._session.run(None, self._inputs(tokens, voice, speed), options)
        except NATIVE_ERRORS as error:
            cancel.raise_if_cancelled()
            raise _wrapped(error, EngineError("kokoro.run_failed", reason=error)) from None
        samples: Samples = np.asarray(sound, np.float32).ravel()
        if not np.isfinite(samples).all():
            raise EngineError("kokoro.not_finite")
        return samples

    def shrink(self) -> None:
        """Make the arena return its free blocks, by a run that is stopped before its first node.

        ONNX Runtime shrinks the arena at the end of a stopped run too, so that this takes
        milliseconds and no inference, and the next run is as fast as before. Eight runs of
        growing length took the resident set from 201 to 536 MiB; then (`benchmarks/onnx_arena.py`,
        two processes a way, medians, two shared cores; with an arena the eight runs took 21 to
        24 s, so smaller differences in speed mean nothing):

        - only malloc_trim: 1 % of the growth given back in 0.02 s
        - this: 99 % in 0.06 s
        - a shrinking run over one token: 98 % in 0.15 s
        - every run shrinks: no more than 219 MiB at any rest, at no measurable loss of speed
        - no arena: 100 % in 0.10 s, but 1.2 to 1.7 GB before
        - neither arena nor memory pattern: 100 % in 0.04 s, 466 MiB before, the eight runs 26 s
        - dropping the session: weights and all in 0.09 s, the next run 1.4 s later
        """
        options = run_options()
        options.add_run_config_entry(*_SHRINK_ENTRY)
        options.terminate = True
        try:
            self._session.run(
                None, self._inputs([_PAD_TOKEN], next(iter(self._styles)), 1.0), options
            )
        except native.Fail:
            return  # "exiting due to terminate flag", as intended
        except native.InvalidArgument:
            return  # this build has no arena

    def _inputs(self, tokens: list[int], voice: str, speed: float) -> dict[str, np.ndarray]:
        return {
            "tokens": np.array([[_PAD_TOKEN, *tokens, _PAD_TOKEN]], np.int64),
            "style": self._styles[voice][len(tokens) - 1].astype(np.float32),
            "speed": np.array([speed], np.float32),
        }


def _wrapped(error: BaseException, otherwise: GLMTTSError) -> GLMTTSError:
    """Return the error to raise for one of ONNX Runtime's."""
    return wrapped(error, "kokoro.out_of_memory", otherwise)
