"""The official checkpoint on disk: the place of each file, and its configurations as plain data.

Knows nothing about the networks that are built from it.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from glmtts_core.engines.glmtts.checkpoint.weight_sources import SafetensorsSource, TorchSource
from glmtts_core.errors import CheckpointError

_INDEX: Final = "model.safetensors.index.json"
_SPEAKER_MODEL: Final = Path("frontend", "campplus.onnx")
#: References inside references of a YAML file that are followed; more would be a circle.
_MAX_REFERENCE_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder in the official layout; it may be empty.

    Attributes:
        root: the folder.
    """

    root: Path

    @property
    def llm_folder(self) -> Path:
        """The language model: ``config.json`` and safetensors."""
        return self.root / "llm"

    @property
    def flow_config_file(self) -> Path:
        """The flow's configuration."""
        return self.root / "flow" / "config.yaml"

    @property
    def flow_file(self) -> Path:
        """The flow's weights."""
        return self.root / "flow" / "flow.pt"

    @property
    def hift_file(self) -> Path:
        """The weights of the 24 kHz vocoder."""
        return self.root / "hift" / "hift.pt"

    @property
    def vocos_file(self) -> Path:
        """The TorchScript archive of the 32 kHz vocoder."""
        return self.root / "vocos2d" / "generator_jit.ckpt"

    @property
    def speech_tokenizer_folder(self) -> Path:
        """The speech tokenizer: ``config.json``, ``preprocessor_config.json`` and safetensors."""
        return self.root / "speech_tokenizer"

    @property
    def text_tokenizer_folder(self) -> Path:
        """The text tokenizer: ``tokenizer.model`` and ``tokenizer_config.json``."""
        return self.root / "vq32k-phoneme-tokenizer"

    @property
    def speaker_file(self) -> Path:
        """The speaker model: inside the folder, or beside it as in the reference."""
        inside, beside = self.root / _SPEAKER_MODEL, self.root.parent / _SPEAKER_MODEL
        return beside if beside.is_file() and not inside.is_file() else inside

    def needed_files(self) -> tuple[Path, ...]:
        """Return the files that every synthesis needs, except the vocoders'."""
        return (
            self.llm_folder / "config.json",
            *_shards(self.llm_folder),
            self.flow_config_file,
            self.flow_file,
            self.speech_tokenizer_folder / "config.json",
            *_shards(self.speech_tokenizer_folder),
            self.text_tokenizer_folder / "tokenizer.model",
            self.text_tokenizer_folder / "tokenizer_config.json",
            self.speaker_file,
        )

    def is_there(self) -> bool:
        """Return whether every needed file and at least one vocoder exist; reads none of them."""
        return all(file.is_file() for file in self.needed_files()) and bool(self.sample_rates_hz())

    def sample_rates_hz(self) -> tuple[int, ...]:
        """Return the rates whose vocoder exists, the preferred one first."""
        vocoders = ((24_000, self.hift_file), (32_000, self.vocos_file))
        return tuple(hz for hz, file in vocoders if file.is_file())

    def llm_config(self) -> dict[str, Any]:
        """Read the language model's configuration."""
        return read_json(self.llm_folder / "config.json")

    def llm_source(self) -> SafetensorsSource:
        """Open the language model's weights."""
        return SafetensorsSource(_shards(self.llm_folder))

    def flow_config(self) -> dict[str, Any]:
        """Read the flow's configuration."""
        return read_flow_config(self.flow_config_file)

    def flow_source(self) -> TorchSource:
        """Open the flow's weights."""
        return TorchSource(self.flow_file)

    def hift_source(self) -> TorchSource:
        """Open the weights of the 24 kHz vocoder."""
        return TorchSource(self.hift_file)

    def speech_tokenizer_config(self) -> dict[str, Any]:
        """Read the speech tokenizer's configuration."""
        return read_json(self.speech_tokenizer_folder / "config.json")

    def speech_tokenizer_source(self) -> SafetensorsSource:
        """Open the speech tokenizer's weights."""
        return SafetensorsSource(_shards(self.speech_tokenizer_folder))


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        CheckpointError: the file is missing, cannot be read or holds something else.
    """
    try:
        content = json.loads(_read_text(file))
    except ValueError as error:
        raise CheckpointError("checkpoint.file_damaged", file=file, reason=error) from error
    return _mapping(content, file)


def read_flow_config(file: Path) -> dict[str, Any]:
    """Read ``flow/config.yaml`` as plain data.

    The file is HyperPyYAML: tags such as ``!new:package.Class`` ask for Python objects. No object
    is made and nothing is imported: a tag's mapping, list or scalar is read as plain data, and
    ``!ref <name>`` as the value of that name.

    Returns:
        The value of "flow" if that is a mapping, else the whole.

    Raises:
        CheckpointError: the file is missing, cannot be read or holds something else.
    """
    try:
        # a loader of our own, but a safe one
        content = yaml.load(_read_text(file), Loader=_PlainLoader)
    except (yaml.YAMLError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError("checkpoint.file_damaged", file=file, reason=reason) from error
    whole = _mapping(content, file)
    inner = whole.get("flow")
    network = inner if isinstance(inner, dict) else whole
    return {str(name): _followed(value, whole) for name, value in network.items()}


@dataclass(frozen=True, slots=True)
class _Reference:
    name: str


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that reads the content of an unknown tag as plain data."""


def _plain(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        pairs: dict[Hashable, Any] = loader.construct_mapping(node, deep=True)
        return pairs
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    value = loader.construct_scalar(node)  # type: ignore[arg-type]
    if tag == "ref" and value.startswith("<") and value.endswith(">"):
        return _Reference(value[1:-1])
    return value


_PlainLoader.add_multi_constructor("!", _plain)
_PlainLoader.add_multi_constructor("tag:yaml.org,2002:python/", _plain)


def _followed(value: Any, whole: dict[str, Any], depth: int = 0) -> Any:
    if not isinstance(value, _Reference):
        return value
    if value.name not in whole or depth == _MAX_REFERENCE_DEPTH:
        return f"<{value.name}>"
    return _followed(whole[value.name], whole, depth + 1)


def _shards(folder: Path) -> tuple[Path, ...]:
    """Return the safetensors files of a folder: those that its index names, else all."""
    index = folder / _INDEX
    if index.is_file():
        named = _mapping(read_json(index).get("weight_map"), index).values()
        # the name only: an index must not lead out of its folder
        return tuple(sorted({folder / Path(str(name)).name for name in named}))
    found = tuple(sorted(folder.glob("*.safetensors")))
    return found or (folder / "model.safetensors",)


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CheckpointError("checkpoint.file_missing", file=file) from error
    except OSError as error:
        raise CheckpointError(
            "checkpoint.file_damaged", file=file, reason=error.strerror or error
        ) from error


def _mapping(content: Any, file: Path) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise CheckpointError(
            "checkpoint.file_damaged", file=file, reason=f"{type(content).__name__}, no mapping"
        )
    return content
