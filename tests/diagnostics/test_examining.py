"""A trial's sounds examined in a process of their own: the same result, and no trace of it here."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest

from glmtts_core.audio import encode_wav
from glmtts_core.diagnostics import examining
from glmtts_core.diagnostics.examining import examined_in_own_process
from glmtts_core.diagnostics.trial import Spoken, Trial, TrialPart
from glmtts_core.diagnostics.trial_quality import examined
from glmtts_core.engines.base import CancelToken
from glmtts_core.errors import DiagnosticsError, SynthesisCancelled
from glmtts_core.places import PROGRAM_DIR
from tests.diagnostics.sounds import RATE_HZ, speech
from tests.waiting import BOUND_S, wait_until

pytestmark = pytest.mark.process

HANGING = "import time; print('begun', flush=True); time.sleep(3600)"


def trial_in(folder: Path) -> Trial:
    """Return a trial that has spoken twice, the second time with clicks."""
    clear = speech(2.0)
    clicked = np.clip(clear + np.where(np.arange(len(clear)) % 6_000 == 0, 0.9, 0), -1, 1)
    spoken = []
    for index, samples in enumerate((clear, clicked.astype(np.float32))):
        name = f"timed-{index}.wav"
        (folder / name).write_bytes(encode_wav(samples, RATE_HZ))
        spoken.append(
            Spoken(
                part=TrialPart.TIMED,
                index=index,
                characters=50,
                sample_rate_hz=RATE_HZ,
                seconds=1.0,
                file=name,
            )
        )
    return Trial(
        arm_id="never",
        repetition=1,
        wall_s=2.5,
        batch_lines=0,
        loaded=None,
        spoken=tuple(spoken),
        cleaned=(),
        rested=None,
        samples=((0.5, 1000),),
    )


def test_it_finds_what_is_found_in_this_process(tmp_path):
    trial = trial_in(tmp_path)
    found = examined_in_own_process(trial, tmp_path, CancelToken())
    assert found == examined(trial, tmp_path)
    assert all(each.opinion is not None for each in found.spoken)


def test_what_libraries_print_does_not_disturb_the_answer(tmp_path, monkeypatch):
    program = (
        "import glmtts_core.diagnostics.trial_quality as quality, os\n"
        "from glmtts_core.diagnostics.examining import main\n"
        "ours = quality.examined\n"
        "def noisy(*given):\n"
        "    print('a warning', flush=True)\n"
        "    os.write(1, b'{}')\n"
        "    return ours(*given)\n"
        "quality.examined = noisy\n"
        "main()"
    )
    monkeypatch.setattr(examining, "COMMAND", (sys.executable, "-c", program))
    trial = trial_in(tmp_path)
    assert examined_in_own_process(trial, tmp_path, CancelToken()).spoken[0].alarms is not None


def test_the_calling_process_imports_no_network_runtime(tmp_path):
    (tmp_path / "trial.json").write_text(trial_in(tmp_path).model_dump_json(), encoding="utf-8")
    program = (
        "import sys; from pathlib import Path\n"
        "import glmtts_core.diagnostics.trial_runner\n"
        "from glmtts_core.diagnostics.examining import examined_in_own_process\n"
        "from glmtts_core.diagnostics.trial import Trial\n"
        "from glmtts_core.engines.base import CancelToken\n"
        "folder = Path(sys.argv[1])\n"
        "trial = Trial.model_validate_json((folder / 'trial.json').read_bytes())\n"
        "found = examined_in_own_process(trial, folder, CancelToken())\n"
        "assert found.spoken[0].opinion\n"
        "assert not {'onnxruntime', 'scipy', 'torch'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=PROGRAM_DIR, check=True)


def test_a_failure_is_told_with_its_reason(tmp_path):
    trial = trial_in(tmp_path)
    (tmp_path / "timed-0.wav").write_bytes(b"no sound")
    with pytest.raises(DiagnosticsError, match=r"timed-0\.wav"):
        examined_in_own_process(trial, tmp_path, CancelToken())


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("raise ValueError('what is wrong')", "ValueError: what is wrong"),
        ("import sys; sys.exit(7)", "exit code 7"),
        ("print('no trial')", "Invalid JSON"),
    ],
)
def test_a_process_that_gives_no_trial_is_an_error_with_its_last_line(
    tmp_path, monkeypatch, program, reason
):
    monkeypatch.setattr(examining, "COMMAND", (sys.executable, "-c", program))
    with pytest.raises(DiagnosticsError, match=reason):
        examined_in_own_process(trial_in(tmp_path), tmp_path, CancelToken())


def test_a_process_that_cannot_be_started_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(examining, "COMMAND", ("no-such-program",))
    with pytest.raises(DiagnosticsError, match="No such file"):
        examined_in_own_process(trial_in(tmp_path), tmp_path, CancelToken())


def test_cancelling_ends_it_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(examining, "COMMAND", (sys.executable, "-c", HANGING))
    cancel, outcomes = CancelToken(), []

    def work() -> None:
        try:
            examined_in_own_process(trial_in(tmp_path), tmp_path, cancel)
        except SynthesisCancelled as error:
            outcomes.append(error)

    before = set(psutil.Process().children())
    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: set(psutil.Process().children()) - before)
    cancel.cancel()
    thread.join(BOUND_S)
    assert len(outcomes) == 1
    assert not set(psutil.Process().children()) - before


def test_a_program_that_is_killed_takes_it_along(tmp_path):
    (tmp_path / "trial.json").write_text(trial_in(tmp_path).model_dump_json(), encoding="utf-8")
    hanging = (
        "import glmtts_core.diagnostics.trial_quality as quality, time\n"
        "from glmtts_core.diagnostics.examining import main\n"
        "def hang(_, folder):\n"
        "    (folder / 'begun').touch()\n"
        "    time.sleep(3600)\n"
        "quality.examined = hang\n"
        "main()"
    )
    program = (
        "import sys; from pathlib import Path\n"
        "from glmtts_core.diagnostics import examining\n"
        "from glmtts_core.diagnostics.trial import Trial\n"
        "from glmtts_core.engines.base import CancelToken\n"
        f"examining.COMMAND = (sys.executable, '-c', {hanging!r})\n"
        "folder = Path(sys.argv[1])\n"
        "trial = Trial.model_validate_json((folder / 'trial.json').read_bytes())\n"
        "examining.examined_in_own_process(trial, folder, CancelToken())"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, cwd=PROGRAM_DIR) as process:
        parent = psutil.Process(process.pid)
        wait_until((tmp_path / "begun").exists)
        (child,) = parent.children()
        process.kill()
        wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
