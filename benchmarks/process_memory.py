"""What the process of the built-in voice holds, step by step, beside the bare ONNX Runtime.

    python -m benchmarks.process_memory [--runs 3] [--text ...]

Both are measured in fresh child processes. The bare one imports ONNX Runtime and opens a session
with the same weights and options; it reads no text and knows no voice.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.reporting import MIB, Figure, count, print_figures, print_machine

_TEXT: Final = "今天天气很好，我们花了3.5元，去公园散步吧。The river was quiet in 1984."
_ROLLUP: Final = Path("/proc/self/smaps_rollup")
_MODEL_VARIABLE: Final = "PROCESS_MEMORY_MODEL"
_LOADED_TARGET: Final = "≤ 350"
#: The step at which the voice is loaded and idle.
_TRIMMED: Final = "after a trim"

#: Steps and what was resident at each: all of it, and the share that is this process's own, in MiB.
Steps = list[tuple[str, float, float]]


def main() -> None:
    """Measure both and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=count, default=3)
    parser.add_argument("--text", default=_TEXT)
    parser.add_argument("--child", choices=CHILDREN, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(CHILDREN[options.child](options.text)))
        return
    print_machine("onnxruntime", "kokoro-onnx", "numpy")
    _measured("voice", options.text)  # puts the cache folder's files together
    for child, title in (("voice", "the voice's process"), ("bare", "bare ONNX Runtime")):
        runs = [_measured(child, options.text) for _ in range(options.runs)]
        print(f"\n{title}")
        print_figures(_figures(runs, _LOADED_TARGET if child == "voice" else ""))


def _measured(child: str, text: str) -> Steps:
    from glmtts_core.engines.kokoro.model_file import MODEL_NAME
    from glmtts_core.settings import load_settings

    command = [sys.executable, "-m", "benchmarks.process_memory", "--child", child, "--text", text]
    # the bare child imports nothing of ours that would know where the weights are
    environment = {**os.environ, _MODEL_VARIABLE: str(load_settings().cache_dir / MODEL_NAME)}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    steps: Steps = json.loads(done.stdout.splitlines()[-1])
    return steps


def _figures(runs: list[Steps], trimmed_target: str) -> list[Figure]:
    figures: list[Figure] = []
    for same_step in zip(*runs, strict=True):
        name = same_step[0][0]
        target = trimmed_target if name == _TRIMMED else ""
        figures += [
            Figure(f"{name}, resident", [rss for _, rss, _ in same_step], "MiB", target),
            Figure(f"{name}, proportional", [pss for _, _, pss in same_step], "MiB"),
        ]
    return figures


def _resident(step: str) -> tuple[str, float, float]:
    lines = (line.split() for line in _ROLLUP.read_text("ascii").splitlines()[1:])
    fields = {words[0]: int(words[1]) * 1024 / MIB for words in lines}
    return step, fields["Rss:"], fields["Pss:"]


def _voice(text: str) -> Steps:
    """Load the voice as its engine does, speak once and trim."""
    from glmtts_core.audio import resample
    from glmtts_core.engines.base import CancelToken
    from glmtts_core.engines.kokoro import engine  # noqa: F401 - all that the voice imports
    from glmtts_core.engines.kokoro.model_file import (
        japanese_voices_path,
        model_path,
        native_voices_path,
    )
    from glmtts_core.engines.kokoro.network import KokoroNetwork
    from glmtts_core.engines.kokoro.phonemes import Phonemizer
    from glmtts_core.engines.kokoro.voices import VOICES
    from glmtts_core.settings import load_settings

    settings = load_settings()
    steps = [_resident("imports")]
    files = (native_voices_path(), japanese_voices_path())
    network = KokoroNetwork(model_path(settings.cache_dir), files, settings.threads)
    steps.append(_resident("network"))
    phonemizer = Phonemizer(settings.cache_dir)
    phonemizer.load_english()
    steps.append(_resident("espeak"))
    phonemizer.load_mandarin()
    steps.append(_resident("Mandarin dictionaries"))
    for piece in phonemizer.pieces(text):
        tokens = phonemizer.tokens(piece.phonemes)
        sound = network.speak(tokens, VOICES[0].id, 1.0, CancelToken())
        resample(sound, 24_000, 32_000)
    steps.append(_resident("after a synthesis"))
    network.shrink()
    return [*steps, _trimmed()]


def _bare(_text: str) -> Steps:
    """Open the same weights with nothing around them, and run once over a short input."""
    import numpy as np
    import onnxruntime

    steps = [_resident("imports")]
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    model = os.environ[_MODEL_VARIABLE]
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    steps.append(_resident("network"))
    inputs = {
        "tokens": np.full((1, 60), 50, np.int64),
        "style": np.zeros((1, 256), np.float32),
        "speed": np.ones(1, np.float32),
    }
    shrinking = onnxruntime.RunOptions()
    shrinking.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    session.run(None, inputs, shrinking)
    return [*steps, _resident("after a run"), _trimmed()]


def _trimmed() -> tuple[str, float, float]:
    from glmtts_core.memory.system import malloc_trim  # not before the imports are measured

    gc.collect()
    malloc_trim()
    return _resident(_TRIMMED)


CHILDREN: Final[dict[str, Callable[[str], Steps]]] = {"voice": _voice, "bare": _bare}

if __name__ == "__main__":
    main()
