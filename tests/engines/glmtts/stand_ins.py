"""Small files with the interface of GLM-TTS's foreign networks, written by the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from glmtts_core.engines.glmtts.networks.vocos import scripted_stand_in


def write_speaker_model(file: Path, size: int = 192) -> None:
    """Write a speaker model: the mean of the bands over time times a random matrix."""
    matrix = np.random.default_rng(1).standard_normal((80, size)).astype(np.float32)
    network = helper.make_graph(
        [
            helper.make_node("Abs", ["feats"], ["loudness"]),
            helper.make_node("ReduceMean", ["loudness", "axes"], ["mean"], keepdims=0),
            helper.make_node("MatMul", ["mean", "matrix"], ["embs"]),
        ],
        "stand-in",
        [helper.make_tensor_value_info("feats", TensorProto.FLOAT, ["B", "T", 80])],
        [helper.make_tensor_value_info("embs", TensorProto.FLOAT, ["B", size])],
        [
            numpy_helper.from_array(np.array([1], np.int64), "axes"),
            numpy_helper.from_array(matrix, "matrix"),
        ],
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    model = helper.make_model(network, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, file)


def write_vocos(file: Path, seed: int = 1) -> None:
    """Write a TorchScript archive that speaks noise."""
    file.parent.mkdir(parents=True, exist_ok=True)
    scripted_stand_in(torch.device("cpu"), seed).save(str(file))
