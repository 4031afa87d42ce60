"""Reads safetensors and PyTorch files: memory-mapped, lazily, and never as code.

Knows nothing about networks.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import torch
from safetensors import SafetensorError, safe_open

from glmtts_core.errors import CheckpointError

#: Start of the file that Git leaves in place of the real one where Git LFS is missing.
_LFS_POINTER: Final = b"version https://git-lfs"
#: PyTorch's messages about a file that asks for forbidden functions or classes.
_CODE_WORDS: Final = ("nsupported global", "nsupported class", "reduce for unrecognized function")


class WeightSource(Protocol):
    """Tensors by key."""

    def keys(self) -> frozenset[str]:
        """Return every key."""

    def shape(self, key: str) -> tuple[int, ...]:
        """Return the shape of ``key`` without reading it."""

    def dtype(self, key: str) -> torch.dtype:
        """Return the dtype of ``key`` without reading it."""

    def read(self, key: str) -> torch.Tensor:
        """Return ``key`` as a host tensor, memory-mapped if possible."""

    def where(self, key: str) -> Path:
        """Return the file of ``key``; for an unknown key the file that should contain it."""


class SafetensorsSource:
    """Tensors of one or more safetensors files, memory-mapped for as long as this lives.

    Args:
        files: the shards, in any order.

    Raises:
        CheckpointError: a file is missing, truncated or damaged, or two hold the same key.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)
        self._of_key: dict[str, tuple[Path, Any]] = {}
        for file in self._files:
            opened = _open_safetensors(file)
            for key in opened.keys():  # noqa: SIM118 - a file handle, not a dictionary
                if key in self._of_key:
                    raise CheckpointError(
                        "checkpoint.key_twice", file=file, other=self._of_key[key][0], weight=key
                    )
                self._of_key[key] = file, opened

    def keys(self) -> frozenset[str]:
        """Return every key of all files."""
        return frozenset(self._of_key)

    def shape(self, key: str) -> tuple[int, ...]:
        """Return the shape in the header."""
        return tuple(self._of_key[key][1].get_slice(key).get_shape())

    def dtype(self, key: str) -> torch.dtype:
        """Return the dtype in the header."""
        # no element is read: an empty slice carries the dtype
        part = self._of_key[key][1].get_slice(key)
        dtype: torch.dtype = part[:0].dtype if part.get_shape() else self.read(key).dtype
        return dtype

    def read(self, key: str) -> torch.Tensor:
        """Return a tensor of the mapped file."""
        tensor: torch.Tensor = self._of_key[key][1].get_tensor(key)
        return tensor

    def where(self, key: str) -> Path:
        """Return the shard of ``key``, or the first one."""
        return self._of_key[key][0] if key in self._of_key else self._files[0]


class MappedSource:
    """Tensors of a dictionary in memory.

    Args:
        tensors: by key.
        file: for messages.
    """

    def __init__(self, tensors: Mapping[str, torch.Tensor], file: Path = Path("memory")) -> None:
        self._tensors = dict(tensors)
        self._file = file

    def keys(self) -> frozenset[str]:
        """Return every key."""
        return frozenset(self._tensors)

    def shape(self, key: str) -> tuple[int, ...]:
        """Return the tensor's shape."""
        return tuple(self._tensors[key].shape)

    def dtype(self, key: str) -> torch.dtype:
        """Return the tensor's dtype."""
        return self._tensors[key].dtype

    def read(self, key: str) -> torch.Tensor:
        """Return the tensor itself."""
        return self._tensors[key]

    def where(self, key: str) -> Path:  # noqa: ARG002 - all keys are in the same file
        """Return the file for messages."""
        return self._file


class TorchSource(MappedSource):
    """Tensors of a file that ``torch.save`` wrote, memory-mapped for as long as this lives.

    The file contains the tensors by key, directly or under "model". It is unpickled in the mode
    that allows only tensors and plain containers: a file with code in it is refused.

    Raises:
        CheckpointError: the file is missing, truncated or damaged, contains code, or something
            else than tensors by key.
    """

    def __init__(self, file: Path) -> None:
        super().__init__(_load_torch(file), file)


def check_is_there(file: Path) -> None:
    """Raise if ``file`` is missing or only a pointer of Git LFS.

    Raises:
        CheckpointError: in both cases; the message says what to do.
    """
    if not file.is_file():
        raise CheckpointError("checkpoint.file_missing", file=file)
    try:
        with file.open("rb") as stream:
            start = stream.read(len(_LFS_POINTER))
    except OSError as error:
        raise CheckpointError(
            "checkpoint.file_damaged", file=file, reason=error.strerror or error
        ) from error
    if start == _LFS_POINTER:
        raise CheckpointError("checkpoint.lfs_pointer", file=file)


def _open_safetensors(file: Path) -> Any:
    check_is_there(file)
    try:
        return safe_open(file, framework="pt", device="cpu")
    except (SafetensorError, OSError) as error:
        raise CheckpointError("checkpoint.file_damaged", file=file, reason=error) from error


def _load_torch(file: Path) -> dict[str, torch.Tensor]:
    check_is_there(file)
    try:
        # the old format, one stream without an archive around it, cannot be mapped
        loaded = torch.load(
            file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file)
        )
    except pickle.UnpicklingError as error:
        if any(words in str(error) for words in _CODE_WORDS):
            raise CheckpointError("checkpoint.code_inside", file=file) from error
        raise CheckpointError(
            "checkpoint.file_damaged", file=file, reason="no weight file"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError("checkpoint.file_damaged", file=file, reason=reason) from error
    if isinstance(loaded, dict) and isinstance(loaded.get("model"), dict):
        loaded = loaded["model"]
    tensors = (
        {key: value for key, value in loaded.items() if isinstance(value, torch.Tensor)}
        if isinstance(loaded, dict)
        else {}
    )
    if not tensors:
        raise CheckpointError("checkpoint.no_tensors", file=file)
    return tensors
