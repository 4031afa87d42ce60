"""The language model equals the reference, repeats itself bit by bit, stops when told."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from glmtts_core.engines.base import CancelToken
from glmtts_core.engines.glmtts.checkpoint.weight_sources import MappedSource, SafetensorsSource
from glmtts_core.engines.glmtts.checkpoint.weights import held_bytes
from glmtts_core.engines.glmtts.decoding import SpeechIds
from glmtts_core.engines.glmtts.golden import Golden, golden
from glmtts_core.engines.glmtts.networks.language_model import (
    LanguageModel,
    PromptEntry,
    SpeechBounds,
)
from glmtts_core.engines.glmtts.networks.llama import Llama, LlamaConfig
from glmtts_core.engines.glmtts.networks.llama_weights import load_llama
from glmtts_core.engines.glmtts.sampling import Sampling
from glmtts_core.errors import CheckpointError, SynthesisCancelled, TextError

CPU = torch.device("cpu")
RAS = Sampling()
GREEDY = Sampling("topk", top_k=1)


@pytest.fixture(scope="module")
def vectors() -> Golden:
    return golden("llm")


@pytest.fixture(scope="module")
def config(vectors) -> LlamaConfig:
    # the file holds more than the sizes, as the official one does
    return LlamaConfig.model_validate_json(json.dumps(vectors.configuration["config"]))


@pytest.fixture(scope="module")
def network(vectors, config, tmp_path_factory) -> Llama:
    file = tmp_path_factory.mktemp("llm") / "model.safetensors"
    save_file(vectors.weights, file)
    return load_llama(config, SafetensorsSource([file]), device=CPU, dtype=torch.float32)


@pytest.fixture(scope="module")
def ids(vectors) -> SpeechIds:
    known = vectors.configuration["special_token_ids"]
    return SpeechIds(known["ats"], known["ate"], known["boa"], known["eoa"])


@pytest.fixture
def model(network, ids) -> LanguageModel:
    return LanguageModel(network, ids)


@pytest.fixture(scope="module")
def prompt(vectors) -> tuple[PromptEntry, ...]:
    tensors = vectors.tensors
    return (
        PromptEntry(
            tuple(tensors["prompt_text"][0].tolist()),
            tuple(tensors["prompt_speech_token"][0].tolist()),
        ),
    )


@pytest.fixture(scope="module")
def text(vectors) -> tuple[int, ...]:
    return tuple(vectors.tensors["text"][0].tolist())


def speak(model: LanguageModel, prompt, text, seed=0, sampling=RAS, **more):
    more.setdefault("cancel", CancelToken())
    return model.speak(prompt, text, seed=seed, sampling=sampling, **more)


def prompt_ids(prompt, text, ids: SpeechIds) -> torch.Tensor:
    (entry,) = prompt
    speech = [ids.first_audio + code for code in entry.speech]
    return torch.tensor([*entry.text, *text, ids.begin_audio, *speech])


@torch.inference_mode()
def test_all_logits_after_the_prompt_equal_the_reference(network, ids, vectors, prompt, text):
    tokens = prompt_ids(prompt, text, ids)
    hidden = network.prefill(tokens, network.cache(len(tokens)), 0)
    logits = network.logits(hidden, 0, network.config.vocab_size - 1)
    torch.testing.assert_close(logits, vectors.tensors["prefill_logits"][0], atol=2e-4, rtol=0)


@torch.inference_mode()
def test_greedy_tokens_over_the_whole_vocabulary_equal_the_reference(
    network, ids, vectors, prompt, text
):
    tokens = prompt_ids(prompt, text, ids)
    cache = network.cache(len(tokens) + 5 * len(text))
    hidden = network.prefill(tokens, cache, 0)
    drawn: list[int] = []
    while len(drawn) < 5 * len(text):
        logits = network.logits(hidden, 0, network.config.vocab_size - 1)
        if len(drawn) < 2 * len(text):
            logits[ids.end_audio] = -torch.inf
        token = logits.argmax()[None]
        if int(token) == ids.end_audio:
            break
        drawn.append(int(token) - ids.first_audio)
        position = torch.tensor([len(tokens) + len(drawn) - 1])
        hidden = network.step(token, position, cache, int(position) + 1)
    assert drawn == vectors.tensors["greedy_tokens"][0].tolist()


def test_spoken_tokens_equal_the_reference(model, vectors, prompt, text):
    bounds = SpeechBounds(2 * len(text), 5 * len(text))
    spoken = speak(model, prompt, text, sampling=GREEDY, bounds=bounds)
    assert list(spoken.speech) == vectors.tensors["greedy_tokens_audio_only"][0].tolist()


def test_a_captured_step_speaks_the_same(network, ids, model, prompt, text):
    captured = LanguageModel(network, ids, capture=lambda step: step)
    assert speak(captured, prompt, text) == speak(model, prompt, text)


def test_where_capturing_fails_speech_is_the_same_and_the_reason_is_kept(
    network, ids, model, prompt, text
):
    def fail(step):
        step()
        raise RuntimeError("operation not permitted when stream is capturing\nsecond line")

    fallen_back = LanguageModel(network, ids, capture=fail)
    assert speak(fallen_back, prompt, text) == speak(model, prompt, text)
    assert fallen_back.message is not None
    assert "not permitted when stream is capturing)" in fallen_back.message.text("en")
    fallen_back.drop_workspace()
    assert fallen_back.message is not None


def test_running_out_of_memory_while_capturing_is_not_taken_for_a_failed_capture(
    network, ids, prompt, text
):
    def fail(step):
        raise torch.OutOfMemoryError("no memory")

    with pytest.raises(torch.OutOfMemoryError):
        speak(LanguageModel(network, ids, capture=fail), prompt, text)


@pytest.mark.parametrize("method", ["ras", "topk"])
def test_the_same_seed_gives_the_same_tokens_and_another_one_others(model, prompt, text, method):
    sampling = Sampling(method)
    one = speak(model, prompt, text, seed=1, sampling=sampling)
    assert speak(model, prompt, text, seed=2, sampling=sampling) != one
    model.drop_workspace()
    assert speak(model, prompt, text, seed=1, sampling=sampling) == one


def test_speech_is_as_long_as_the_reference_allows(model, prompt, text):
    lengths = {len(speak(model, prompt, text, seed=seed).speech) for seed in range(8)}
    assert min(lengths) >= 2 * len(text)
    assert max(lengths) <= 20 * len(text)


def test_every_token_is_a_speech_token(model, ids, prompt, text):
    speech = speak(model, prompt, text, seed=3).speech
    assert all(0 <= code < ids.codes for code in speech)


def test_a_single_id_and_an_empty_prompt_can_be_spoken(model, text):
    assert 2 <= len(speak(model, (), text[:1]).speech) <= 20


@pytest.mark.parametrize("entries", [1, 3])
def test_kept_keys_and_values_save_time_and_change_no_token(model, prompt, text, entries):
    spoken = (*prompt, PromptEntry(text[:4], (1, 2, 3)), PromptEntry(text[3:], (5, 6)))[:entries]
    first = speak(model, spoken, text, seed=4, keep_prefix=True)
    assert first.prefix is not None
    again = speak(model, spoken, text, seed=4, keep_prefix=True, prefix=first.prefix)
    assert again.speech == first.speech
    assert torch.equal(again.prefix.keys_values, first.prefix.keys_values)
    longer = (*spoken, PromptEntry(text, first.speech))
    plain = speak(model, longer, text[2:], seed=4, keep_prefix=True)
    reused = speak(model, longer, text[2:], seed=4, keep_prefix=True, prefix=first.prefix)
    assert reused.speech == plain.speech
    assert torch.equal(reused.prefix.keys_values, plain.prefix.keys_values)


def test_keys_and_values_of_another_prompt_are_not_taken(model, prompt, text):
    other = (dataclasses.replace(prompt[0], text=prompt[0].text[::-1]),)
    foreign = speak(model, other, text, keep_prefix=True).prefix
    plain = speak(model, prompt, text, keep_prefix=True)
    assert speak(model, prompt, text, keep_prefix=True, prefix=foreign).speech == plain.speech


def test_a_prompt_in_passes_speaks_as_in_one(model, prompt, text):
    whole = speak(model, prompt, text, sampling=GREEDY)
    assert speak(model, prompt, text, sampling=GREEDY, keep_prefix=True).speech == whole.speech


def test_a_stop_is_honoured_within_one_token(model, prompt, text):
    cancel, seen = CancelToken(), []

    def on_token(done: int, bound: int) -> None:
        seen.append((done, bound))
        if done == 5:
            cancel.cancel()

    with pytest.raises(SynthesisCancelled):
        speak(model, prompt, text, cancel=cancel, on_token=on_token)
    assert seen == [(done, 20 * len(text)) for done in range(1, 6)]


def test_a_stop_is_honoured_while_the_prompt_is_taken_in(model, prompt, text):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(SynthesisCancelled):
        speak(model, prompt, text, cancel=cancel)


def test_in_bfloat16_speech_repeats_itself_too(vectors, config, ids, prompt, text):
    source = MappedSource(vectors.weights)
    network = load_llama(config, source, device=CPU, dtype=torch.bfloat16)
    assert held_bytes(network) == sum(each.numel() for each in vectors.weights.values()) * 2
    one = speak(LanguageModel(network, ids), prompt, text, seed=3)
    assert speak(LanguageModel(network, ids), prompt, text, seed=3) == one
    assert len(one.speech) >= 2 * len(text)


@pytest.fixture(scope="module")
def integers(vectors, config) -> Llama:
    return load_llama(config, MappedSource(vectors.weights), device=CPU, dtype=torch.int8)


def test_in_8_bit_integers_the_logits_are_near_and_the_matrices_take_a_byte_a_value(
    network, integers, ids, text
):
    rows = [
        each.logits(each.prefill(torch.tensor(text), each.cache(64), 0), ids.first_audio, 170)
        for each in (network, integers)
    ]
    error = (rows[1] - rows[0]).square().mean()
    assert 10 * torch.log10(rows[0].square().mean() / error) > 25.0
    matrices = sum(each.numel() for each in network.parameters() if each.dim() == 2)
    assert matrices < held_bytes(integers) < 0.4 * held_bytes(network)


def test_in_8_bit_integers_speech_repeats_itself_and_the_prefix_only_saves_time(
    integers, ids, prompt, text
):
    model = LanguageModel(integers, ids)
    one = speak(model, prompt, text, seed=3, keep_prefix=True)
    assert len(one.speech) >= 2 * len(text)
    again = speak(LanguageModel(integers, ids), prompt, text, seed=3, keep_prefix=True)
    assert again.speech == one.speech
    restored = speak(model, prompt, text, seed=3, keep_prefix=True, prefix=one.prefix)
    assert restored.speech == one.speech


@pytest.mark.parametrize("key", ["model.norm.weight", "model.layers.0.mlp.down_proj.weight"])
def test_in_8_bit_integers_a_missing_weight_is_named_too(vectors, config, key):
    weights = {name: each for name, each in vectors.weights.items() if name != key}
    with pytest.raises(CheckpointError, match=key.replace(".", r"\.")):
        load_llama(config, MappedSource(weights), device=CPU, dtype=torch.int8)


def test_a_prompt_beyond_the_last_position_is_refused_in_one_sentence(model, text):
    with pytest.raises(TextError, match="more than the model can take in"):
        speak(model, (PromptEntry(text, (1,) * 600),), text)


def test_the_workspace_is_counted_to_the_byte_and_dropped(model, network, prompt, text):
    speak(model, prompt, text)
    config = network.config
    positions = 256
    cache = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_width * 4
    rotary = 2 * config.head_width * 4
    numbers = 2 * 8 + 8
    state = 8 * 10 + 4 * 97 + 3 * 8 + 8 * 10
    assert model.workspace_bytes == positions * (cache + rotary + numbers) + state
    model.drop_workspace()
    assert model.workspace_bytes == 0


def test_room_for_later_sentences_is_made_at_once(model, prompt, text):
    speak(model, prompt, text, positions=300)
    bytes_before = model.workspace_bytes
    speak(model, prompt, text[:3], positions=300)
    assert model.workspace_bytes == bytes_before


def test_weights_are_held_once_without_a_separate_head(network):
    elements = sum(tensor.numel() for tensor in golden("llm").weights.values())
    assert held_bytes(network) == 4 * elements


@pytest.mark.parametrize("change", ["missing", "shape"])
def test_a_wrong_projection_names_file_and_key(vectors, config, tmp_path: Path, change):
    key = "model.layers.1.self_attn.k_proj.weight"
    weights = dict(vectors.weights)
    if change == "missing":
        del weights[key]
    else:
        weights[key] = weights[key][:-1].clone()
    file = tmp_path / "model.safetensors"
    save_file(weights, file)
    with pytest.raises(CheckpointError) as error:
        load_llama(config, SafetensorsSource([file]), device=CPU, dtype=torch.float32)
    assert key in str(error.value)
    assert str(file) in str(error.value)


def test_in_8_bit_integers_the_largest_logits_are_not_rounded_to_bfloat16(integers, ids, text):
    hidden = 40 * integers.prefill(torch.tensor(text), integers.cache(64), 0)
    logits = integers.logits(hidden, ids.first_audio, ids.last_audio)
    rows = integers.embed_tokens.rows_of(torch.arange(ids.first_audio, ids.last_audio + 1))
    best = logits.topk(25).indices
    torch.testing.assert_close(logits[best], (rows @ hidden[0])[best])
    assert not torch.equal(logits[best], logits[best].bfloat16().float())
