"""PyTorch has the last word on a GPU that the driver proposed."""

from __future__ import annotations

from contextlib import closing

import pytest
import torch

from glmtts_core.engines.glmtts.device_check import ConfirmedDevice, confirm_device
from glmtts_core.errors import EngineError, OutOfMemoryError
from glmtts_core.studio.jobs import JobState
from glmtts_core.studio.studio import Studio
from tests.engines.glmtts.tiny_engine import TINY_SIZE
from tests.scripted_engine import ScriptedEngine
from tests.speaking import ANNA
from tests.waiting import BOUND_S

GPU = torch.device("cuda:0")
CPU = torch.device("cpu")
DRIVER_TOO_OLD = RuntimeError(
    "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU "
    "driver by downloading and installing a new version.\nOr go to another page."
)


def failing(error: BaseException):
    def compute(device: torch.device) -> None:
        raise error

    return compute


def test_a_gpu_that_computes_is_confirmed():
    assert confirm_device(GPU, "auto", lambda device: None) == ConfirmedDevice(GPU)


def test_the_cpu_is_not_tried():
    assert confirm_device(CPU, "auto", failing(AssertionError())) == ConfirmedDevice(CPU)


@pytest.mark.parametrize(
    "error",
    [
        DRIVER_TOO_OLD,
        AssertionError("Torch not compiled with CUDA enabled"),
        RuntimeError("CUDA error: no kernel image is available for execution on the device\nmore"),
        RuntimeError("No CUDA GPUs are available"),
        OSError("/dev/nvidia0: Permission denied"),
        RuntimeError(),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_with_auto_the_cpu_stands_in_and_one_sentence_says_why(error, language):
    confirmed = confirm_device(GPU, "auto", failing(error))
    assert confirmed.device == CPU
    sentence = confirmed.message.text(language)
    assert len(sentence.splitlines()) == 1
    assert "GLM-TTS" in sentence
    assert "Please" not in sentence


@pytest.mark.parametrize("setting", ["cuda", "cuda:0"])
def test_a_gpu_asked_for_by_name_is_an_error(setting):
    with pytest.raises(EngineError, match=f"GLMTTS_DEVICE={setting} asks for a GPU"):
        confirm_device(GPU, setting, failing(DRIVER_TOO_OLD))


@pytest.mark.parametrize("setting", ["auto", "cuda"])
def test_a_gpu_that_is_full_can_be_used(setting):
    with pytest.raises(OutOfMemoryError):
        confirm_device(GPU, setting, failing(torch.OutOfMemoryError("CUDA out of memory.")))


# -- in the studio -----------------------------------------------------------------------------

needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="here PyTorch can use the GPU")


def glmtts_on_gpu(settings, ledger):
    from glmtts_core.engines.glmtts.engine import GlmTtsEngine
    from glmtts_core.engines.glmtts.rehearsal import RehearsalNetworks

    return GlmTtsEngine(settings, ledger, "cuda:0", RehearsalNetworks(TINY_SIZE))


@needs_no_gpu
def test_memory_is_accounted_for_on_the_cpu_from_the_loading_on(settings):
    auto = settings.model_copy(update={"device": "auto"})
    with closing(Studio(auto, glmtts_on_gpu, ScriptedEngine)) as studio:
        assert studio.engine.capabilities.device == "cuda:0"
        assert studio.engine.messages == ()
        job = studio.load(ANNA)
        assert job.wait(BOUND_S)
        assert job.view().state is JobState.DONE
        assert studio.engine.capabilities.device == "cpu"
        assert studio.engines.main_device == "cpu"
        (message,) = studio.engine.messages
        assert message.key.startswith("glmtts.cpu_")
        # what is kept on the host is what a cleanup there gives back
        assert studio.monitor.latest().allocated_bytes is None
        assert studio.monitor.latest().weights_on_device_bytes == 0


@needs_no_gpu
def test_a_gpu_asked_for_by_name_fails_the_loading_and_leaves_the_others(settings):
    # with any setting but auto the proposal is binding
    with closing(Studio(settings, glmtts_on_gpu, ScriptedEngine)) as studio:
        refused = studio.load(ANNA)
        assert refused.wait(BOUND_S)
        assert "asks for a GPU" in str(refused.view().error)
        other = studio.load(ANNA, "Scripted")
        assert other.wait(BOUND_S)
        assert other.view().state is JobState.DONE
