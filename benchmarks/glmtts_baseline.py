"""GLM-TTS written straight from its specification, in plain float32, as a measure for ours.

Every step recomputes what the formula names: two flow passes a step, logits of all positions over
the whole vocabulary, a cache that grows by concatenation, weight norms at every call.
``python -m benchmarks.glmtts_baseline`` compares it with the golden vectors.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from glmtts_core.engines.glmtts.golden import golden

Weights = Mapping[str, Tensor]


def linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    """Apply the linear layer ``name``."""
    return functional.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))


@dataclass
class PlainLlama:
    """The language model; weights under the official names."""

    weights: Weights
    layers: int
    heads: int
    kv_heads: int

    def logits(self, ids: Tensor, cache: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Return the logits (1, tokens, vocabulary) of ids (1, tokens) behind ``cache``."""
        start = cache[0][0].shape[2] if cache else 0
        x = functional.embedding(ids, self.weights["model.embed_tokens.weight"])
        for layer in range(self.layers):
            x = self._layer(f"model.layers.{layer}.", x, start, cache, layer)
        x = self._norm("model.norm", x)
        return functional.linear(x, self.weights["model.embed_tokens.weight"])

    def _layer(
        self, name: str, x: Tensor, start: int, cache: list[tuple[Tensor, Tensor]], layer: int
    ) -> Tensor:
        y = self._norm(f"{name}input_layernorm", x)
        query, key, value = (
            linear(self.weights, f"{name}self_attn.{part}_proj", y)
            .unflatten(2, (heads, -1))
            .transpose(1, 2)
            for part, heads in (("q", self.heads), ("k", self.kv_heads), ("v", self.kv_heads))
        )
        query, key = self._rotate(query, start), self._rotate(key, start)
        if len(cache) > layer:
            key = torch.cat((cache[layer][0], key), dim=2)
            value = torch.cat((cache[layer][1], value), dim=2)
            cache[layer] = (key, value)
        else:
            cache.append((key, value))
        groups = self.heads // self.kv_heads
        attended = functional.scaled_dot_product_attention(
            query,
            key.repeat_interleave(groups, dim=1),
            value.repeat_interleave(groups, dim=1),
            is_causal=query.shape[2] > 1,
        )
        x = x + linear(self.weights, f"{name}self_attn.o_proj", attended.transpose(1, 2).flatten(2))
        y = self._norm(f"{name}post_attention_layernorm", x)
        gate = functional.silu(linear(self.weights, f"{name}mlp.gate_proj", y))
        up = linear(self.weights, f"{name}mlp.up_proj", y)
        return x + linear(self.weights, f"{name}mlp.down_proj", gate * up)

    def _norm(self, name: str, x: Tensor) -> Tensor:
        return functional.rms_norm(x, x.shape[-1:], self.weights[f"{name}.weight"], 1e-5)

    @staticmethod
    def _rotate(heads: Tensor, start: int) -> Tensor:
        width = heads.shape[3]
        rates = 10_000.0 ** -(torch.arange(0, width, 2, device=heads.device).float() / width)
        places = torch.arange(start, start + heads.shape[2], device=heads.device).float()
        angles = torch.outer(places, rates).repeat(1, 2)
        first, second = heads.chunk(2, dim=3)
        return heads * angles.cos() + torch.cat((-second, first), dim=3) * angles.sin()


def sample(logits: Tensor, spoken: list[int], end: int, may_end: bool) -> int:
    """Draw by the repetition-aware rule over the whole vocabulary, sorted as a whole."""
    scores = functional.log_softmax(logits, dim=0)
    if not may_end:
        scores[end] = -math.inf
    chances = scores.softmax(dim=0)
    ordered, ids = chances.sort(descending=True, stable=True)
    kept: list[float] = []
    mass = 0.0
    for each in ordered:
        if mass >= 0.8 or len(kept) == 25:
            break
        kept.append(float(each))
        mass += kept[-1]
    drawn = int(ids[torch.multinomial(torch.tensor(kept), 1)])
    if drawn in spoken[-10:]:
        drawn = int(torch.multinomial(chances, 1))
    return drawn


@dataclass
class PlainFlow:
    """The flow; weights under the official names."""

    weights: Weights
    blocks: int
    heads: int
    token_blocks: int

    def solve(self, tokens: Tensor, prompt_mel: Tensor, speaker: Tensor, noise: Tensor) -> Tensor:
        """Return the mel (1, mel, M) of all tokens, the prompt's first, without its frames."""
        known = torch.zeros_like(noise)
        frames = min(prompt_mel.shape[1], noise.shape[1])
        known[:, :frames] = prompt_mel[:, prompt_mel.shape[1] - frames :]
        speaker = functional.normalize(speaker, dim=1)
        times = 1 - torch.cos(torch.linspace(0, 1, 11) * 0.5 * math.pi)
        x, time, width = noise, times[0], times[1] - times[0]
        for step in range(1, 11):
            guided = self.velocity(x, known, tokens, time, speaker)
            free = self.velocity(x, known * 0, tokens, time, speaker * 0)
            x = x + width.to(x.device) * (1.7 * guided - 0.7 * free)
            time = time + width
            if step < 10:
                width = times[step + 1] - time
        return x[:, prompt_mel.shape[1] :].transpose(1, 2)

    def velocity(
        self, x: Tensor, known: Tensor, tokens: Tensor, time: Tensor, speaker: Tensor
    ) -> Tensor:
        """Run the network once."""
        weights = {key.removeprefix("estimator."): value for key, value in self.weights.items()}
        frames = x.shape[1]
        condition = functional.silu(torch.cat((self._time(weights, time), speaker), dim=1))
        inputs = torch.cat((x, known, self._text(weights, tokens, frames)), dim=2)
        y = linear(weights, "emb_concator.proj", inputs)
        placed = y.transpose(1, 2)
        for layer in (0, 2):
            name = f"emb_concator.conv_pos_embed.conv1d.{layer}"
            placed = functional.mish(
                functional.conv1d(
                    placed,
                    weights[f"{name}.weight"],
                    weights[f"{name}.bias"],
                    padding=15,
                    groups=16,
                )
            )
        y = y + placed.transpose(1, 2)
        padding = torch.ones(1, frames, dtype=torch.bool, device=x.device)
        for block in range(self.blocks):
            y = self._block(weights, f"transformer_blocks.{block}.", y, condition, padding)
        scale, shift = linear(weights, "norm_out.linear", condition).unsqueeze(1).chunk(2, dim=2)
        y = functional.layer_norm(y, y.shape[2:], eps=1e-6) * (1 + scale) + shift
        return linear(weights, "proj_out", y)

    @staticmethod
    def _time(weights: Weights, time: Tensor) -> Tensor:
        device = weights["proj_out.weight"].device
        rates = torch.exp(torch.arange(128, device=device).float() * (-math.log(10_000) / 127))
        angles = 1000 * time.to(device) * rates
        features = torch.cat((angles.sin(), angles.cos())).unsqueeze(0)
        hidden = functional.silu(linear(weights, "time_embed.time_mlp.0", features))
        return linear(weights, "time_embed.time_mlp.2", hidden)

    def _text(self, weights: Weights, tokens: Tensor, frames: int) -> Tensor:
        index = torch.arange(frames, device=tokens.device) * tokens.shape[1] // frames
        y = functional.embedding(tokens[:, index], weights["text_emb_layer.text_embed.weight"])
        half = torch.arange(0, y.shape[2], 2, device=y.device).float() / y.shape[2]
        angles = torch.outer(torch.arange(frames, device=y.device).float(), 10_000.0**-half)
        y = y + torch.cat((angles.cos(), angles.sin()), dim=1)
        for block in range(self.token_blocks):
            name = f"text_emb_layer.text_blocks.{block}"
            kernel, bias = weights[f"{name}.dwconv.weight"], weights[f"{name}.dwconv.bias"]
            z = functional.conv1d(y.transpose(1, 2), kernel, bias, padding=3, groups=y.shape[2])
            norm = weights[f"{name}.norm.weight"], weights[f"{name}.norm.bias"]
            z = functional.layer_norm(z.transpose(1, 2), y.shape[2:], *norm, eps=1e-6)
            z = functional.gelu(linear(weights, f"{name}.pwconv1", z))
            energy = z.norm(dim=1, keepdim=True)
            relative = energy / (energy.mean(dim=2, keepdim=True) + 1e-6)
            gamma, beta = weights[f"{name}.grn.gamma"], weights[f"{name}.grn.beta"]
            y = y + linear(weights, f"{name}.pwconv2", gamma * z * relative + beta + z)
        return y

    def _block(
        self, weights: Weights, name: str, x: Tensor, condition: Tensor, padding: Tensor
    ) -> Tensor:
        modulation = linear(weights, f"{name}attn_norm.linear", condition).unsqueeze(1)
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = modulation.chunk(6, dim=2)
        y = functional.layer_norm(x, x.shape[2:], eps=1e-6) * (1 + scale_a) + shift_a
        query, key, value = (linear(weights, f"{name}attn.to_{part}", y) for part in "qkv")
        rates = weights["rotary_embed.inv_freq"]
        query, key = self._rotate(query, rates), self._rotate(key, rates)
        query, key, value = (
            each.unflatten(2, (self.heads, -1)).transpose(1, 2) for each in (query, key, value)
        )
        mask = padding[:, None, None].expand(-1, self.heads, x.shape[1], -1)
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        y = linear(weights, f"{name}attn.to_out.0", attended.transpose(1, 2).flatten(2))
        x = x + gate_a * y.masked_fill(~padding.unsqueeze(2), 0.0)
        y = functional.layer_norm(x, x.shape[2:], eps=1e-6) * (1 + scale_m) + shift_m
        y = functional.gelu(linear(weights, f"{name}ff.ff.0.0", y), approximate="tanh")
        return x + gate_m * linear(weights, f"{name}ff.ff.2", y)

    @staticmethod
    def _rotate(x: Tensor, rates: Tensor) -> Tensor:
        angles = torch.outer(torch.arange(x.shape[1], device=x.device).float(), rates)
        angles = angles.repeat_interleave(2, dim=1)
        turned, rest = x.split((angles.shape[1], x.shape[2] - angles.shape[1]), dim=2)
        pairs = turned.unflatten(2, (-1, 2))
        crossed = torch.stack((-pairs[..., 1], pairs[..., 0]), dim=-1).flatten(2)
        return torch.cat((turned * angles.cos() + crossed * angles.sin(), rest), dim=2)


@dataclass
class PlainHift:
    """The 24 kHz vocoder; weights under the official names, norms not folded."""

    weights: Weights

    def generate(self, mel: Tensor) -> Tensor:
        """Return the samples (1, 480 · M) of a mel (1, mel, M)."""
        return self.decode(mel, self._source(self.pitch(mel)))

    def pitch(self, mel: Tensor) -> Tensor:
        """Return the pitch (1, M) in Hz."""
        x = mel
        for layer in (0, 2, 4, 6, 8):
            x = functional.elu(self._conv(f"f0_predictor.condnet.{layer}", x, padding=1))
        return linear(self.weights, "f0_predictor.classifier", x.transpose(1, 2)).squeeze(2).abs()

    def _source(self, pitch: Tensor) -> Tensor:
        pitch = pitch.repeat_interleave(480, dim=1).unsqueeze(2)
        harmonics = torch.arange(1, 10, device=pitch.device)
        turns = (pitch * harmonics / 24_000 % 1).transpose(1, 2)
        torch.rand(1, 9, device=pitch.device)
        slow = functional.interpolate(turns, scale_factor=1 / 480, mode="linear")
        angles = functional.interpolate(
            slow.cumsum(dim=2) * 2 * math.pi * 480, scale_factor=480.0, mode="linear"
        )
        sines = 0.1 * angles.sin().transpose(1, 2)
        voiced = (pitch > 10).float()
        level = voiced * 0.003 + (1 - voiced) * 0.1 / 3
        sines = sines * voiced + level * torch.randn_like(sines)
        torch.randn_like(pitch)
        return torch.tanh(linear(self.weights, "m_source.l_linear", sines)).transpose(1, 2)

    def decode(self, mel: Tensor, source: Tensor) -> Tensor:
        """Return the samples of a mel with a given source (1, 1, 480 · M)."""
        window = torch.hann_window(16, device=mel.device)
        spectrum = torch.stft(source.squeeze(1), 16, 4, window=window, return_complex=True)
        spectrum = torch.cat((spectrum.real, spectrum.imag), dim=1)
        x = self._conv("conv_pre", mel, padding=3)
        for stage, (stride, source_stride) in enumerate(((8, 15), (5, 3), (3, 1))):
            x = functional.leaky_relu(x, 0.1)
            name = f"ups.{stage}"
            kernel = self._weight(name)
            padding = (kernel.shape[2] - stride) // 2
            bias = self.weights[f"{name}.bias"]
            x = functional.conv_transpose1d(x, kernel, bias, stride, padding)
            if stage == 2:
                x = functional.pad(x, (1, 0), mode="reflect")
            down = self._conv(
                f"source_downs.{stage}", spectrum, stride=source_stride, padding=source_stride // 2
            )
            x = x + self._resblock(f"source_resblocks.{stage}", down)
            blocks = [self._resblock(f"resblocks.{3 * stage + each}", x) for each in range(3)]
            x = sum(blocks[1:], blocks[0]) / 3
        x = self._conv("conv_post", functional.leaky_relu(x), padding=3)
        magnitude, phase = x[:, :9].exp().clip(max=100), x[:, 9:].sin()
        complex_spectrum = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())
        return torch.istft(complex_spectrum, 16, 4, window=window).clamp(-0.99, 0.99)

    def _resblock(self, name: str, x: Tensor) -> Tensor:
        for layer, dilation in enumerate((1, 3, 5)):
            y = self._snake(f"{name}.activations1.{layer}", x)
            kernel = self._weight(f"{name}.convs1.{layer}").shape[2]
            padding = dilation * (kernel - 1) // 2
            y = self._conv(f"{name}.convs1.{layer}", y, padding=padding, dilation=dilation)
            y = self._snake(f"{name}.activations2.{layer}", y)
            x = x + self._conv(f"{name}.convs2.{layer}", y, padding=(kernel - 1) // 2)
        return x

    def _snake(self, name: str, x: Tensor) -> Tensor:
        alpha = self.weights[f"{name}.alpha"].view(1, -1, 1)
        return x + (1 / (alpha + 1e-9)) * torch.sin(x * alpha) ** 2

    def _conv(
        self, name: str, x: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> Tensor:
        bias = self.weights[f"{name}.bias"]
        return functional.conv1d(x, self._weight(name), bias, stride, padding, dilation)

    def _weight(self, name: str) -> Tensor:
        plain = self.weights.get(f"{name}.weight")
        if plain is not None:
            return plain
        lengths = self.weights[f"{name}.parametrizations.weight.original0"]
        directions = self.weights[f"{name}.parametrizations.weight.original1"]
        norms: Tensor = directions.norm(dim=(1, 2), keepdim=True)
        return lengths * directions / norms


def main() -> None:
    """Print how far the plain network is from the golden vectors."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print("largest difference from the golden vectors")
    with torch.inference_mode():
        reference = golden("llm")
        sizes, held = reference.configuration["config"], reference.tensors
        ids = reference.configuration["special_token_ids"]
        llama = PlainLlama(
            reference.weights,
            sizes["num_hidden_layers"],
            sizes["num_attention_heads"],
            sizes["num_key_value_heads"],
        )
        opening = torch.tensor([[ids["boa"]]])
        speech = held["prompt_speech_token"] + ids["ats"]
        prompt = torch.cat((held["prompt_text"], held["text"], opening, speech), dim=1)
        logits = llama.logits(prompt, [])[:, -1]
        print(f"  logits    {float((logits - held['prefill_logits']).abs().max()):.1e}")
        reference = golden("flow")
        sizes, held = reference.configuration["dit"], reference.tensors
        flow = PlainFlow(reference.weights, sizes["depth"], sizes["heads"], sizes["conv_layers"])
        tokens = torch.cat((held["prompt_token"], held["token"]), dim=1)
        mel = flow.solve(tokens, held["prompt_feat"], held["embedding"], held["noise"])
        print(f"  mel       {float((mel - held['mel']).abs().max()):.1e}")
        reference = golden("hift")
        held = reference.tensors
        wave = PlainHift(reference.weights).decode(held["mel"], held["source"])
        print(f"  waveform  {float((wave - held['wav']).abs().max()):.1e}")


if __name__ == "__main__":
    main()
