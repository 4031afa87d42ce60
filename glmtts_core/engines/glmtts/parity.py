"""Compares every network on this device with the golden vectors of the reference.

The golden weights are first written to files in the official layout, so that the code that loads
official files is tested too. Knows nothing about how the results are shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file
from torch import Tensor

from glmtts_core.engines.base import CancelToken
from glmtts_core.engines.glmtts.checkpoint.weight_sources import SafetensorsSource, TorchSource
from glmtts_core.engines.glmtts.decoding import SpeechIds
from glmtts_core.engines.glmtts.golden import golden, golden_sentences
from glmtts_core.engines.glmtts.networks.features import log_mel, speaker_filterbank
from glmtts_core.engines.glmtts.networks.flow import Flow, FlowPrompt, Precision, load_flow
from glmtts_core.engines.glmtts.networks.flow_config import FlowConfig
from glmtts_core.engines.glmtts.networks.flow_streaming import (
    StepCache,
    block_causal_mask,
    generate_chunk,
)
from glmtts_core.engines.glmtts.networks.hift import load_hift
from glmtts_core.engines.glmtts.networks.language_model import (
    LanguageModel,
    PromptEntry,
    SpeechBounds,
)
from glmtts_core.engines.glmtts.networks.llama import LlamaConfig
from glmtts_core.engines.glmtts.networks.llama_weights import load_llama
from glmtts_core.engines.glmtts.networks.speech_tokenizer import (
    load_speech_tokenizer,
)
from glmtts_core.engines.glmtts.networks.speech_tokenizer_config import (
    SpeechTokenizerConfig,
)
from glmtts_core.engines.glmtts.precision import has_fast_bfloat16
from glmtts_core.engines.glmtts.sampling import Sampling, nucleus
from glmtts_core.engines.glmtts.text.frontend import normalize_text
from glmtts_core.errors import GLMTTSError
from glmtts_core.files import scratch_folder

#: Golden sentences that may differ: at the end of one the reference itself is wrong.
_SENTENCES_ALLOWED: Final = 1
#: Power of the mel over the error of mixed precision, at least, in dB.
_MIXED_LEAST_DB: Final = 40.0


@dataclass(frozen=True, slots=True)
class GoldenCheck:
    """One comparison.

    Attributes:
        name: what was compared.
        value: the difference that was found; NaN where the check could not be run.
        limit: the largest one that is allowed.
        unit: "" for a largest absolute difference; else what is counted.
        at_least: ``limit`` is the smallest allowed instead.
        error: why the check could not be run.
    """

    name: str
    value: float
    limit: float
    unit: str = ""
    at_least: bool = False
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether the value is within the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def golden_checks(device: torch.device) -> Iterator[GoldenCheck]:
    """Compare everything with the golden vectors, in float32 on ``device``."""
    groups: tuple[tuple[str, Callable[[torch.device, Path], Iterator[GoldenCheck]]], ...] = (
        ("text", _text),
        ("features", _features),
        ("speech tokenizer", _speech_tokenizer),
        ("language model", _language_model),
        ("sampling", _sampling),
        ("flow", _flow),
        ("streaming flow", _streaming_flow),
        ("vocoder", _vocoder),
    )
    for name, compare in groups:
        with scratch_folder() as folder:
            try:
                # as in the engine: TensorFloat-32 alone is worth a thousandth of the result
                with torch.backends.cudnn.flags(
                    enabled=True, benchmark=False, deterministic=True, allow_tf32=False
                ):
                    yield from compare(device, folder)
            except (RuntimeError, OSError, GLMTTSError) as error:
                reason = f"{type(error).__name__}: {error}".partition("\n")[0]
                yield GoldenCheck(name, math.nan, 0.0, error=reason.replace(str(folder), "..."))


def _largest(found: Tensor, expected: Tensor) -> float:
    if found.shape != expected.shape:
        return math.inf
    return float((found.cpu() - expected).abs().max())


def _count_different(found: list[int], expected: list[int]) -> float:
    pairs = zip(found, expected, strict=False)
    return abs(len(found) - len(expected)) + sum(one != other for one, other in pairs)


def _text(_device: torch.device, _folder: Path) -> Iterator[GoldenCheck]:
    sentences = golden_sentences()
    different = sum(normalize_text(each.text) != each.normalized for each in sentences)
    yield GoldenCheck(
        f"normalised sentences of {len(sentences)}", different, _SENTENCES_ALLOWED, "different"
    )


def _features(_device: torch.device, _folder: Path) -> Iterator[GoldenCheck]:
    # features are made on the host, as the engine makes them
    held = golden("features").tensors
    for hz in (24_000, 32_000):
        mel = log_mel(held["wave"][0], hz).transpose(1, 2)
        yield GoldenCheck(f"mel, {hz // 1000} kHz", _largest(mel, held[f"mel_{hz}"]), 1e-4)
    # the FFT of another processor rounds the quietest bands' logarithms 1.2e-4 away
    bands = speaker_filterbank(held["wave_16k"][0])
    yield GoldenCheck("speaker filterbank", _largest(bands, held["fbank_16k"]), 2e-4)


def _speech_tokenizer(device: torch.device, folder: Path) -> Iterator[GoldenCheck]:
    reference = golden("speech_tokenizer")
    file = folder / "model.safetensors"
    save_file({f"model.encoder.{key}": each for key, each in reference.weights.items()}, file)
    config = SpeechTokenizerConfig(**reference.configuration["config"])
    network = load_speech_tokenizer(config, SafetensorsSource([file]), device=device)
    features, mask = reference.tensors["features"], reference.tensors["attention_mask"]
    found = network.tokens(features.to(device), mask.to(device))
    valid = mask[:, ::2][:, :: config.pooling_kernel_size].bool()
    expected = reference.tensors["token_ids"][valid].tolist()
    different = _count_different([each for item in found for each in item], expected)
    yield GoldenCheck(f"speech tokens of {len(expected)}", different, 0, "different")


def _language_model(device: torch.device, folder: Path) -> Iterator[GoldenCheck]:
    reference = golden("llm")
    held = {key: each[0].tolist() for key, each in reference.tensors.items()}
    file = folder / "model.safetensors"
    save_file(reference.weights, file)
    config = LlamaConfig(**reference.configuration["config"])
    network = load_llama(config, SafetensorsSource([file]), device=device, dtype=torch.float32)
    known = reference.configuration["special_token_ids"]
    ids = SpeechIds(known["ats"], known["ate"], known["boa"], known["eoa"])
    prompt = PromptEntry(tuple(held["prompt_text"]), tuple(held["prompt_speech_token"]))
    text = tuple(held["text"])
    speech = (ids.first_audio + code for code in prompt.speech)
    tokens = torch.tensor([*prompt.text, *text, ids.begin_audio, *speech], device=device)
    with torch.inference_mode():
        hidden = network.prefill(tokens, network.cache(len(tokens)), 0)
        logits = network.logits(hidden, 0, config.vocab_size - 1)
    yield GoldenCheck("logits", _largest(logits[None], reference.tensors["prefill_logits"]), 2e-4)
    spoken = LanguageModel(network, ids).speak(
        [prompt],
        text,
        seed=0,
        sampling=Sampling("topk", top_k=1),
        cancel=CancelToken(),
        bounds=SpeechBounds(2 * len(text), 5 * len(text)),
    )
    expected = held["greedy_tokens_audio_only"]
    different = _count_different(list(spoken.speech), expected)
    yield GoldenCheck(f"spoken tokens of {len(expected)}", different, 0, "different")


def _sampling(device: torch.device, _folder: Path) -> Iterator[GoldenCheck]:
    reference = golden("nucleus")
    rule, held = reference.configuration, reference.tensors
    different, largest = 0.0, 0.0
    cases = [key.removeprefix("logits_") for key in held if key.startswith("logits_")]
    for case in cases:
        chances = torch.softmax(held[f"logits_{case}"].to(device), dim=0)
        ids, weights = nucleus(chances, rule["top_k"], rule["top_p"])
        kept = weights > 0
        different += _count_different(ids[kept].tolist(), held[f"kept_{case}"].tolist())
        expected = held[f"prob_{case}"]
        found = weights[kept].cpu()
        if len(found) == len(expected):
            # the reference gives some of them before, some after bringing their sum to one
            scaled = found / found.sum() * expected.sum()
            largest = max(largest, _largest(scaled, expected))
    yield GoldenCheck(f"nucleus of {len(cases)} distributions", different, 0, "ids different")
    yield GoldenCheck("nucleus probabilities", largest, 1e-6)


def _load_golden_flow(
    device: torch.device, folder: Path, precision: Precision = "float32"
) -> tuple[Flow, dict[str, Tensor], FlowPrompt]:
    reference = golden("flow")
    file = folder / "flow.pt"
    torch.save({"model": reference.weights}, file)
    config = FlowConfig.from_mapping(reference.configuration["dit"])
    flow = load_flow(TorchSource(file), config, device=device, precision=precision)
    held = {key: each.to(device) for key, each in reference.tensors.items()}
    prompt = FlowPrompt(held["prompt_token"], held["prompt_feat"], held["embedding"])
    return flow, held, prompt


def _flow(device: torch.device, folder: Path) -> Iterator[GoldenCheck]:
    flow, held, prompt = _load_golden_flow(device, folder)
    expected = held["mel"].cpu()
    mel = flow.solve(held["token"], prompt, held["noise"])
    yield GoldenCheck("mel of the flow", _largest(mel, expected), 2e-4)
    if has_fast_bfloat16(device):
        flow, _, _ = _load_golden_flow(device, folder, "mixed")
        mel = flow.solve(held["token"], prompt, held["noise"]).cpu()
        ratio = float(expected.square().mean() / (mel - expected).square().mean())
        decibel = 10.0 * math.log10(ratio)
        yield GoldenCheck(
            "mel over the error of mixed precision", decibel, _MIXED_LEAST_DB, "dB", True
        )


def _streaming_flow(device: torch.device, folder: Path) -> Iterator[GoldenCheck]:
    reference = golden("block_masks")
    different = 0
    for case, (blocks, frames) in enumerate(reference.configuration["cases"]):
        mask = block_causal_mask(blocks, frames, device).cpu()
        different += int((mask != reference.tensors[f"mask_{case}"].bool()).sum())
    yield GoldenCheck("block masks", different, 0, "entries different")
    flow, held, prompt = _load_golden_flow(device, folder)
    streaming = golden("flow_streaming")
    cache, largest = StepCache(), 0.0
    lengths, overrides = streaming.tensors["lens"].tolist(), streaming.tensors["override"].tolist()
    for chunk, (length, fixed) in enumerate(zip(lengths, overrides, strict=True)):
        tokens = held["token"][:, :length]
        noise = held["noise"][:, : flow.noise_shape(prompt, tokens)[1]]
        blocks = streaming.configuration["block_pattern"]
        mel = generate_chunk(flow, tokens, prompt, noise, cache, block_tokens=blocks)
        largest = max(largest, _largest(mel, streaming.tensors[f"mel_{chunk}"]))
        cache.fixed_frames = fixed
    yield GoldenCheck(f"mel of {len(lengths)} growing chunks", largest, 2e-4)


def _vocoder(device: torch.device, folder: Path) -> Iterator[GoldenCheck]:
    reference = golden("hift")
    file = folder / "hift.pt"
    torch.save(reference.weights, file)
    hift = load_hift(TorchSource(file), device=device)
    held = {key: each.to(device) for key, each in reference.tensors.items()}
    with torch.inference_mode():
        pitch = hift.f0_predictor(held["mel"])
        source = hift.m_source(held["f0"], None)
        wave = hift.decode(held["mel"], held["source"])
    # of hundreds of Hz: units in the last place of float32 are larger than the usual 1e-4
    relative = _largest(pitch / held["f0"], torch.ones_like(reference.tensors["f0"]))
    yield GoldenCheck("pitch, relative", relative, 1e-5)
    expected = reference.tensors["harmonic_source"]
    yield GoldenCheck("harmonic source", _largest(source, expected), 1e-4)
    yield GoldenCheck("waveform", _largest(wave, reference.tensors["wav"]), 1e-4)
