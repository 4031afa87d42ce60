"""Every benchmark runs: its help and its smallest real run, each as a user starts it."""

from __future__ import annotations

import importlib.util
import os
import pkgutil
import re
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
import torch

import benchmarks
from glmtts_core.diagnostics.laboratory import Laboratory
from glmtts_core.diagnostics.machine_facts import machine_facts
from glmtts_core.sessions.session import new_session_id
from tests.diagnostics.test_laboratory import BOUND_S, examined_inline, open_inline
from tests.forked import run_python

pytestmark = pytest.mark.process

ROOT: Final = Path(__file__).parents[2]
#: Seconds that one run may take on a busy machine.
_RUN_S: Final = 200
NAMES: Final = tuple(sorted(each.name for each in pkgutil.iter_modules(benchmarks.__path__)))
_MAIN: Final = re.compile(r"^def main\(", re.MULTILINE)
MAINS: Final = tuple(
    name for name in NAMES if _MAIN.search((ROOT / "benchmarks" / f"{name}.py").read_text("utf-8"))
)
HELPERS: Final = tuple(name for name in NAMES if name not in MAINS)
#: The arguments of the smallest real run.
SMALLEST: Final = {
    "batch_concurrency": "--rounds 1 --lines 2 --tokens 2",
    "batch_crash": "--kills 1 --inside 1",
    "batch_faults": "--lines 20",
    "batch_state": "--lines 40 --spoken 10 --runs 2",
    "batch_tick_cost": "--lines 60 --seconds 2 --runs 1",
    "batch_validation": "--lines 50 --runs 1",
    "engine_host": "--runs 1 --loads 1 --safe-points 20 --texts short",
    "engine_kills": "--kills 4",
    "engine_overhead": "--runs 1 --text 你好。",
    "glmtts": "--size tiny --random --precision --device cpu",
    "glmtts_baseline": "",
    "glmtts_switches": "--size tiny --switches 1",
    "growth": "--runs 1 --texts 1",
    "load_cycles": "--cycles 2",
    "monitor_cost": "--seconds 0.2 --runs 1",
    "onnx_arena": "--runs 1 --lengths 4 --way tiny_run",
    "polyphones": "--candidate ours",
    "process_memory": "--runs 1 --text 你好。",
    "quality_alarms": "--syntheses 1",
    "tick_cost": "--sessions 1 --seconds 2 --runs 1",
}
#: Benchmarks whose smallest run takes minutes or other packages, and the test that stands for it.
INNER: Final = {
    "laboratory": "test_the_laboratorys_table_is_printed_for_a_scripted_voice",
    "intelligibility": "test_errors_of_the_recogniser_are_counted_as_text_is_read_aloud",
}


def run(
    name: str, arguments: str, model_cache: Path, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a benchmark as its docstring says."""
    environment = {
        **os.environ,
        "GLMTTS_CACHE_DIR": str(model_cache),
        "GLMTTS_OUTPUT_DIR": str(folder),
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = ("-m", f"benchmarks.{name}", *arguments.split())
    return run_python(*command, environment=environment, timeout_s=_RUN_S)


def test_benchmarks_and_helpers_are_told_apart():
    assert "tick_cost" in MAINS
    assert {"reporting", "texts"} <= set(HELPERS)


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_can_be_imported(name):
    assert importlib.import_module(f"benchmarks.{name}").__doc__


@pytest.mark.parametrize("name", MAINS)
def test_help_of_a_benchmark_needs_nothing_else(name, model_cache, tmp_path):
    asked = run(name, "--help", model_cache, tmp_path)
    assert asked.returncode == 0, asked.stderr
    assert f"usage: {name}.py" in asked.stdout


@pytest.mark.parametrize("name", MAINS)
def test_the_smallest_run_of_a_benchmark_measures(name, model_cache, tmp_path):
    if name in INNER:
        assert INNER[name] in globals()
        return
    assert name in SMALLEST, (
        f"benchmarks/{name}.py is new: add the arguments of its smallest real run to SMALLEST"
    )
    ran = run(name, SMALLEST[name], model_cache, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr
    assert re.search(r"\d", ran.stdout)


def test_no_arguments_are_kept_for_benchmarks_that_are_gone():
    assert set(SMALLEST) | set(INNER) <= set(MAINS)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("tick_cost", "--runs 0"),
        ("batch_tick_cost", "--lines 50"),
        ("batch_concurrency", "--lines 1"),
        ("batch_crash", "--kills none"),
    ],
)
def test_counts_too_small_to_measure_are_refused(name, arguments, model_cache, tmp_path):
    ran = run(name, arguments, model_cache, tmp_path)
    assert ran.returncode == 2
    assert arguments.split()[0] in ran.stderr.splitlines()[-1]


def test_the_laboratorys_table_is_printed_for_a_scripted_voice(studio, capsys):
    from benchmarks.laboratory import experiment_of, options_of, print_findings

    words = "--repetitions 1 --growing 0 --timed 1 --lines 0"
    experiment = experiment_of(studio, options_of(words.split()))
    with closing(Laboratory(studio, open_inline, examined_inline)) as laboratory:
        laboratory.start(experiment, new_session_id(), machine_facts(studio))
        assert laboratory.wait(BOUND_S)
        assert laboratory.view().error is None
        found = laboratory.findings()
    print_findings(found)
    assert "2 of 2 trials" in capsys.readouterr().out


def test_errors_of_the_recogniser_are_counted_as_text_is_read_aloud():
    from benchmarks.intelligibility import CATEGORIES, comparable, edit_distance

    assert comparable("It costs $5!", "en") == comparable("it costs five dollars", "en")
    assert edit_distance("kitten", "sitting") == 3
    assert len(CATEGORIES["English, long, alone"][1]) > len(CATEGORIES["English, long"][1])


def test_the_recogniser_says_what_to_install_where_it_is_missing(model_cache, tmp_path):
    if importlib.util.find_spec("faster_whisper") is not None:
        pytest.skip("the packages of benchmarks/requirements.txt are installed")
    ran = run("intelligibility", "--voice jf_alpha", model_cache, tmp_path)
    assert ran.returncode == 1
    assert ran.stderr.strip().endswith("pip install -r benchmarks/requirements.txt")


def test_every_arm_of_glmtts_is_measured_and_printed_in_the_tiny_size(capsys):
    from benchmarks.glmtts import ARMS, print_rounds
    from benchmarks.glmtts_arms import SIZES, int8_error
    from benchmarks.glmtts_meters import Outcome, Stopwatch

    cpu = torch.device("cpu")
    outcomes: dict[str, list[Outcome]] = {}
    for arm, measure in ARMS.items():
        watch = Stopwatch(cpu)
        with watch.memory:
            measure(SIZES["tiny"], watch)
        outcomes[arm] = [watch.outcome]
    for slow, fast in (("baseline", "ours"), ("ours", "int8")):
        print_rounds({fast: outcomes[fast], slow: outcomes[slow]}, [1e9], slow, fast, cpu)
        assert f"{slow} / {fast}, medians" in capsys.readouterr().out
    assert int8_error(SIZES["tiny"], cpu, steps=2)["power over error, dB"] > 0
