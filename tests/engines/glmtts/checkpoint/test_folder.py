"""The official layout: where files lie, what is read as plain data, and all of it loads."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from glmtts_core.engines.glmtts.checkpoint.folder import Checkpoint, read_flow_config, read_json
from glmtts_core.engines.glmtts.networks.flow import load_flow
from glmtts_core.engines.glmtts.networks.flow_config import FlowConfig
from glmtts_core.engines.glmtts.networks.hift import load_hift
from glmtts_core.engines.glmtts.networks.llama import LlamaConfig
from glmtts_core.engines.glmtts.networks.llama_weights import load_llama
from glmtts_core.engines.glmtts.networks.speech_tokenizer import (
    load_speech_tokenizer,
)
from glmtts_core.engines.glmtts.networks.speech_tokenizer_config import (
    SpeechTokenizerConfig,
)
from glmtts_core.errors import CheckpointError
from tests.engines.glmtts.official_layout import CODES, VOCABULARY, write_checkpoint

CPU = torch.device("cpu")


def load_all(checkpoint: Checkpoint) -> list[torch.nn.Module]:
    """Build every network of ours from the files."""
    return [
        load_llama(
            LlamaConfig(**checkpoint.llm_config()),
            checkpoint.llm_source(),
            device=CPU,
            dtype=torch.float32,
        ),
        load_flow(
            checkpoint.flow_source(), FlowConfig.from_mapping(checkpoint.flow_config()), device=CPU
        ),
        load_hift(checkpoint.hift_source(), device=CPU),
        load_speech_tokenizer(
            SpeechTokenizerConfig(**checkpoint.speech_tokenizer_config()),
            checkpoint.speech_tokenizer_source(),
            device=CPU,
        ),
    ]


def test_every_network_loads_from_the_official_layout(tiny_checkpoint):
    for network in load_all(tiny_checkpoint):
        assert all(each.isfinite().all() for each in network.parameters())


def test_a_whole_checkpoint_is_there_and_speaks_at_both_rates(tiny_checkpoint):
    assert tiny_checkpoint.is_there()
    assert tiny_checkpoint.sample_rates_hz() == (24_000, 32_000)


def test_without_the_32_khz_vocoder_there_is_24_khz(tmp_path):
    checkpoint = write_checkpoint(tmp_path, vocos=False)
    assert checkpoint.is_there()
    assert checkpoint.sample_rates_hz() == (24_000,)


def test_without_any_vocoder_there_is_nothing_to_speak_with(own_checkpoint):
    own_checkpoint.hift_file.unlink()
    assert own_checkpoint.is_there()
    own_checkpoint.vocos_file.unlink()
    assert not own_checkpoint.is_there()


def test_an_empty_folder_is_no_checkpoint(tmp_path):
    assert not Checkpoint(tmp_path).is_there()
    assert not Checkpoint(tmp_path / "nowhere").is_there()


def test_every_needed_file_is_needed(own_checkpoint):
    for file in own_checkpoint.needed_files():
        content = file.read_bytes()
        file.unlink()
        assert not own_checkpoint.is_there(), file
        file.write_bytes(content)
    assert own_checkpoint.is_there()


def test_the_speaker_model_may_lie_beside_the_folder(tmp_path):
    checkpoint = write_checkpoint(tmp_path / "ckpt", speaker_beside=True)
    assert checkpoint.speaker_file == tmp_path / "frontend" / "campplus.onnx"
    assert checkpoint.is_there()


def test_inside_goes_before_beside(tmp_path):
    write_checkpoint(tmp_path / "ckpt", speaker_beside=True)
    checkpoint = write_checkpoint(tmp_path / "ckpt")
    assert checkpoint.speaker_file == tmp_path / "ckpt" / "frontend" / "campplus.onnx"


def test_a_shard_that_the_index_names_and_nobody_has_is_missed(own_checkpoint):
    shard = own_checkpoint.llm_folder / "model-00002-of-00002.safetensors"
    shard.unlink()
    assert not own_checkpoint.is_there()
    with pytest.raises(CheckpointError, match=r"00002-of-00002\.safetensors is missing"):
        own_checkpoint.llm_source()


def test_an_index_does_not_lead_out_of_its_folder(own_checkpoint):
    index = own_checkpoint.llm_folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"key": "../../secret.safetensors"}}))
    with pytest.raises(CheckpointError, match=r"llm/secret\.safetensors is missing"):
        own_checkpoint.llm_source()


def test_without_an_index_all_shards_of_the_folder_count(own_checkpoint):
    whole = own_checkpoint.llm_source().keys()
    (own_checkpoint.llm_folder / "model.safetensors.index.json").unlink()
    assert own_checkpoint.llm_source().keys() == whole


def test_weights_of_another_size_are_told_with_file_and_key(own_checkpoint):
    config = LlamaConfig(**own_checkpoint.llm_config())
    with pytest.raises(CheckpointError, match=r"llm/model-.*: the weight model\.embed_tokens"):
        load_llama(
            replace_vocabulary(config), own_checkpoint.llm_source(), device=CPU, dtype=torch.float32
        )


def replace_vocabulary(config: LlamaConfig) -> LlamaConfig:
    return config.model_copy(update={"vocab_size": VOCABULARY + 1})


def test_weights_with_another_key_are_told_with_file_and_key(own_checkpoint):
    weights = torch.load(own_checkpoint.hift_file, weights_only=True)
    weights["renamed"] = weights.pop("conv_post.bias")
    torch.save(weights, own_checkpoint.hift_file)
    with pytest.raises(CheckpointError, match=r"hift\.pt lacks the weight conv_post\.bias"):
        load_hift(own_checkpoint.hift_source(), device=CPU)


# -- configurations ----------------------------------------------------------------------------


def test_the_flows_configuration_is_what_stands_under_its_name(tiny_checkpoint):
    config = FlowConfig.from_mapping(tiny_checkpoint.flow_config())
    expected = FlowConfig(
        token_channels=32,
        vocabulary=CODES,
        token_blocks=2,
        width=64,
        blocks=2,
        heads=2,
        head_width=32,
    )
    assert config == replace(expected)


def test_a_flow_configuration_without_a_name_is_taken_whole(tmp_path):
    (tmp_path / "config.yaml").write_text("mel_dim: 80\nspkr_emb_adaLN: true\n")
    assert read_flow_config(tmp_path / "config.yaml") == {"mel_dim": 80, "spkr_emb_adaLN": True}


TAGS = """\
dim: 80
same: !ref <dim>
mel_dim: !ref <same>
circle: !ref <circle>
unknown: !ref <nothing>
made: !new:collections.OrderedDict
    a: 1
applied: !apply:builtins.list [[1, 2]]
named: !name:os.system
python: !!python/object/apply:os.system ["{command}"]
also: !apply:os.system ["{command}"]
also_new: !new:subprocess.Popen
    args: ["sh", "-c", "{command}"]
"""


def test_object_tags_are_plain_data_and_nothing_of_them_runs(tmp_path):
    trap = tmp_path / "trap"
    file = tmp_path / "config.yaml"
    file.write_text(TAGS.replace("{command}", f"touch {trap}"))
    config = read_flow_config(file)
    assert not trap.exists()
    assert (config["same"], config["mel_dim"]) == (80, 80)
    assert (config["circle"], config["unknown"]) == ("<circle>", "<nothing>")
    assert config["made"] == {"a": 1}
    assert config["applied"] == [[1, 2]]
    assert config["python"] == [f"touch {trap}"]


@pytest.mark.parametrize("content", ["a: [", "- 1\n", "", "a: &x [*x]\nb: {*x : 1}", "\x00"])
def test_a_damaged_flow_configuration_is_named(tmp_path, content):
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(CheckpointError, match=r"config\.yaml is damaged"):
        read_flow_config(tmp_path / "config.yaml")


@pytest.mark.parametrize("content", [b"{", b"[1]", b"", b"\xff\xfe"])
def test_a_damaged_json_file_is_named(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"config\.json is damaged"):
        read_json(tmp_path / "config.json")
