"""Findings with known figures, for the tests that judge and show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from glmtts_core.diagnostics.experiment import Arm, Experiment, Policy, Workload
from glmtts_core.diagnostics.findings import Findings
from glmtts_core.diagnostics.trial import Cleaned, Loaded, Rested, Spoken, Trial, TrialPart

MIB = 2**20
NEVER = Arm(policy=Policy.NEVER)
ALWAYS = Arm(policy=Policy.ALWAYS, clean_at_start=True)


def spoken(part: TrialPart, index: int = 0, seconds: float = 1.0, **changes) -> Spoken:
    figures = {"before_bytes": 300 * MIB, "peak_bytes": 500 * MIB, "after_bytes": 310 * MIB}
    figures |= {"alarms": ()}
    return Spoken(
        part=part,
        index=index,
        characters=50,
        sample_rate_hz=24_000,
        seconds=seconds,
        audio_s=4.0,
        **{**figures, **changes},
    )


def trial(
    arm: Arm,
    repetition: int,
    *,
    seconds: float = 1.0,
    peak_mib: int = 500,
    failed_lines: int = 0,
    grown_mib: int = 10,
) -> Trial:
    growing = [
        spoken(
            TrialPart.GROWING,
            index,
            before_bytes=(300 + index * grown_mib) * MIB,
            after_bytes=(300 + (index + 1) * grown_mib) * MIB,
            peak_bytes=peak_mib * MIB,
        )
        for index in range(8)
    ]
    batch = [
        spoken(
            TrialPart.BATCH,
            line,
            error="no memory" if line < failed_lines else "",
            peak_bytes=peak_mib * MIB,
        )
        for line in range(10)
    ]
    timed = spoken(
        TrialPart.TIMED,
        seconds=seconds,
        opinion=3.5,
        before_bytes=(300 + 8 * grown_mib) * MIB,
        peak_bytes=peak_mib * MIB,
    )
    around = [spoken(TrialPart.BEFORE_CLEANUP), spoken(TrialPart.AFTER_CLEANUP, seconds=1.25)]
    cleanup = {"seconds": 0.05, "promised_bytes": 100 * MIB, "regained_bytes": 90 * MIB}
    return Trial(
        arm_id=arm.id,
        repetition=repetition,
        wall_s=20.0,
        batch_lines=10,
        loaded=Loaded(start_s=5.0, load_s=3.0, memory_bytes=300 * MIB, line="resident_set_bytes"),
        spoken=(*growing, timed, *batch, *around),
        cleaned=(Cleaned(part=TrialPart.LAST_CLEANUP, before_bytes=400 * MIB, **cleanup),),
        rested=Rested(memory_bytes=380 * MIB),
        samples=((0.0, 300 * MIB), (1.0, peak_mib * MIB)),
    )


def findings(trials: Sequence[Trial], *arms: Arm, complete: bool = True) -> Findings:
    return Findings(
        experiment=Experiment(
            engine="Scripted", arms=arms or (NEVER, ALWAYS), workload=Workload(batch=10)
        ),
        began_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        machine={"processor": "an abacus"},
        device="cpu",
        trials=tuple(trials),
        complete=complete,
    )
