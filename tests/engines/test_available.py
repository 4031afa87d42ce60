"""Which engines are on offer, and what is said where GLM-TTS is not."""

from __future__ import annotations

from pathlib import Path

from glmtts_core.engines.available import Offer, rehearsal_order
from glmtts_core.engines.available import engines_on_offer as engines_found_by
from glmtts_core.engines.host.inline import InlineHost
from glmtts_core.memory.ledger import Ledger, LedgerKind
from glmtts_core.settings import Settings
from tests.engines.glmtts.official_layout import write_checkpoint
from tests.scripted_engine import LoadOnly


def engines_on_offer(settings: Settings, device: str) -> Offer:
    return engines_found_by(settings, device, None, InlineHost.examine)


def names(settings: Settings) -> list[str]:
    offer = engines_on_offer(settings, "cpu")
    return [factory(settings, Ledger()).capabilities.engine for factory in offer.factories]


def test_without_a_checkpoint_the_built_in_voice_is_there_and_one_line_says_how_to_get_it(settings):
    bare = settings.model_copy(update={"ckpt": Path("nowhere")})
    assert names(bare) == ["Kokoro-82M"]
    lacking = engines_on_offer(bare, "cpu").lacking
    assert "python glmtts_inference.py download" in lacking.text("en")
    assert "python glmtts_inference.py download" in lacking.text("zh")


def test_a_whole_checkpoint_makes_glmtts_the_preferred_engine(settings, tmp_path):
    write_checkpoint(tmp_path / "ckpt")
    there = settings.model_copy(update={"ckpt": tmp_path / "ckpt"})
    assert names(there) == ["GLM-TTS", "Kokoro-82M"]
    assert engines_on_offer(there, "cpu").lacking is None


def test_a_checkpoint_that_lacks_a_file_is_not_offered_and_named(settings, tmp_path):
    write_checkpoint(tmp_path / "ckpt")
    (tmp_path / "ckpt" / "flow" / "flow.pt").unlink()
    there = settings.model_copy(update={"ckpt": tmp_path / "ckpt"})
    assert names(there) == ["Kokoro-82M"]
    assert "glmtts_inference.py check" in engines_on_offer(there, "cpu").lacking.text("en")


def test_a_damaged_index_is_told_in_one_sentence(settings, tmp_path):
    write_checkpoint(tmp_path / "ckpt")
    index = tmp_path / "ckpt" / "llm" / "model.safetensors.index.json"
    index.write_text("{", encoding="utf-8")
    there = settings.model_copy(update={"ckpt": tmp_path / "ckpt"})
    assert "model.safetensors.index.json" in engines_on_offer(there, "cpu").lacking.text("en")


def test_a_rehearsal_needs_no_file(settings):
    rehearsing = settings.model_copy(update={"rehearsal": True, "ckpt": Path("nowhere")})
    assert "rehearsal" in names(rehearsing)[0]


def test_a_rehearsal_can_be_had_besides_what_is_on_offer(settings):
    engine = rehearsal_order("cpu")(settings, Ledger())
    assert engine.capabilities.random_weights
    assert not engine.loaded


def test_8_bit_integers_reach_the_language_model(settings):
    wanted = settings.model_copy(update={"language_model_int8": True})
    sizes = [
        rehearsal_order("cpu")(each, Ledger()).capabilities.load_bytes
        for each in (settings, wanted)
    ]
    # two or four bytes a value become one
    assert sizes[0] - sizes[1] >= 1_552_009_216


def test_the_precision_that_is_wanted_reaches_the_flow(settings, tmp_path):
    write_checkpoint(tmp_path / "ckpt")
    weights = []
    for wanted in ("float32", "mixed"):
        there = settings.model_copy(update={"ckpt": tmp_path / "ckpt", "flow_precision": wanted})
        ledger = Ledger()
        engines_on_offer(there, "cpu").factories[0](there, ledger).load(LoadOnly())
        weights.append(ledger.snapshot().total_bytes(kinds={LedgerKind.WEIGHTS}))
    # in mixed precision the matrices take half
    assert weights[1] < weights[0]
