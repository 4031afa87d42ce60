"""Prints the laboratory's table: ``python -m benchmarks.laboratory``.

The same experiment as on the diagnostics page, without the page, for the preferred engine: the
built-in voice, or with ``GLMTTS_REHEARSAL=1`` GLM-TTS in its official size with random weights.
What is measured until the time is up is printed, whatever it says.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.reporting import print_machine
from glmtts_core.catalogue import text
from glmtts_core.diagnostics.experiment import Arm, Experiment, Policy, Workload
from glmtts_core.diagnostics.findings import Findings, table
from glmtts_core.diagnostics.labels import (
    arm_name,
    conclusions,
    metric_name,
    shown_words,
    summary_words,
)
from glmtts_core.diagnostics.laboratory import Laboratory
from glmtts_core.diagnostics.machine_facts import machine_facts
from glmtts_core.diagnostics.report import to_html
from glmtts_core.diagnostics.research.claim_checks import check_claims
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.sessions.session import new_session_id
from glmtts_core.settings import load_settings
from glmtts_core.studio.studio import Studio

MIB = 2**20


def main() -> None:
    """Run the experiment and print its table, its conclusions and the answers to the claims."""
    options = options_of()
    with tempfile.TemporaryDirectory() as scratch:
        settings = load_settings().model_copy(update={"output_dir": Path(scratch)})
        with (
            closing(Studio(settings, host=ProcessHost)) as studio,
            closing(Laboratory(studio)) as laboratory,
        ):
            laboratory.start(
                experiment_of(studio, options), new_session_id(), machine_facts(studio)
            )
            if not laboratory.wait(options.minutes * 60):
                laboratory.cancel()
                laboratory.wait()
            error = laboratory.view().error
            if error is not None:
                raise error
            found = laboratory.findings()
    if found is None:
        raise SystemExit("nothing was measured")
    print_findings(found)
    if options.html is not None:
        with options.html.open("w", encoding="utf-8") as file:
            file.writelines(to_html(found, "en"))


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for, on the command line where no ``arguments`` are given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=4)
    parser.add_argument("--growing", type=int, default=8)
    parser.add_argument("--timed", type=int, default=3)
    parser.add_argument("--lines", type=int, default=50)
    parser.add_argument("--headroom-mib", type=int, action="append", default=[])
    parser.add_argument("--every", type=int, help="also clean up after so many syntheses")
    parser.add_argument("--only-limited", action="store_true", help="no arms without a limit")
    parser.add_argument("--rates", action="store_true", help="also switch sample rates")
    parser.add_argument("--voices", action="store_true", help="also switch voices")
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--html", type=Path, help="write the report here")
    return parser.parse_args(arguments)


def experiment_of(studio: Studio, options: argparse.Namespace) -> Experiment:
    """Return the experiment that the options describe."""
    arms = []
    if not options.only_limited:
        arms = [Arm(policy=Policy.NEVER), Arm(policy=Policy.ALWAYS, clean_at_start=True)]
        if options.every:
            arms.append(Arm(policy=Policy.EVERY, every=options.every))
    for headroom in options.headroom_mib:
        limit = headroom * MIB
        arms += [Arm(policy=policy, headroom_bytes=limit) for policy in _BOTH]
    if options.rates:
        arms += [Arm(policy=policy, switch_rates=True) for policy in _BOTH]
    if options.voices:
        arms += [Arm(policy=policy, switch_voices=True) for policy in _BOTH]
    return Experiment(
        engine=studio.engine.capabilities.engine,
        arms=tuple(arms),
        repetitions=options.repetitions,
        workload=Workload(growing=options.growing, timed=options.timed, batch=options.lines),
    )


_BOTH = (Policy.NEVER, Policy.ALWAYS)


def print_findings(found: Findings) -> None:
    """Print machine, table, conclusions and the answers to the claims."""
    print_machine("onnxruntime", "torch", "numpy")
    print(json.dumps(found.machine))
    experiment = found.experiment
    print(
        f"{experiment.engine}, {len(found.trials)} of {len(experiment.trials())} trials, ", end=""
    )
    print(f"{experiment.workload.model_dump()}")
    cells = table(found)
    for arm in experiment.arms:
        print(f"\n{arm_name(arm, 'en')} ({len(found.of_arm(arm))} trials)")
        for cell in cells:
            if cell.arm == arm:
                words = summary_words(cell.summary, cell.metric.unit)
                print(f"  {metric_name(cell.metric, 'en'):32} {words}")
        failures = {trial.failure for trial in found.trials if trial.arm_id == arm.id}
        print(f"  {'trials that ended early':32} {sorted(failures - {''}) or 'none'}")
    print()
    for sentence in conclusions(found, cells, "en"):
        print(f"- {sentence}")
    print()
    for answer in check_claims(found):
        verdict = text(f"claims.verdict.{answer.verdict.value}", "en")
        reason = answer.reason.text("en")
        print(f"claim {answer.claim.number:2}: {verdict}: {reason}")
        for words in shown_words(answer, "en"):
            print(f"          {words}")


if __name__ == "__main__":
    main()
