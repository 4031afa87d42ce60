"""The two arms of the GLM-TTS benchmark: ours and the plain baseline, over the same fixed request.

An arm builds its networks with random weights and speaks 20 text tokens after a prompt of 3 s, as
5 s of speech.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.glmtts_baseline import PlainFlow, PlainHift, PlainLlama, sample
from benchmarks.glmtts_meters import Outcome, Stopwatch
from glmtts_core.engines.base import CancelToken
from glmtts_core.engines.glmtts.checkpoint.weights import held_bytes
from glmtts_core.engines.glmtts.decoding import SpeechIds
from glmtts_core.engines.glmtts.networks.flow import (
    Flow,
    FlowPrompt,
    Precision,
    random_flow,
    rotary_frequencies,
)
from glmtts_core.engines.glmtts.networks.flow_config import FlowConfig
from glmtts_core.engines.glmtts.networks.hift import Hift, HiftConfig, random_hift
from glmtts_core.engines.glmtts.networks.int8_matrix import Int8Matrix, quantized
from glmtts_core.engines.glmtts.networks.language_model import (
    LanguageModel,
    PromptEntry,
    SpeechBounds,
)
from glmtts_core.engines.glmtts.networks.llama import OFFICIAL_LLAMA, Llama, LlamaConfig
from glmtts_core.engines.glmtts.networks.llama_weights import random_llama
from glmtts_core.engines.glmtts.networks.speech_tokenizer import (
    random_speech_tokenizer,
)
from glmtts_core.engines.glmtts.networks.speech_tokenizer_config import (
    OFFICIAL_SPEECH_TOKENIZER,
    SpeechTokenizerConfig,
)
from glmtts_core.engines.glmtts.precision import Precisions
from glmtts_core.engines.glmtts.sampling import Sampling

TEXT_TOKENS: Final = 20
PROMPT_S: Final = 3
SPEECH_S: Final = 5
_TOKENS_HZ: Final = 25
_MEL_HZ: Final = 50
PROMPT_TOKENS: Final = PROMPT_S * _TOKENS_HZ
SPEECH_TOKENS: Final = SPEECH_S * _TOKENS_HZ


@dataclass(frozen=True)
class Size:
    """The sizes of all networks."""

    llama: LlamaConfig
    ids: SpeechIds
    tokenizer: SpeechTokenizerConfig
    flow: FlowConfig
    hift: HiftConfig


SIZES: Final = {
    "full": Size(
        OFFICIAL_LLAMA,
        SpeechIds(first_audio=61_498, last_audio=94_265, begin_audio=59_260, end_audio=59_253),
        OFFICIAL_SPEECH_TOKENIZER,
        FlowConfig(),
        HiftConfig(),
    ),
    "tiny": Size(
        LlamaConfig(
            vocab_size=4096,
            hidden_size=256,
            intermediate_size=768,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            rms_norm_eps=1e-5,
        ),
        SpeechIds(first_audio=2048, last_audio=4095, begin_audio=1025, end_audio=1024),
        SpeechTokenizerConfig(
            d_model=160,
            encoder_attention_heads=4,
            encoder_ffn_dim=320,
            num_mel_bins=128,
            max_source_positions=1500,
            pooling_kernel_size=2,
            pooling_position=16,
            quantize_position=16,
            quantize_vocab_size=2048,
            quantize_causal_block_size=200,
        ),
        FlowConfig(token_channels=64, vocabulary=4096, width=128, blocks=4, heads=2),
        HiftConfig(channels=64, pitch_channels=64),
    ),
}


def run_ours(size: Size, watch: Stopwatch, *, int8: bool = False) -> None:
    """Measure our own networks, in the device's default precision or with 8-bit integers."""
    device, outcome = watch.device, watch.outcome
    with watch.stage("load"):
        tokenizer = random_speech_tokenizer(size.tokenizer, device=device, seed=1)
        precisions = Precisions(int8=int8)
        dtype = precisions.language_model_dtype(device)
        llama = random_llama(size.llama, device=device, dtype=dtype, seed=2)
        flow = random_flow(
            size.flow, device=device, precision=precisions.flow_precision(device), seed=3
        )
        hift = random_hift(size.hift, device=device, seed=4)
    outcome.weights_bytes = sum(held_bytes(each) for each in (tokenizer, llama, flow, hift))
    model = LanguageModel(llama, size.ids)
    with watch.stage("prompt"):
        codes = tokenizer.tokens(*tokenizer_inputs(size, device))[0]
    ticks: list[tuple[int, float]] = []
    with watch.stage("language model"):
        spoken = model.speak(
            [PromptEntry(tuple(range(1, TEXT_TOKENS + 1)), tuple(codes))],
            tuple(range(100, 100 + TEXT_TOKENS)),
            seed=5,
            sampling=Sampling(),
            cancel=CancelToken(),
            bounds=SpeechBounds(SPEECH_TOKENS - 1, SPEECH_TOKENS),
            on_token=lambda done, _: ticks.append((done, time.perf_counter())),
        )
    per_token = sum(held_bytes(layer) for layer in llama.layers)
    per_token += (size.ids.codes + 1) * llama.embed_tokens.weight[0].nbytes
    _note_decoding(outcome, ticks, per_token)
    generator = torch.Generator(device).manual_seed(6)
    speech = torch.tensor([spoken.speech], device=device)
    prompt = flow_prompt(size, codes, device)
    with watch.stage("flow"):
        mel = flow.generate(speech, prompt, generator)
    with watch.stage("vocoder"):
        hift.generate(mel, generator)


@torch.inference_mode()
def run_baseline(size: Size, watch: Stopwatch) -> None:
    """Measure the plain float32 network; the speech tokenizer is the same as ours."""
    device, outcome = watch.device, watch.outcome
    with watch.stage("load"):
        tokenizer = random_speech_tokenizer(size.tokenizer, device=device, seed=1)
        weights = {
            **random_weights(llama_shapes(size.llama), device),
            **random_weights(flow_shapes(size.flow), device),
            **random_weights(hift_shapes(size.hift), device),
        }
        weights["rotary_embed.inv_freq"] = rotary_frequencies(size.flow.head_width).to(device)
    outcome.weights_bytes = held_bytes(tokenizer) + sum(each.nbytes for each in weights.values())
    with watch.stage("prompt"):
        codes = tokenizer.tokens(*tokenizer_inputs(size, device))[0]
    of_llama = size.llama
    llama = PlainLlama(
        weights,
        of_llama.num_hidden_layers,
        of_llama.num_attention_heads,
        of_llama.num_key_value_heads,
    )
    ticks: list[tuple[int, float]] = []
    with watch.stage("language model"):
        spoken = _speak_plainly(llama, size.ids, codes, device, ticks)
    per_token = sum(value.nbytes for key, value in weights.items() if key.startswith("model."))
    _note_decoding(outcome, ticks, per_token)
    speech = [(each - size.ids.first_audio) % size.ids.codes for each in spoken]
    tokens = torch.tensor([codes + speech], device=device)
    prompt = flow_prompt(size, codes, device)
    flow = PlainFlow(weights, size.flow.blocks, size.flow.heads, size.flow.token_blocks)
    with watch.stage("flow"):
        frames = size.flow.frames(tokens.shape[1])
        noise = torch.randn(1, frames, size.flow.mel_bins, device=device)
        mel = flow.solve(tokens, prompt.mel, prompt.speaker, noise)
    with watch.stage("vocoder"):
        PlainHift(weights).generate(mel)


def _speak_plainly(
    llama: PlainLlama,
    ids: SpeechIds,
    codes: list[int],
    device: torch.device,
    ticks: list[tuple[int, float]],
) -> list[int]:
    text = [*range(1, TEXT_TOKENS + 1), *range(100, 100 + TEXT_TOKENS)]
    prompt = [*text, ids.begin_audio, *(ids.first_audio + code for code in codes)]
    cache: list[tuple[Tensor, Tensor]] = []
    fed = torch.tensor([prompt], device=device)
    spoken: list[int] = []
    while len(spoken) < SPEECH_TOKENS:
        logits = llama.logits(fed, cache)[0, -1]
        spoken.append(sample(logits, spoken, ids.end_audio, may_end=False))
        ticks.append((len(spoken), time.perf_counter()))
        fed = torch.tensor([[spoken[-1]]], device=device)
    return spoken


def _note_decoding(outcome: Outcome, ticks: list[tuple[int, float]], bytes_per_token: int) -> None:
    (first, first_s), (last, last_s) = ticks[0], ticks[-1]
    outcome.tokens_hz = (last - first) / (last_s - first_s)
    outcome.read_bytes_hz = outcome.tokens_hz * bytes_per_token


def tokenizer_inputs(size: Size, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return random features of the prompt (1, bins, frames) and their mask."""
    generator = torch.Generator().manual_seed(7)
    frames = 100 * PROMPT_S
    features = torch.randn(1, size.tokenizer.num_mel_bins, frames, generator=generator)
    return features.to(device), torch.ones(1, frames, dtype=torch.long, device=device)


def flow_prompt(size: Size, codes: list[int], device: torch.device) -> FlowPrompt:
    """Return the prompt of the flow, with a random mel and speaker."""
    generator = torch.Generator().manual_seed(8)
    mel = torch.randn(1, _MEL_HZ * PROMPT_S, size.flow.mel_bins, generator=generator) * 2 - 5
    speaker = torch.randn(1, 192, generator=generator)
    return FlowPrompt(torch.tensor([codes], device=device), mel.to(device), speaker.to(device))


def run_int8(size: Size, watch: Stopwatch) -> None:
    """Measure our own networks with the language model in 8-bit integers."""
    run_ours(size, watch, int8=True)


@torch.inference_mode()
def int8_error(size: Size, device: torch.device, steps: int = 32) -> dict[str, float]:
    """Return how far the logits of 8-bit integers are from those of float32, weights being equal.

    Both run over the prompt and then over the same random speech tokens.

    Returns:
        "power over error, dB" of all audio logits, "largest error, deviations" of the logits'
        spread, "same best token, share", and "divergence, nats" from float32's distribution.
    """
    whole = random_llama(size.llama, device=device, dtype=torch.float32, seed=2)
    small = Llama(size.llama, int8=True)
    float_state = whole.state_dict()
    for name, module in small.named_modules():
        if isinstance(module, Int8Matrix):
            module.weight, module.scale = quantized(float_state[f"{name}.weight"])
    small.load_state_dict({**small.state_dict(), **_vectors(float_state)})
    generator = torch.Generator().manual_seed(11)
    first = size.ids.first_audio
    prompt = torch.randint(first, first + size.ids.codes, (PROMPT_TOKENS,), generator=generator)
    fed = torch.randint(first, first + size.ids.codes, (steps, 1), generator=generator)
    expected, seen = (_audio_logits(each, size.ids, prompt, fed) for each in (whole, small))
    error = seen - expected
    spread = expected.std(dim=1, keepdim=True)
    divergence = functional.kl_div(
        seen.log_softmax(1), expected.log_softmax(1), reduction="batchmean", log_target=True
    )
    return {
        "power over error, dB": 10.0
        * math.log10(float(expected.square().mean() / error.square().mean())),
        "largest error, deviations": float((error.abs() / spread).max()),
        "same best token, share": float((seen.argmax(1) == expected.argmax(1)).float().mean()),
        "divergence, nats": float(divergence),
    }


def _vectors(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: each for name, each in state.items() if each.dim() == 1}


def _audio_logits(network: Llama, ids: SpeechIds, prompt: Tensor, fed: Tensor) -> Tensor:
    """Return the logits of all speech tokens after the prompt and after each token fed."""
    cache = network.cache(len(prompt) + len(fed))
    hidden = network.prefill(prompt, cache, 0)
    rows = [network.logits(hidden, ids.first_audio, ids.last_audio)]
    for index, token in enumerate(fed, start=len(prompt)):
        hidden = network.step(token, torch.tensor([index]), cache, index + 1)
        rows.append(network.logits(hidden, ids.first_audio, ids.last_audio))
    return torch.stack(rows)


def mixed_precision_error(size: Size, device: torch.device) -> tuple[float, dict[str, float]]:
    """Return the mel's power over the error of mixed precision in dB, and seconds by precision."""
    codes = list(range(PROMPT_TOKENS))
    prompt = flow_prompt(size, codes, device)
    speech = torch.tensor([codes[::-1]], device=device)
    mels: dict[Precision, Tensor] = {}
    watch = Stopwatch(device)
    precisions: tuple[Precision, ...] = ("float32", "mixed")
    for precision in precisions:
        # the same weights: those of float32, rounded where the other is asked for
        flow = rounded(random_flow(size.flow, device=device, seed=3), size.flow, precision)
        generator = torch.Generator(device).manual_seed(9)
        with watch.stage(precision):
            mels[precision] = flow.generate(speech, prompt, generator)
    power = mels["float32"].square().mean()
    error = (mels["mixed"] - mels["float32"]).square().mean()
    return 10.0 * math.log10(float(power / error)), watch.outcome.seconds


def rounded(flow: Flow, config: FlowConfig, precision: Precision) -> Flow:
    """Bring a float32 flow to ``precision``."""
    device = flow.estimator.proj_out.weight.device
    pattern = random_flow(config, device=torch.device("cpu"), precision=precision)
    kinds = {name: each.dtype for name, each in pattern.named_parameters()}
    for name, each in flow.named_parameters():
        each.data = each.data.to(device, kinds[name])
    return flow


def random_weights(
    shapes: Iterable[tuple[str, tuple[int, ...]]], device: torch.device
) -> dict[str, Tensor]:
    """Return uniform weights of variance 1 / fan-in; vectors are near one, biases near zero."""
    generator = torch.Generator(device).manual_seed(10)
    made: dict[str, Tensor] = {}
    for name, shape in shapes:
        bias = name.endswith(("bias", "beta"))
        vector = sum(length > 1 for length in shape) < 2
        fan_in = math.prod(shape) // shape[0]
        centre, width = (
            (0.0, 0.02) if bias else (1.0, 0.1) if vector else (0.0, (3 / fan_in) ** 0.5)
        )
        values = torch.empty(shape, device=device)
        made[name] = values.uniform_(centre - width, centre + width, generator=generator)
    return made


def llama_shapes(config: LlamaConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield name and shape of every weight of the official file."""
    hidden, inner = config.hidden_size, config.intermediate_size
    keys = config.num_key_value_heads * config.head_width
    yield "model.embed_tokens.weight", (config.vocab_size, hidden)
    yield "model.norm.weight", (hidden,)
    for layer in range(config.num_hidden_layers):
        name = f"model.layers.{layer}."
        yield f"{name}input_layernorm.weight", (hidden,)
        yield f"{name}post_attention_layernorm.weight", (hidden,)
        for part, rows in (("q", hidden), ("k", keys), ("v", keys), ("o", hidden)):
            yield f"{name}self_attn.{part}_proj.weight", (rows, hidden)
        yield f"{name}mlp.gate_proj.weight", (inner, hidden)
        yield f"{name}mlp.up_proj.weight", (inner, hidden)
        yield f"{name}mlp.down_proj.weight", (hidden, inner)


def flow_shapes(config: FlowConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield name and shape of every weight of the official file, without the prefix."""
    with torch.device("meta"):
        ours = Flow(config)
    for name, tensor in ours.estimator.named_parameters():
        shape = tuple(tensor.shape)
        if name.endswith("text_embed.weight"):
            shape = (config.vocabulary + 1, *shape[1:])
        if ".to_qkv." not in name:
            yield name, shape
            continue
        for part in ("to_q", "to_k", "to_v"):
            yield name.replace("to_qkv", part), (shape[0] // 3, *shape[1:])


def hift_shapes(config: HiftConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield name and shape of every weight of the official file."""
    with torch.device("meta"):
        ours = Hift(config)
    plain = ("source_downs.", "f0_predictor.classifier", "m_source.")
    for name, tensor in ours.named_parameters():
        shape = tuple(tensor.shape)
        if not name.endswith("weight") or name.startswith(plain):
            yield name, shape
            continue
        stem = name.removesuffix("weight") + "parametrizations.weight."
        yield f"{stem}original0", (shape[0], 1, 1)
        yield f"{stem}original1", shape
