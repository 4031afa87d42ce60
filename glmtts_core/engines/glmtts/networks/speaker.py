"""The speaker model CAM++: computes the voice vector of a recording.

It runs in ONNX Runtime on the CPU: on a GPU it would use memory that PyTorch neither sees nor
frees, and a reference recording takes only a fraction of a second here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from glmtts_core.engines.glmtts.checkpoint.weight_sources import check_is_there
from glmtts_core.engines.glmtts.networks.features import speaker_filterbank
from glmtts_core.engines.onnx_session import NATIVE_ERRORS, run_options, session_options, wrapped
from glmtts_core.errors import CheckpointError, EngineError

#: Length of the vector.
EMBEDDING_SIZE: Final = 192


class SpeakerModel:
    """An open session without an arena: a run returns its memory at its end.

    Args:
        file: ``campplus.onnx``.
        threads: CPU threads of a run; 0 takes all cores.

    Attributes:
        weights_bytes: the file's size, about that of the weights.

    Raises:
        CheckpointError: the file is missing or damaged.
        OutOfMemoryError: there is not enough memory for the weights.
    """

    def __init__(self, file: Path, threads: int) -> None:
        check_is_there(file)
        options = session_options(threads)
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except NATIVE_ERRORS as error:
            damaged = CheckpointError("checkpoint.file_damaged", file=file, reason=error)
            raise wrapped(error, "engine.out_of_memory", damaged) from None
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name
        self.weights_bytes = file.stat().st_size

    def embed(self, wave: Tensor) -> Tensor:
        """Return the voice of ``wave``.

        Args:
            wave: float32, shape (S,), 16 kHz, full scale ±1.

        Returns:
            float32, shape (1, 192), not normalised.

        Raises:
            OutOfMemoryError: an allocation failed.
            EngineError: the run failed otherwise, or its result is unusable.
        """
        bands = speaker_filterbank(wave)[None].numpy()
        try:
            (vector,) = self._session.run([self._output], {self._input: bands}, run_options())
        except NATIVE_ERRORS as error:
            failed = EngineError("glmtts.speaker_failed", reason=error)
            raise wrapped(error, "engine.out_of_memory", failed) from None
        values = np.asarray(vector, np.float32)
        if values.size != EMBEDDING_SIZE or not np.isfinite(values).all():
            raise EngineError("glmtts.speaker_unusable")
        return torch.from_numpy(values.reshape(1, EMBEDDING_SIZE).copy())
