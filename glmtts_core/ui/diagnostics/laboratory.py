"""The laboratory's tab: what to compare, how long it takes, and what came of it."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from glmtts_core.byte_units import MIB
from glmtts_core.diagnostics.experiment import Arm, Experiment, Policy, Workload
from glmtts_core.ui.diagnostics import results, run
from glmtts_core.ui.page import Page
from glmtts_core.ui.shared.markdown import plain

_PREFIX: Final = "laboratory_"
_TEXTS: Final = {
    "growing": "diagnostics.growing",
    "timed": "diagnostics.timed",
    "lines": "diagnostics.lines",
}
#: Headroom that lets the built-in voice speak short lines and starves it on long ones.
_HEADROOM_MIB: Final = 256


def show(page: Page) -> None:
    """Draw the tab."""
    st.caption(page.text("diagnostics.laboratory_help"))
    with st.container(border=True):
        experiment = _form(page)
        if experiment is None:
            st.info(page.text("diagnostics.choose_policy"))
        else:
            run.starting(
                page, experiment, page.markdown("diagnostics.start"), key="laboratory_start"
            )
    run.progress(page, key="laboratory_cancel")
    results.show(page)


def _form(page: Page) -> Experiment | None:
    engine = _engine(page)
    policies = st.pills(
        page.text("diagnostics.policies"),
        list(Policy),
        selection_mode="multi",
        default=[Policy.NEVER, Policy.ALWAYS],
        format_func=lambda policy: page.text(f"diagnostics.policy.{policy.value}"),
        key=f"{_PREFIX}policies",
        persist_state="session",
    )
    columns = st.columns(2)
    every = int(
        columns[0].number_input(
            page.text("diagnostics.every"),
            2,
            50,
            4,
            key=f"{_PREFIX}every",
            persist_state="session",
            disabled=Policy.EVERY not in policies,
        )
    )
    repetitions = int(
        columns[1].number_input(
            page.text("diagnostics.repetitions"),
            1,
            50,
            4,
            key=f"{_PREFIX}repetitions",
            persist_state="session",
            help=page.text("diagnostics.repetitions_help"),
        )
    )
    workload = _workload(page)
    variants = _variants(page, engine)
    # a widget of before may hold a label in another language
    chosen = [policy for policy in Policy if policy in policies]
    arms = tuple(
        Arm(policy=policy, every=every, **variant) for variant in variants for policy in chosen
    )
    if not arms:
        return None
    return Experiment(engine=engine, arms=arms, repetitions=repetitions, workload=workload)


def _workload(page: Page) -> Workload:
    """Return how much of the shipped texts each trial speaks."""
    plain = Workload()
    limits = {"growing": (0, 8), "timed": (1, 50), "lines": (0, 50)}
    first = {"growing": plain.growing, "timed": plain.timed, "lines": plain.batch}
    chosen = {}
    for column, (name, (least, most)) in zip(st.columns(3), limits.items(), strict=True):
        chosen[name] = int(
            column.number_input(
                page.text(_TEXTS[name]),
                least,
                most,
                first[name],
                key=f"{_PREFIX}{name}",
                persist_state="session",
            )
        )
    return Workload(growing=chosen["growing"], timed=chosen["timed"], batch=chosen["lines"])


def _engine(page: Page) -> str:
    names = page.session.studio.engines.names
    if len(names) == 1:
        return names[0]
    key = f"{_PREFIX}engine"
    if st.session_state.get(key) not in names:
        # the first time, and when the engine that was chosen has been taken away
        st.session_state[key] = page.session.engine
    chosen = st.segmented_control(
        page.text("form.engine"),
        names,
        format_func=plain,
        required=True,
        key=key,
        persist_state="session",
    )
    return chosen or page.session.engine


def _variants(page: Page, engine: str) -> list[dict[str, Any]]:
    """Return the settings that each policy is tried with."""
    can = page.session.studio.engines.find(engine).capabilities
    variants: list[dict[str, Any]] = [{}]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if _toggle(page, "pressure"):
            headroom = st.number_input(
                page.text("diagnostics.headroom"),
                16,
                65_536,
                _HEADROOM_MIB,
                step=16,
                key=f"{_PREFIX}headroom",
                persist_state="session",
                width=200,
            )
            variants.append({"headroom_bytes": int(headroom) * MIB})
        if len(can.sample_rates) > 1 and _toggle(page, "rates"):
            variants.append({"switch_rates": True})
        if len(can.voices) > 1 and _toggle(page, "voices"):
            variants.append({"switch_voices": True})
        if can.history and _toggle(page, "history"):
            variants.append({"history": True})
        if can.seed and _toggle(page, "seeds"):
            variants.append({"fresh_seeds": True})
    return variants


def _toggle(page: Page, name: str) -> bool:
    return st.toggle(
        page.text(f"diagnostics.also.{name}"),
        key=f"{_PREFIX}{name}",
        persist_state="session",
        help=page.text(f"diagnostics.also_help.{name}"),
    )
