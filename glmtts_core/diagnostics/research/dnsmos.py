"""Predicts how listeners would rate a result, by DNSMOS P.835, a network trained on ratings.

The network is part of the wheel ``speechmos`` (MIT licence) and is run directly; it is opened for
one measurement and dropped afterwards, so that nothing of it stays in memory. It was trained on
recordings with noise: for synthetic speech its figures are for comparison only.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from glmtts_core.audio import Samples, resample, to_mono
from glmtts_core.errors import AudioError, ModelFileError

_RATE_HZ: Final = 16_000
#: Samples that the network takes: 9.01 s.
_WINDOW: Final = 144_160
#: A window takes about 0.4 s on one core; more than three improve the rating little.
_MAX_WINDOWS: Final = 3
#: From the network's raw answers to the scale of the ratings: the coefficients that Microsoft
#: published with it (github.com/microsoft/DNS-Challenge), the highest power first.
_SIGNAL_FIT: Final = (-0.08397278, 1.22083953, 0.0052439)
_BACKGROUND_FIT: Final = (-0.13166888, 1.60915514, -0.39604546)
_OVERALL_FIT: Final = (-0.06766283, 1.11546468, 0.04602535)


@dataclass(frozen=True, slots=True)
class MeanOpinion:
    """Predicted ratings from 1 (bad) to 5 (excellent), as ITU-T P.835 asks listeners for them."""

    signal: float
    background: float
    overall: float


def mean_opinion(samples: Samples, sample_rate_hz: int, threads: int = 1) -> MeanOpinion:
    """Predict how listeners would rate the sound.

    Args:
        samples: float32, shape (frames,) or (frames, channels), full scale ±1.
        sample_rate_hz: their rate.
        threads: CPU threads to compute with.

    Raises:
        AudioError: there is nothing to rate.
        ModelFileError: the network is not installed or cannot be opened.
    """
    if not len(samples) or not np.isfinite(samples).all():
        raise AudioError("quality.nothing_to_rate")
    mono = np.clip(resample(to_mono(samples), sample_rate_hz, _RATE_HZ), -1.0, 1.0)
    session = _open(threads)
    raw = np.stack([session.run(None, {"input_1": each[None]})[0][0] for each in _windows(mono)])
    fits = (_SIGNAL_FIT, _BACKGROUND_FIT, _OVERALL_FIT)
    rated = [float(np.polyval(fit, raw[:, column]).mean()) for column, fit in enumerate(fits)]
    return MeanOpinion(*rated)


def _windows(mono: Samples) -> list[npt.NDArray[np.float32]]:
    """Return up to three windows over the whole length; a short sound is repeated to fill one."""
    if len(mono) <= _WINDOW:
        return [np.resize(mono, _WINDOW).astype(np.float32)]
    count = min(_MAX_WINDOWS, -(-len(mono) // _WINDOW))
    starts = np.linspace(0, len(mono) - _WINDOW, count).astype(int)
    return [mono[start : start + _WINDOW].astype(np.float32) for start in starts]


def _open(threads: int) -> Any:
    import onnxruntime  # heavy: imported only for a rating

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # an arena would keep its blocks after this measurement
    options.enable_cpu_mem_arena = False
    try:
        with resources.as_file(_network()) as path:
            return onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
    except Exception as error:
        # ONNX Runtime has an exception class of its own for every kind of broken file
        raise ModelFileError("quality.no_dnsmos", reason=error) from error


def _network() -> Path:
    found = resources.files("speechmos") / "dnsmos_models" / "sig_bak_ovr.onnx"
    return Path(str(found))
