"""NetworkSet come when they are needed, and the ledger has each of them where it is."""

from __future__ import annotations

import pytest
import torch

from glmtts_core.engines.glmtts.checkpoint.network_loading import CheckpointNetworks
from glmtts_core.engines.glmtts.network_set import NetworkSet
from glmtts_core.engines.glmtts.network_source import MAIN_NETWORKS, NetworkName
from glmtts_core.engines.glmtts.precision import Precisions
from glmtts_core.engines.glmtts.rehearsal import OFFICIAL_SIZE, RehearsalNetworks
from glmtts_core.errors import OutOfMemoryError
from glmtts_core.memory.ledger import Ledger, LedgerKind
from tests.engines.glmtts.tiny_engine import TINY_SIZE

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")

CPU = torch.device("cpu")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def networks(ledger) -> NetworkSet:
    return NetworkSet(RehearsalNetworks(TINY_SIZE), CPU, ledger)


def kinds(ledger: Ledger) -> dict[str, LedgerKind]:
    return {each.name: each.kind for each in ledger.snapshot().entries}


def test_nothing_is_in_memory_before_it_is_needed(networks, ledger):
    assert not networks.held
    networks.flow()
    assert kinds(ledger) == {NetworkName.FLOW: LedgerKind.WEIGHTS}


def test_a_network_is_loaded_once(networks):
    assert networks.hift() is networks.hift()
    assert networks.language_model() is networks.language_model()


def test_what_is_not_in_use_is_spare_until_it_is_used_again(networks, ledger):
    networks.hift()
    assert kinds(ledger)[NetworkName.HIFT] is LedgerKind.SPARE_WEIGHTS
    networks.use((*MAIN_NETWORKS, NetworkName.HIFT))
    assert kinds(ledger)[NetworkName.HIFT] is LedgerKind.WEIGHTS
    networks.use(MAIN_NETWORKS)
    networks.flow()
    networks.drop_spare()
    assert kinds(ledger) == {NetworkName.FLOW: LedgerKind.WEIGHTS}


def test_offloaded_networks_come_back_as_they_were(networks, ledger):
    networks.use((*MAIN_NETWORKS, NetworkName.VOCOS))
    networks.vocos()
    networks.speaker()
    model, flow = networks.language_model(), networks.flow()
    before = flow.state_dict()
    networks.offload()
    # what has no way to the host and back is read from its file again, which is small
    assert networks.held == set(MAIN_NETWORKS)
    assert networks.flow() is flow
    assert all(torch.equal(before[name], value) for name, value in flow.state_dict().items())
    assert networks.language_model().network is model.network
    assert set(kinds(ledger)) == set(MAIN_NETWORKS)


def test_dropping_everything_leaves_nothing_in_the_ledger(networks, ledger):
    networks.language_model()
    networks.speech_tokenizer()
    networks.drop_all()
    assert not networks.held
    assert not ledger.snapshot().entries


def test_in_8_bit_integers_the_language_model_is_promised_a_quarter_and_takes_it(ledger):
    parts = RehearsalNetworks(TINY_SIZE, Precisions(int8=True))
    whole = 4 * RehearsalNetworks(TINY_SIZE, Precisions(int8=True)).size_bytes(
        NetworkName.LANGUAGE_MODEL, CPU
    )
    networks = NetworkSet(parts, CPU, ledger)
    networks.language_model()
    held = ledger.snapshot().total_bytes()
    # norms and scales come on top, and weigh in a network as small as this
    assert parts.size_bytes(NetworkName.LANGUAGE_MODEL, CPU) < held < 0.5 * whole


@pytest.mark.parametrize(
    ("wanted", "dtype"), [("float32", torch.float32), ("mixed", torch.bfloat16)]
)
@pytest.mark.parametrize("official", [False, True])
def test_the_flow_is_in_the_precision_that_is_wanted(
    tiny_checkpoint, ledger, wanted, dtype, official
):
    precisions = Precisions(flow=wanted)
    parts = (
        CheckpointNetworks(tiny_checkpoint.root, precisions=precisions)
        if official
        else RehearsalNetworks(TINY_SIZE, precisions)
    )
    matrices = NetworkSet(parts, CPU, ledger).flow().estimator.transformer_blocks[0].attn
    assert matrices.to_qkv.weight.dtype == dtype


def test_the_official_sizes_are_those_of_the_official_checkpoint():
    parts = RehearsalNetworks(OFFICIAL_SIZE)
    sizes = {part: parts.size_bytes(part, CPU) for part in NetworkName}
    # two bytes a parameter where the processor has bfloat16
    assert sizes[NetworkName.LANGUAGE_MODEL] in (2 * 1_552_009_216, 4 * 1_552_009_216)
    assert sizes[NetworkName.SPEECH_TOKENIZER] == 4 * 364_090_880
    # the token table's rows beyond the 32768 speech tokens are not kept; 32 angles come on top
    assert sizes[NetworkName.FLOW] == 4 * (225_299_792 - 512 * (100_001 - 32_768) + 32)


def test_a_checkpoint_and_a_rehearsal_stand_side_by_side_in_the_ledger(networks, ledger):
    parts = RehearsalNetworks(TINY_SIZE)
    parts.engine_name = "GLM-TTS"
    others = NetworkSet(parts, CPU, ledger)
    networks.flow()
    one = ledger.snapshot().total_bytes()
    others.flow()
    assert ledger.snapshot().total_bytes() == 2 * one > 0
    networks.drop_all()
    assert ledger.snapshot().total_bytes() == one


def test_what_has_no_room_on_the_host_is_not_moved_there(networks, monkeypatch):
    networks.flow()
    monkeypatch.setattr("glmtts_core.engines.glmtts.network_set.free_bytes", lambda device: 10)
    with pytest.raises(OutOfMemoryError, match="Unload it instead"):
        networks.offload()
    assert not networks.offloaded
