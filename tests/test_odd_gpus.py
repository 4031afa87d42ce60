"""The whole program on machines whose driver is old or whose GPU cannot be used.

Real processes with the real pynvml and PyTorch, a stand-in driver, and a tiny checkpoint in the
official layout. PyTorch finds no CUDA driver here: NVML sees a GPU that PyTorch cannot use.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from glmtts_core.settings import PREFIX
from tests.engines.glmtts.official_layout import write_checkpoint
from tests.nvml import (
    CUDA_MARK_VARIABLE,
    DRIVER_MISMATCH,
    MARK_VARIABLE,
    V3_PROCESSES,
    StubDevice,
    build_cuda_stub,
    build_nvml_stub,
    c_compiler,
    stub_environment,
    write_nvml_state,
)
from tests.speaking import voice_wav

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[1]
#: Seconds in which a command must have ended; on an idle machine the longest takes ten.
COMMAND_S = 180.0
OLDEST = ("nvmlInitWithFlags",)
NO_FIGURES = (
    *V3_PROCESSES,
    "nvmlDeviceGetMemoryInfo",
    "nvmlDeviceGetUUID",
    "nvmlDeviceGetName",
    "nvmlSystemGetDriverVersion",
    "nvmlShutdown",
)
#: A process in which a module cannot be imported.
WITHOUT_TORCH = "raise OSError('libcudart.so.13: cannot open shared object file')\n"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny checkpoint and a recording, made once."""
    if c_compiler() is None:
        pytest.skip("the stubs need a C compiler (cc, gcc or clang)")
    folder = tmp_path_factory.mktemp("odd-gpus")
    write_checkpoint(folder / "ckpt")
    (folder / "voice.wav").write_bytes(voice_wav())
    return folder


@pytest.fixture
def run(shared: Path, model_cache: Path, tmp_path: Path) -> Run:
    """Run a module or program of ours with a stand-in driver that reports one GPU."""

    def run_one(
        *command: str, missing: tuple[str, ...] = (), init_code: int = 0, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        (drivers := tmp_path / "drivers").mkdir(exist_ok=True)
        build_cuda_stub(drivers)
        library = build_nvml_stub(drivers, missing)
        state = tmp_path / "nvml-state.txt"
        write_nvml_state(state, [StubDevice()], init_code)
        inherited = stub_environment(library, state)
        clean = {name: each for name, each in inherited.items() if not name.startswith(PREFIX)}
        clean.pop("CUDA_VISIBLE_DEVICES", None)
        ours = {
            "LANG": "en_GB.UTF-8",
            "LC_ALL": "",
            "GLMTTS_OUTPUT_DIR": str(tmp_path / "outputs"),
            "GLMTTS_CACHE_DIR": str(model_cache),
            "GLMTTS_THREADS": "1",
            MARK_VARIABLE: str(tmp_path / "nvml-was-loaded"),
            CUDA_MARK_VARIABLE: str(tmp_path / "cuda-was-loaded"),
        }
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**clean, **ours, **variables},
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
        )

    return run_one


def built_in(tmp_path: Path, *options: str) -> list[str]:
    """The command line that has the built-in voice speak."""
    out = str(tmp_path / "built-in.wav")
    return ["glmtts_inference.py", "say", "Hi.", "--out", out, "--engine", "Kokoro-82M", *options]


def cloned(shared: Path, tmp_path: Path, *options: str) -> list[str]:
    """The command line that has GLM-TTS speak."""
    recording = ["--reference", str(shared / "voice.wav"), "--reference-text", "yes"]
    out = str(tmp_path / "cloned.wav")
    say = ["glmtts_inference.py", "say", "Hi.", "--out", out, "--engine", "GLM-TTS"]
    return [*say, *recording, *options]


def free_port_check() -> list[str]:
    return ["-m", "tests.start_check_child"]


# -- old drivers -------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda"])
@pytest.mark.parametrize("missing", [V3_PROCESSES, NO_FIGURES])
def test_a_start_goes_on_with_a_driver_that_lacks_functions(run, missing, device):
    checked = run(*free_port_check(), missing=missing, GLMTTS_DEVICE=device)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize(("device", "code"), [("auto", 0), ("cpu", 0), ("cuda", 1)])
def test_a_start_with_the_oldest_driver_ends_in_a_sentence_at_most(run, device, code):
    checked = run(*free_port_check(), missing=OLDEST, GLMTTS_DEVICE=device)
    assert checked.returncode == code
    assert len(checked.stderr.splitlines()) == code
    assert ("too old" in checked.stderr) == bool(code)


@pytest.mark.parametrize("missing", [V3_PROCESSES, OLDEST])
def test_the_built_in_voice_speaks_with_an_old_driver(run, tmp_path, missing):
    said = run(*built_in(tmp_path), missing=missing)
    assert (said.returncode, said.stderr) == (0, "")
    assert (tmp_path / "built-in.wav").stat().st_size > 1000


def test_the_self_check_passes_with_an_old_driver(run):
    checked = run("glmtts_inference.py", "doctor", "--cpu", missing=V3_PROCESSES)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Traceback" not in checked.stderr


# -- only the CPU ------------------------------------------------------------------------------


def marks(tmp_path: Path) -> set[str]:
    return {path.name for path in tmp_path.glob("*-was-loaded")}


def test_with_cpu_no_driver_is_loaded(run, tmp_path):
    said = run(*built_in(tmp_path, "--cpu"))
    assert (said.returncode, said.stderr) == (0, "")
    assert marks(tmp_path) == set()


def test_without_cpu_the_marks_are_left(run, tmp_path):
    assert run(*free_port_check()).returncode == 0
    assert marks(tmp_path) == {"nvml-was-loaded"}


def test_with_cpu_nothing_of_a_driver_is_mapped_by_what_tells_about_the_machine(run, tmp_path):
    program = (
        "from pathlib import Path\n"
        "from glmtts_core.settings import load_settings\n"
        "from glmtts_core.studio.studio import Studio\n"
        "from glmtts_core.diagnostics.environment import environment\n"
        "from glmtts_core.diagnostics.environment_report import report\n"
        "from glmtts_core.diagnostics.machine_facts import machine_facts\n"
        "studio = Studio(load_settings())\n"
        "told = report(environment(studio), 'en')\n"
        "machine_facts(studio)\n"
        "studio.close()\n"
        "maps = Path('/proc/self/maps').read_text()\n"
        "print([name for name in ('libcuda.so', 'libnvidia-ml') if name in maps])\n"
        "print('told to use the CPU only' in told)\n"
    )
    looked = run("-c", program, GLMTTS_DEVICE="cpu")
    assert looked.stdout.splitlines() == ["[]", "True"], looked.stderr
    assert marks(tmp_path) == set()


def test_with_cpu_glmtts_leaves_nvml_alone_and_has_nothing_to_explain(run, shared, tmp_path):
    ckpt = str(shared / "ckpt")
    said = run(*cloned(shared, tmp_path, "--cpu"), GLMTTS_CKPT=ckpt)
    assert (said.returncode, said.stderr) == (0, "")
    # libcuda comes with a PyTorch that is built with CUDA: its cuBLAS loads it by itself
    assert marks(tmp_path) <= {"cuda-was-loaded"}


# -- GPUs that cannot be used ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        # every form is tried in memory/test_visible_devices.py; here a process costs seconds
        (None, "PyTorch"),
        ("MIG-5c12", "PyTorch"),
        ("7", 'CUDA_VISIBLE_DEVICES="7"'),
    ],
)
def test_glmtts_speaks_on_the_cpu_and_says_why_in_one_sentence(
    run, shared, tmp_path, setting, reason
):
    variables = {} if setting is None else {"CUDA_VISIBLE_DEVICES": setting}
    said = run(*cloned(shared, tmp_path), GLMTTS_CKPT=str(shared / "ckpt"), **variables)
    assert said.returncode == 0, said.stderr
    (line,) = said.stderr.splitlines()
    assert line.startswith("GLM-TTS computes on the CPU because ")
    assert reason in line
    assert (tmp_path / "cloned.wav").stat().st_size > 1000


def test_a_driver_that_does_not_answer_is_the_reason_too(run, shared, tmp_path):
    ckpt = str(shared / "ckpt")
    said = run(*cloned(shared, tmp_path), init_code=DRIVER_MISMATCH, GLMTTS_CKPT=ckpt)
    assert said.returncode == 0, said.stderr
    (line,) = said.stderr.splitlines()
    assert "NVIDIA driver does not tell" in line


@pytest.mark.parametrize("setting", ["-1", "MIG-5c12"])
def test_the_built_in_voice_has_nothing_to_do_with_gpus(run, shared, tmp_path, setting):
    ckpt = str(shared / "ckpt")
    said = run(*built_in(tmp_path), GLMTTS_CKPT=ckpt, CUDA_VISIBLE_DEVICES=setting)
    assert (said.returncode, said.stderr) == (0, "")


def test_a_gpu_that_was_asked_for_by_name_fails_glmtts_alone(run, shared, tmp_path):
    asked = {"GLMTTS_CKPT": str(shared / "ckpt"), "GLMTTS_DEVICE": "cuda"}
    refused = run(*cloned(shared, tmp_path), **asked)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith("GLMTTS_DEVICE=cuda asks for a GPU, but ")
    said = run(*built_in(tmp_path), **asked)
    assert (said.returncode, said.stderr) == (0, "")


def test_a_pytorch_that_cannot_be_imported_leaves_the_built_in_voice(run, shared, tmp_path):
    (broken := tmp_path / "broken").mkdir()
    (broken / "torch.py").write_text(WITHOUT_TORCH, encoding="utf-8")
    path = os.pathsep.join([str(broken), os.environ.get("PYTHONPATH", "")])
    for more in ({"GLMTTS_CKPT": str(shared / "ckpt")}, {"GLMTTS_REHEARSAL": "1"}):
        said = run(*built_in(tmp_path), PYTHONPATH=path, **more)
        assert (said.returncode, said.stderr) == (0, "")
    program = (
        "from glmtts_core.engines.available import engines_on_offer\n"
        "from glmtts_core.engines.host.inline import InlineHost\n"
        "from glmtts_core.settings import load_settings\n"
        "offer = engines_on_offer(load_settings(), 'cpu', None, InlineHost.examine)\n"
        "print(offer.lacking.text('en'))"
    )
    told = run("-c", program, PYTHONPATH=path, GLMTTS_CKPT=str(shared / "ckpt"))
    assert "libcudart.so.13" in told.stdout
