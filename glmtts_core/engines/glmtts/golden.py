"""The golden vectors: inputs and outputs of the reference network at tiny sizes.

They lie beside this file in ``golden/``: the tests compare with them, and so does the parity report
on the user's machine. Knows nothing about what is compared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from safetensors import safe_open
from torch import Tensor

GoldenName = Literal[
    "block_masks",
    "features",
    "flow",
    "flow_streaming",
    "hift",
    "llm",
    "nucleus",
    "speech_tokenizer",
]

_FOLDER: Final = Path(__file__).with_name("golden")
_WEIGHT_PREFIX: Final = "weights."


@dataclass(frozen=True)
class Golden:
    """One file of golden vectors.

    Attributes:
        configuration: its metadata, decoded from JSON: the sizes of the network and notes.
        tensors: inputs and expected outputs, by name.
        weights: the state dict under the names of the official checkpoint; may be empty.
    """

    configuration: dict[str, Any]
    tensors: dict[str, Tensor]
    weights: dict[str, Tensor]


def golden(name: GoldenName) -> Golden:
    """Read one file of golden vectors."""
    tensors: dict[str, Tensor] = {}
    weights: dict[str, Tensor] = {}
    with safe_open(_FOLDER / f"{name}.safetensors", framework="pt") as file:
        configuration = {key: json.loads(value) for key, value in (file.metadata() or {}).items()}
        for key in file.keys():  # noqa: SIM118 - not a mapping
            if key.startswith(_WEIGHT_PREFIX):
                weights[key.removeprefix(_WEIGHT_PREFIX)] = file.get_tensor(key)
            else:
                tensors[key] = file.get_tensor(key)
    return Golden(configuration, tensors, weights)


@dataclass(frozen=True, slots=True)
class GoldenSentence:
    """One text, its normalised form and the pieces that are spoken one by one."""

    text: str
    normalized: str
    chunks: tuple[str, ...]


def golden_sentences() -> list[GoldenSentence]:
    """Read the golden sentences of the text front end."""
    lines = (_FOLDER / "text_frontend.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return [
        GoldenSentence(each["text"], each["normalized"], tuple(each["chunks"])) for each in entries
    ]
