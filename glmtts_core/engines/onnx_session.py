"""ONNX Runtime for all engines: its errors, and the options of a session on the CPU."""

from __future__ import annotations

import re
from typing import Final

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from glmtts_core.errors import GLMTTSError, OutOfMemoryError

#: ONNX Runtime's error classes, which have no common base, and Python's own out-of-memory.
NATIVE_ERRORS: Final[tuple[type[Exception], ...]] = (
    MemoryError,
    *(
        kind
        for kind in vars(native).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ),
)
#: How a failed allocation reads, of the arena and of the C++ runtime.
_ALLOCATION_WORDS: Final = ("allocate", "bad_alloc", "out of memory")
#: The size of the failed allocation in the arena's message, in bytes.
_REQUESTED_SIZE: Final = re.compile(r"requested buffer of size (\d+)")
_FATAL_ONLY: Final = 4


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Return options for a quiet session on the CPU.

    Args:
        threads: CPU threads of a run; 0 takes all cores.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _FATAL_ONLY
    # a waiting thread that spins takes the core from the page and from its own siblings
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def run_options() -> onnxruntime.RunOptions:
    """Return options for a quiet run."""
    options = onnxruntime.RunOptions()
    options.log_severity_level = _FATAL_ONLY
    return options


def wrapped(error: BaseException, out_of_memory_key: str, otherwise: GLMTTSError) -> GLMTTSError:
    """Return the error to raise for one of ONNX Runtime's.

    Args:
        error: what was caught.
        out_of_memory_key: the sentence for a failed allocation.
        otherwise: the error for everything else.
    """
    reason = str(error).lower()
    if isinstance(error, MemoryError) or any(word in reason for word in _ALLOCATION_WORDS):
        size = _REQUESTED_SIZE.search(reason)
        requested_bytes = int(size.group(1)) if size else None
        return OutOfMemoryError(out_of_memory_key, requested_bytes=requested_bytes)
    return otherwise
