"""The speech tokenizer gives the reference's tokens, and padding and later blocks change none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from glmtts_core.engines.glmtts.checkpoint.weight_sources import SafetensorsSource
from glmtts_core.engines.glmtts.checkpoint.weights import held_bytes
from glmtts_core.engines.glmtts.golden import Golden, golden
from glmtts_core.engines.glmtts.networks.speech_tokenizer import (
    SpeechTokenizer,
    block_causal_mask,
    load_speech_tokenizer,
)
from glmtts_core.engines.glmtts.networks.speech_tokenizer_config import (
    SpeechTokenizerConfig,
    speech_tokenizer_config,
)
from glmtts_core.errors import CheckpointError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def vectors() -> Golden:
    return golden("speech_tokenizer")


@pytest.fixture(scope="module")
def source(vectors, tmp_path_factory) -> SafetensorsSource:
    file = tmp_path_factory.mktemp("speech_tokenizer") / "model.safetensors"
    save_file({f"model.encoder.{key}": value for key, value in vectors.weights.items()}, file)
    return SafetensorsSource([file])


@pytest.fixture(scope="module")
def network(vectors, source) -> SpeechTokenizer:
    config = SpeechTokenizerConfig(**vectors.configuration["config"])
    return load_speech_tokenizer(config, source, device=CPU)


def valid(vectors: Golden) -> torch.Tensor:
    return vectors.tensors["attention_mask"][:, ::4].bool()


def test_tokens_equal_the_reference(network, vectors):
    tensors = vectors.tensors
    expected = [
        ids[there].tolist() for ids, there in zip(tensors["token_ids"], valid(vectors), strict=True)
    ]
    assert network.tokens(tensors["features"], tensors["attention_mask"]) == expected


def test_the_codes_found_equal_the_hidden_states_of_the_reference(network, vectors):
    tensors = vectors.tensors
    ids = network.nearest_codes(network.encode(tensors["features"], tensors["attention_mask"]))
    # behind the codebook the reference adds its second positions
    positions = vectors.weights["embed_positions2.weight"][: ids.shape[1]]
    there = valid(vectors)
    torch.testing.assert_close(
        (network.codebook(ids) + positions)[there], tensors["hidden"][there], atol=2e-4, rtol=0
    )


def test_an_item_alone_gives_the_tokens_that_it_gives_in_a_batch(network, vectors):
    features, mask = vectors.tensors["features"], vectors.tensors["attention_mask"]
    together = network.tokens(features, mask)
    frames = int(mask[1].sum())
    assert network.tokens(features[1:, :, :frames], mask[1:, :frames]) == together[1:]


def test_tokens_of_a_block_do_not_depend_on_later_blocks(network, vectors):
    features, mask = vectors.tensors["features"][:1], vectors.tensors["attention_mask"][:1]
    changed = features.clone()
    # a block is 40 frames of 50 Hz, and convolution reaches a frame over its border
    changed[:, :, 170:] += 3.0
    assert network.tokens(changed, mask)[0][:20] == network.tokens(features, mask)[0][:20]


def test_a_query_sees_what_came_before_its_own_block_and_nothing_of_the_padding():
    visible = block_causal_mask(torch.tensor([[1, 1, 1, 1, 1, 0]]), 2)[0, 0] == 0
    assert visible.int().tolist() == [
        [1, 1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 0],
        [1, 1, 1, 1, 1, 0],
    ]


def test_only_what_tokens_need_is_held(network, vectors):
    behind = {"layers.3.", "embed_positions2.", "ema_", "layer_norm."}
    needed = [
        tensor
        for key, tensor in vectors.weights.items()
        if not any(key.startswith(prefix) for prefix in behind)
    ]
    assert held_bytes(network) == sum(tensor.nbytes for tensor in needed)


def test_a_missing_weight_names_file_and_key(vectors, source):
    config = SpeechTokenizerConfig(**vectors.configuration["config"] | {"quantize_position": 4})
    with pytest.raises(CheckpointError, match=r"model\.encoder\.layers\.3\.") as error:
        load_speech_tokenizer(config, source, device=CPU)
    assert "model.safetensors" in str(error.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"quantize_position": "16"}, "quantize_position"), ({"d_model": None}, "d_model")],
)
def test_a_size_that_is_no_number_names_file_and_size(vectors, change, reason):
    with pytest.raises(CheckpointError, match=reason) as error:
        speech_tokenizer_config(vectors.configuration["config"] | change, Path("config.json"))
    assert "config.json" in str(error.value)


@pytest.mark.parametrize("name", ["d_model", "quantize_vocab_size"])
def test_a_size_that_is_missing_is_named(vectors, name):
    sizes = {key: value for key, value in vectors.configuration["config"].items() if key != name}
    with pytest.raises(CheckpointError, match=f"{name}: missing"):
        speech_tokenizer_config(sizes, Path("config.json"))


def test_what_else_is_in_the_file_does_not_matter(vectors):
    sizes = vectors.configuration["config"]
    more = {**sizes, "torch_dtype": "nonsense", "architectures": 5, "id2label": 7}
    found = speech_tokenizer_config(more, Path("config.json"))
    assert (found.d_model, found.quantize_position) == (
        sizes["d_model"],
        sizes["quantize_position"],
    )
