"""Weights come lazily, checked, one at a time, into the dtype wanted; what is wrong is named."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from glmtts_core.engines.glmtts.checkpoint.weight_sources import (
    MappedSource,
    SafetensorsSource,
    TorchSource,
)
from glmtts_core.engines.glmtts.checkpoint.weights import fill, fill_random, held_bytes
from glmtts_core.errors import CheckpointError

CPU = torch.device("cpu")


class Tied(nn.Module):
    """An embedding that is the head too, a norm, a saved table and an unsaved one."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(10, 4)
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 10, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("table", torch.zeros(3))
        self.register_buffer("count", torch.zeros(2, dtype=torch.int64))
        self.register_buffer("unsaved", torch.zeros(5), persistent=False)


WEIGHTS = {
    "embedding.weight": torch.arange(40.0).reshape(10, 4),
    "norm.weight": torch.full((4,), 1.001),
    "norm.bias": torch.zeros(4),
    "table": torch.ones(3),
    "count": torch.tensor([1, 2**40]),
}
COMPUTED = {"unsaved": lambda _: torch.full((5,), 7.0)}


def on_meta() -> Tied:
    with torch.device("meta"):
        return Tied()


def filled(source=None, dtype=torch.float32, **options) -> Tied:
    module = on_meta()
    options = {"computed": COMPUTED, **options}
    fill(module, source or MappedSource(WEIGHTS), device=CPU, dtype=dtype, **options)
    return module


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    keys = sorted(WEIGHTS)
    files = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    for file, part in zip(files, (keys[:2], keys[2:]), strict=True):
        save_file({key: WEIGHTS[key] for key in part}, file)
    return files


@pytest.fixture
def torch_file(tmp_path: Path) -> Path:
    torch.save(WEIGHTS, tmp_path / "weights.pt")
    return tmp_path / "weights.pt"


# -- fill --------------------------------------------------------------------------------------


def test_every_parameter_and_buffer_gets_its_tensor():
    module = filled()
    for key, tensor in WEIGHTS.items():
        assert torch.equal(
            module.get_buffer(key) if "." not in key else dict(module.named_parameters())[key],
            tensor,
        )
    assert torch.equal(module.unsaved, torch.full((5,), 7.0))


def test_floats_take_the_dtype_wanted_and_whole_numbers_keep_theirs():
    module = filled(dtype=torch.bfloat16)
    assert module.embedding.weight.dtype == module.unsaved.dtype == torch.bfloat16
    assert torch.equal(module.count, WEIGHTS["count"])


def test_what_must_stay_in_float32_does():
    module = filled(dtype=torch.bfloat16, keep_float32=lambda name: name.startswith("norm."))
    assert torch.equal(module.norm.weight, WEIGHTS["norm.weight"])
    assert module.embedding.weight.dtype == torch.bfloat16


def test_nothing_wants_gradients():
    assert not any(parameter.requires_grad for parameter in filled().parameters())


def test_tied_parameters_stay_one_tensor_under_either_name():
    module = filled()
    assert module.head.weight is module.embedding.weight
    module = filled_by_head()
    assert module.head.weight is module.embedding.weight
    assert torch.equal(module.head.weight, WEIGHTS["embedding.weight"])


def filled_by_head() -> Tied:
    renamed = dict(WEIGHTS)
    renamed["head.weight"] = renamed.pop("embedding.weight")
    return filled(MappedSource(renamed))


def test_names_are_translated_for_the_file():
    prefixed = MappedSource({f"model.{key}": tensor for key, tensor in WEIGHTS.items()})
    module = filled(prefixed, name=lambda parameter: f"model.{parameter}")
    assert torch.equal(module.table, WEIGHTS["table"])


def test_the_source_is_copied_not_shared():
    source = MappedSource({key: tensor.clone() for key, tensor in WEIGHTS.items()})
    module = filled(source)
    source.read("table").zero_()
    assert torch.equal(module.table, torch.ones(3))


def test_bytes_are_told_tensor_by_tensor_and_in_all():
    told: list[int] = []
    module = on_meta()
    fill(
        module,
        MappedSource(WEIGHTS),
        device=CPU,
        dtype=torch.bfloat16,
        computed=COMPUTED,
        on_bytes=told.append,
    )
    assert sum(told) == held_bytes(module) == 2 * (40 + 4 + 4 + 3 + 5) + 8 * 2


def test_a_module_on_meta_holds_nothing():
    assert held_bytes(on_meta()) == 0


def test_keys_that_nothing_asks_for_are_left_alone():
    filled(MappedSource({**WEIGHTS, "other": torch.ones(1)}))


def test_a_missing_key_is_told_with_its_file():
    without = {key: tensor for key, tensor in WEIGHTS.items() if key != "norm.bias"}
    with pytest.raises(CheckpointError, match=r"some\.pt lacks the weight norm\.bias"):
        filled(MappedSource(without, Path("some.pt")))


def test_a_wrong_shape_is_told_with_both_shapes():
    wrong = MappedSource({**WEIGHTS, "table": torch.ones(4)}, Path("some.pt"))
    with pytest.raises(CheckpointError, match=r"some\.pt: the weight table .*\[4\], expected \[3"):
        filled(wrong)


def test_a_buffer_that_no_file_holds_must_be_computed():
    with pytest.raises(ValueError, match="unsaved"):
        filled(computed={})


# -- fill_random -------------------------------------------------------------------------------


def random_module(seed: int = 1, dtype: torch.dtype = torch.float32) -> Tied:
    module = on_meta()
    buffers = {"table": 3, "unsaved": 5}
    made = {name: lambda size=size: torch.ones(size) for name, size in buffers.items()}
    made["count"] = lambda: torch.tensor([1, 2])
    fill_random(module, device=CPU, dtype=dtype, seed=seed, computed=made)
    return module


def test_random_weights_are_the_same_for_the_same_seed():
    assert torch.equal(random_module().head.weight, random_module().head.weight)
    assert not torch.equal(random_module().head.weight, random_module(seed=2).head.weight)


def test_random_weights_have_a_sane_scale():
    with torch.device("meta"):
        layers = nn.Sequential(nn.Linear(512, 512), nn.LayerNorm(512), nn.Conv1d(512, 64, 3))
    fill_random(layers, device=CPU, dtype=torch.float32, seed=1)
    assert float(layers[0].weight.std()) == pytest.approx(512**-0.5, rel=0.05)
    assert float(layers[2].weight.std()) == pytest.approx((3 * 512) ** -0.5, rel=0.05)
    assert float((layers[1].weight - 1).abs().max()) < 0.2
    assert float(layers[0].bias.abs().max()) < 0.1


def test_random_weights_leave_the_global_generator_alone():
    before = torch.random.get_rng_state()
    random_module()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_buffer_is_never_random():
    module = on_meta()
    with pytest.raises(ValueError, match="has no value"):
        fill_random(module, device=CPU, dtype=torch.float32, seed=1)


# -- files -------------------------------------------------------------------------------------


def test_shards_are_one_source(shards):
    source = SafetensorsSource(shards)
    assert source.keys() == WEIGHTS.keys()
    assert all(source.shape(key) == tuple(WEIGHTS[key].shape) for key in WEIGHTS)
    assert all(source.dtype(key) == WEIGHTS[key].dtype for key in WEIGHTS)
    assert {source.where(key) for key in WEIGHTS} == set(shards)
    assert torch.equal(filled(source).embedding.weight, WEIGHTS["embedding.weight"])


@pytest.mark.parametrize("wrap", [dict, lambda weights: {"model": weights, "step": 3}])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_torch_file_holds_the_tensors_bare_or_as_model(tmp_path, wrap, zipped):
    file = tmp_path / "weights.pt"
    torch.save(wrap(WEIGHTS), file, _use_new_zipfile_serialization=zipped)
    source = TorchSource(file)
    assert source.keys() == WEIGHTS.keys()
    assert torch.equal(filled(source).table, WEIGHTS["table"])


def test_a_missing_file_is_named(tmp_path):
    for make in (lambda file: SafetensorsSource([file]), TorchSource):
        with pytest.raises(CheckpointError, match="gone is missing"):
            make(tmp_path / "gone")


def test_a_git_lfs_pointer_is_told_as_one(tmp_path):
    file = tmp_path / "weights"
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    for make in (lambda file: SafetensorsSource([file]), TorchSource):
        with pytest.raises(CheckpointError, match="only a Git LFS pointer"):
            make(file)


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"nonsense", b"\x80\x02"])
def test_a_file_of_something_else_is_told_as_damaged(tmp_path, content):
    (tmp_path / "weights").write_bytes(content)
    for make in (lambda file: SafetensorsSource([file]), TorchSource):
        with pytest.raises(CheckpointError, match="weights is damaged"):
            make(tmp_path / "weights")


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_truncated_file_is_named(shards, torch_file, kept):
    for file, make in (
        (shards[1], lambda file: SafetensorsSource(shards)),
        (torch_file, TorchSource),
    ):
        file.write_bytes(file.read_bytes()[:kept])
        with pytest.raises(CheckpointError, match=f"{file.name} is damaged"):
            make(file)


def test_the_same_key_in_two_files_is_told(shards, tmp_path):
    again = tmp_path / "again.safetensors"
    save_file({"table": torch.ones(3)}, again)
    with pytest.raises(CheckpointError, match="The weight table stands both in"):
        SafetensorsSource([*shards, again])


class Bomb:
    """Writes a file where it is unpickled."""

    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self):
        return Path.touch, (self.trap,)


@pytest.mark.parametrize(
    "save", [torch.save, lambda value, file: file.write_bytes(pickle.dumps(value, 2))]
)
def test_a_file_that_brings_code_is_refused_and_the_code_not_run(tmp_path, save):
    file, trap = tmp_path / "weights.pt", tmp_path / "trap"
    save({"model": WEIGHTS, "extra": Bomb(trap)}, file)
    with pytest.raises(CheckpointError, match="it holds code"):
        TorchSource(file)
    assert not trap.exists()


@pytest.mark.parametrize("content", [[1, 2], {}, {"model": {}}, {"a": 1}])
def test_a_file_without_weights_by_name_is_told(tmp_path, content):
    torch.save(content, tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="holds no weights by name"):
        TorchSource(tmp_path / "weights.pt")


# -- memory ------------------------------------------------------------------------------------

MEASURE = """
import resource, sys, threading, torch
from pathlib import Path
from torch import nn
from glmtts_core.engines.glmtts.checkpoint.weight_sources import SafetensorsSource, TorchSource
from glmtts_core.engines.glmtts.checkpoint.weights import fill, held_bytes

def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))

torch.ones(10).bfloat16().sum()
alive = []  # what is freed could be used again, and hide a copy
for file in map(Path, sys.argv[1:]):
    with torch.device("meta"):
        module = nn.Sequential(*(nn.Linear(1024, 1024, bias=False) for _ in range(32)))
    source = TorchSource(file) if file.suffix == ".pt" else SafetensorsSource([file])
    before, peak = anonymous(), 0

    def look(_):
        global peak
        peak = max(peak, anonymous() - before)

    fill(module, source, device=torch.device("cpu"), dtype=torch.bfloat16, on_bytes=look)
    alive.append(module)
    print(held_bytes(module), peak)
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="RssAnon is Linux's")
def test_loading_takes_no_second_copy_of_the_weights(tmp_path):
    weights = {f"{number}.weight": torch.ones(1024, 1024) for number in range(32)}
    files = (tmp_path / "big.pt", tmp_path / "big.safetensors")
    torch.save(weights, files[0])
    save_file(weights, files[1])
    # in one child: importing PyTorch takes longer than all the rest
    told = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    lines = told.stdout.splitlines()
    assert len(lines) == len(files)
    for line in lines:
        held, peak = map(int, line.split())
        assert held == 32 * 1024 * 1024 * 2
        assert peak < 1.25 * held
