"""A tiny checkpoint with random weights in the official layout: every file, every kind of file.

The weights are the golden ones, and where sizes must fit the neighbour (mel bands, codes, ids),
random ones of that size.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file
from torch import Tensor

from glmtts_core.engines.glmtts.checkpoint.folder import Checkpoint
from glmtts_core.engines.glmtts.golden import golden
from tests.engines.glmtts.stand_ins import write_speaker_model, write_vocos

#: Speech tokens, as many as the golden codebook has.
CODES: Final = 128
#: Pairs that the text tokenizer joins, beyond the 256 bytes; their ranks follow one another.
MERGES: Final = (b"he", b"ll", b"hell", b"hello", b" w", "你".encode()[:2], "你".encode())
#: Added tokens and their ids; speech tokens follow from FIRST_AUDIO on.
ADDED: Final = {
    "<|endoftext|>": 270,
    "<|user|>": 271,
    "<|begin_of_audio|>": 272,
    "<|SH|>": 273,
    "<|EN1|>": 274,
    "<|EN11|>": 275,
}
FIRST_AUDIO: Final = 280
VOCABULARY: Final = FIRST_AUDIO + CODES + 8

FLOW_CONFIG: Final = f"""\
# written like the official file: HyperPyYAML, with tags that ask for Python objects
mel_dim: 80
flow: !new:flow.flow.Flow
    spkr_emb_adaLN: true
    speech_token_cfg: false
    remove_spkr_concat_condition: true
    mel_dim: !ref <mel_dim>
    mel_framerate: 50
    input_frame_rate: 25
    vocab_size: {CODES}
    speech_token_dim: 32
    trans_dim: 64
    depth: 2
    heads: 2
    dim_head: 32
    ff_mult: 2
    conv_layers: 2
"""


def write_checkpoint(root: Path, *, vocos: bool = True, speaker_beside: bool = False) -> Checkpoint:
    """Write all of it.

    Args:
        root: the checkpoint's folder; made where it is not there.
        vocos: whether the 32 kHz vocoder is among it.
        speaker_beside: put the speaker model beside the folder instead of into it.
    """
    write_llm(root / "llm")
    write_flow(root / "flow")
    write_hift(root / "hift")
    write_speech_tokenizer(root / "speech_tokenizer")
    write_text_tokenizer(root / "vq32k-phoneme-tokenizer")
    if vocos:
        write_vocos(root / "vocos2d" / "generator_jit.ckpt")
    home = root.parent if speaker_beside else root
    write_speaker_model(home / "frontend" / "campplus.onnx")
    return Checkpoint(root)


def write_llm(folder: Path) -> None:
    """Write configuration, two shards and their index."""
    source = golden("llm")
    weights = {**source.weights, "model.embed_tokens.weight": _random(VOCABULARY, 64)}
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "torch_dtype": "float32",
        "bos_token_id": 1,
        "eos_token_id": 2,
        **source.configuration["config"],
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 4096,
    }
    _write_json(folder / "config.json", config)
    names = sorted(weights)
    shards = {
        f"model-{number:05}-of-00002.safetensors": names[number - 1 :: 2] for number in (1, 2)
    }
    for shard, keys in shards.items():
        save_file({key: weights[key] for key in keys}, folder / shard, {"format": "pt"})
    size = sum(tensor.nbytes for tensor in weights.values())
    index = {
        "metadata": {"total_size": size},
        "weight_map": {key: shard for shard, keys in shards.items() for key in keys},
    }
    _write_json(folder / "model.safetensors.index.json", index)


def write_flow(folder: Path) -> None:
    """Write ``flow.pt``, the tensors under "model", and its configuration with object tags."""
    prefix = "estimator."
    weights = {
        **golden("flow").weights,
        f"{prefix}text_emb_layer.text_embed.weight": _random(CODES + 1, 32),
        f"{prefix}emb_concator.proj.weight": _random(64, 80 + 80 + 32),
        f"{prefix}proj_out.weight": _random(80, 64),
        f"{prefix}proj_out.bias": _random(80),
    }
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"model": weights}, folder / "flow.pt")
    (folder / "config.yaml").write_text(FLOW_CONFIG, encoding="utf-8")


def write_hift(folder: Path) -> None:
    """Write ``hift.pt``, a bare state dict."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(golden("hift").weights, folder / "hift.pt")


def write_speech_tokenizer(folder: Path) -> None:
    """Write the tokenizer with all that a checkpoint holds and nobody needs."""
    source = golden("speech_tokenizer")
    sizes: dict[str, Any] = source.configuration["config"]
    width, positions = sizes["d_model"], 1500
    weights = {
        **source.weights,
        "conv1.weight": _random(width, 128, 3),
        "embed_positions.weight": _random(positions, width),
    }
    weights |= {
        "embed_positions2.weight": _random(positions // 2, width),
        "ema_count": _random(CODES),
        "ema_weight": _random(CODES, width),
        "layer_norm.weight": _random(width),
        "layers.3.fc1.weight": _random(sizes["encoder_ffn_dim"], width),
    }
    folder.mkdir(parents=True, exist_ok=True)
    named = {f"model.encoder.{key}": tensor for key, tensor in weights.items()}
    decoder = {"model.decoder.embed_tokens.weight": _random(100, width)}
    save_file({**named, **decoder}, folder / "model.safetensors", {"format": "pt"})
    config = {**sizes, "num_mel_bins": 128, "max_source_positions": positions}
    _write_json(folder / "config.json", config)
    preprocessor = {"feature_size": 128, "hop_length": 160, "n_fft": 400, "sampling_rate": 16_000}
    _write_json(folder / "preprocessor_config.json", preprocessor)


def write_text_tokenizer(folder: Path) -> None:
    """Write ranks and added tokens."""
    tokens = [bytes([byte]) for byte in range(256)] + list(MERGES)
    lines = [f"{base64.b64encode(token).decode()} {rank}" for rank, token in enumerate(tokens)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_text("\n".join(lines) + "\n", encoding="ascii")
    speech = {f"<|audio_{number}|>": FIRST_AUDIO + number for number in range(CODES)}
    added = {
        str(number): {
            "content": token,
            "lstrip": False,
            "rstrip": False,
            "single_word": False,
            "normalized": False,
            "special": True,
        }
        for token, number in {**ADDED, **speech}.items()
    }
    config = {"added_tokens_decoder": added, "tokenizer_class": "ChatGLM4Tokenizer"}
    _write_json(folder / "tokenizer_config.json", config)


def _random(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator) * 0.1


def _write_json(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2), encoding="utf-8")
