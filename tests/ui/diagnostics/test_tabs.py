"""The diagnostics page as a visitor meets it, with experiments of a scripted engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from glmtts_core.audio import encode_wav
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.diagnostics.experiment import Policy
from glmtts_core.diagnostics.experiment_folders import AUDIO_FOLDER
from glmtts_core.diagnostics.findings import save
from glmtts_core.diagnostics.labels import conclusions
from glmtts_core.diagnostics.laboratory import Laboratory, LaboratoryState
from glmtts_core.diagnostics.research.listening import load
from glmtts_core.diagnostics.tasks import Tasks
from glmtts_core.memory.probe import MemoryReading
from glmtts_core.message import Message
from glmtts_core.ui.diagnostics.tabs import TAB_KEY
from tests.diagnostics.known_findings import ALWAYS, NEVER, findings, trial
from tests.diagnostics.test_laboratory import BOUND_S, examined_inline, open_inline
from tests.scripted_engine import CloningEngine
from tests.speaking import BERT, request, result
from tests.ui.visitor import DIAGNOSTICS, SYNTHESIS, Visitor, in_one_language

Visit = Callable[..., Visitor]
both_languages = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture
def laboratory(studio) -> Laboratory:
    return studio.services.get(Laboratory, lambda: Laboratory(studio, open_inline, examined_inline))


@pytest.fixture
def measured(studio, settings) -> Laboratory:
    """A laboratory that has findings of before, with recordings."""
    folder = settings.output_dir / "laboratory" / "20260102-030405-000000"
    trials = [trial(arm, number) for arm in (NEVER, ALWAYS) for number in range(1, 5)]
    save(findings(trials), folder)
    wav = encode_wav(result().audio.samples, 24_000)
    for arm in (NEVER, ALWAYS):
        for number in range(2):
            path = folder / AUDIO_FOLDER / arm.id / f"growing-{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wav)
    return studio.services.get(Laboratory, lambda: Laboratory(studio, open_inline, examined_inline))


def open_tab(visitor: Visitor, name: str) -> Visitor:
    """Go to a tab of the diagnostics page."""
    visitor.app.session_state[TAB_KEY] = visitor.words(f"diagnostics.tab.{name}")
    return visitor.run()


def small(visitor: Visitor, *policies: str) -> Visitor:
    """Ask for the smallest experiment."""
    app = visitor.app
    app.button_group(key="laboratory_policies").set_value(list(policies))
    app.number_input(key="laboratory_repetitions").set_value(1)
    app.number_input(key="laboratory_lines").set_value(1)
    return visitor.run()


@in_one_language
def test_before_the_first_experiment_the_page_says_what_to_do(visit: Visit, language, laboratory):
    visitor = visit(DIAGNOSTICS, language)
    assert visitor.words("diagnostics.nothing_yet") in visitor.read()
    assert visitor.words("diagnostics.listening_first") in open_tab(visitor, "listening").read()
    words = open_tab(visitor, "claims").read()
    assert visitor.words("claims.claim.13") in words
    assert words.count(visitor.words("claims.verdict.not_testable")) == 13


@in_one_language
def test_an_experiment_runs_and_its_findings_are_shown(visit: Visit, language, laboratory):
    visitor = small(visit(DIAGNOSTICS, language), "never", "always")
    visitor.click("laboratory_start")
    assert laboratory.view().state is LaboratoryState.RUNNING
    assert laboratory.wait(BOUND_S)
    visitor.run()
    assert {"laboratory_memory", "laboratory_box"} <= visitor.chart_keys()
    for sentence in conclusions(laboratory.findings(), [], language):
        assert sentence in visitor.read()


def test_where_the_engine_is_loaded_the_page_asks_before_it_unloads(visit: Visit, laboratory):
    visitor = visit(SYNTHESIS).speak()
    small(visitor.go(DIAGNOSTICS), "never").click("laboratory_start")
    assert laboratory.view().state is LaboratoryState.IDLE
    assert visitor.words("diagnostics.ask_unload") in visitor.read()
    visitor.click("diagnostics_back")
    assert "diagnostics_confirm" not in visitor.button_keys()
    visitor.click("laboratory_start").click("diagnostics_confirm")
    assert laboratory.wait(BOUND_S)
    assert not visitor.session.studio.engine.loaded
    assert laboratory.findings().complete


def test_a_running_experiment_can_be_cancelled(visit: Visit, laboratory):
    visitor = visit(DIAGNOSTICS).click("laboratory_start")
    visitor.click("laboratory_cancel")
    assert laboratory.wait(BOUND_S)
    assert laboratory.view().state is LaboratoryState.CANCELLED
    assert visitor.run().words("diagnostics.cancelled", done=0, count=8) in visitor.read()


@both_languages
def test_findings_of_before_are_shown_with_table_plots_and_downloads(
    visit: Visit, language, measured
):
    visitor = visit(DIAGNOSTICS, language)
    words = visitor.read()
    assert visitor.words("laboratory.metric.next") in words
    assert "500 MiB" in words
    assert {"laboratory_memory", "laboratory_box"} <= visitor.chart_keys()
    labels = [button.label for button in visitor.app.get("download_button")]
    assert labels == ["CSV", "JSON", visitor.words("diagnostics.html_report")]
    claims = open_tab(visitor, "claims").read()
    assert visitor.words("claims.verdict.not_confirmed") in claims


@in_one_language
def test_a_blind_test_is_sealed_until_the_last_pair_and_kept(visit: Visit, language, measured):
    visitor = open_tab(visit(DIAGNOSTICS, language), "listening").click("listening_start")
    arms = [visitor.words("laboratory.policy.never"), visitor.words("laboratory.policy.always")]
    visitor.click("listening_prefer_first")
    assert load(measured.folder) is None
    visitor.click("listening_prefer_same")
    kept = load(measured.folder)
    assert len(kept.judgements) == 2
    assert all(arm in visitor.read() for arm in arms)


def test_the_treemaps_sum_up_to_what_the_process_holds(visit: Visit, laboratory):
    visitor = open_tab(visit(DIAGNOSTICS), "memory")
    assert "treemap_process" in visitor.chart_keys()


@in_one_language
def test_growth_has_its_verdict_and_the_hunt_names_what_grew(visit: Visit, language, laboratory):
    visitor = open_tab(visit(DIAGNOSTICS, language), "growth")
    visitor.app.number_input(key="hunt_count").set_value(8)
    visitor.run().click("hunt_start")
    task = visitor.session.studio.services.get(Tasks, Tasks).find(f"leak-hunt-{visitor.session.id}")
    assert task.wait(BOUND_S)
    assert task.view().error is None
    visitor.run()
    assert "hunt" in visitor.chart_keys()
    assert visitor.records == ()


@in_one_language
def test_the_self_check_shows_a_light_for_each_part(visit: Visit, language, laboratory):
    visitor = open_tab(visit(DIAGNOSTICS, language), "environment").click("self_check_start")
    task = visitor.session.studio.services.get(Tasks, Tasks).find(
        f"self-check-{visitor.session.id}"
    )
    assert task.wait(BOUND_S)
    assert task.view().error is None
    words = visitor.run().read()
    for name in ("disk", "load", "speak", "sound", "cleanup", "routes"):
        assert visitor.words(f"self_check.{name}") in words


def test_what_makes_an_engine_slow_is_told(visit: Visit, laboratory, studio):
    studio.engine.messages = (Message("glmtts.graph_failed", {"reason": "too old"}),)
    visitor = open_tab(visit(DIAGNOSTICS), "environment")
    assert visitor.words("glmtts.graph_failed", reason="too old") in visitor.read()


def test_the_environment_is_there_to_copy(visit: Visit, laboratory):
    visitor = open_tab(visit(DIAGNOSTICS), "environment")
    assert any("onnxruntime" in block.value for block in visitor.app.code)


def test_the_open_tab_stays_open_in_the_other_language(visit: Visit, laboratory):
    visitor = open_tab(visit(DIAGNOSTICS, "zh"), "environment").choose_language("en")
    assert "self_check_start" in visitor.button_keys()
    assert "laboratory_start" not in visitor.button_keys()


# -- the rehearsal -------------------------------------------------------------------------------


def rehearsal(visitor: Visitor, wanted: bool) -> Visitor:
    """Use the switch."""
    visitor.app.toggle(key="rehearsal").set_value(wanted)
    return visitor.run()


@in_one_language
def test_the_rehearsal_is_switched_on_chosen_spoken_with_and_switched_off(
    visit: Visit, laboratory, language, tiny_rehearsal
):
    visitor = open_tab(visit(DIAGNOSTICS, language), "environment")
    assert tiny_rehearsal not in visitor.read()
    rehearsal(visitor, True)
    studio = visitor.session.studio
    assert studio.engines.names == ("Scripted", tiny_rehearsal)
    assert tiny_rehearsal in visitor.read()
    visitor.go(SYNTHESIS)
    assert visitor.session.engine == tiny_rehearsal
    assert visitor.app.segmented_control(key="form_engine").value == tiny_rehearsal
    visitor.speak("你好。")
    assert visitor.records[0].engine == tiny_rehearsal
    rehearsal(open_tab(visitor.go(DIAGNOSTICS), "environment"), False)
    assert studio.engines.names == ("Scripted",)
    visitor.go(SYNTHESIS).speak("hello")
    assert visitor.records[0].engine == "Scripted"


def test_the_switch_shows_what_another_visitor_has_done(visit: Visit, laboratory, tiny_rehearsal):
    anna, bert = (open_tab(visit(DIAGNOSTICS), "environment") for _ in range(2))
    rehearsal(anna, True)
    assert bert.run().app.toggle(key="rehearsal").value
    # only who asked for it is taken to it
    assert bert.session.engine == "Scripted"


def test_while_something_is_spoken_the_switch_says_so_and_stays(
    visit: Visit, laboratory, studio, tiny_rehearsal
):
    visitor = open_tab(visit(DIAGNOSTICS), "environment")
    studio.engine.gate.clear()
    studio.submit(BERT, request())
    assert studio.engine.reached.wait(BOUND_S)
    rehearsal(visitor, True)
    assert visitor.words("studio.rehearsal_busy") in visitor.read()
    assert not visitor.app.toggle(key="rehearsal").value
    studio.engine.gate.set()


def test_a_rehearsal_that_does_not_fit_is_told_before_it_is_loaded(
    visit: Visit, laboratory, studio, tiny_rehearsal, monkeypatch
):
    monkeypatch.setattr(MemoryReading, "free_bytes", lambda reading, device: 1)
    visitor = rehearsal(open_tab(visit(DIAGNOSTICS), "environment"), True)
    assert any("will not load" in warning.value for warning in visitor.app.warning)


def test_a_rehearsal_by_the_settings_cannot_be_switched_off(
    visit: Visit, laboratory, studio, monkeypatch
):
    monkeypatch.setattr(studio, "settings", studio.settings.model_copy(update={"rehearsal": True}))
    visitor = open_tab(visit(DIAGNOSTICS), "environment")
    assert visitor.app.toggle(key="rehearsal").disabled


# -- every setting at once -----------------------------------------------------------------------


def test_all_policies_with_all_settings_can_be_asked_for(visit: Visit, laboratory):
    visitor = visit(DIAGNOSTICS)
    visitor.app.button_group(key="laboratory_policies").set_value(list(Policy))
    for name in ("pressure", "rates", "voices"):
        visitor.app.toggle(key=f"laboratory_{name}").set_value(True)
    visitor.run()
    assert "laboratory_start" in visitor.button_keys()


def test_switching_off_brings_back_the_engine_of_before(
    visit: Visit, laboratory, studio, tiny_rehearsal
):
    studio.engines.add(CloningEngine)
    visitor = open_tab(visit(DIAGNOSTICS), "environment")
    visitor.session.saved_form.keep(engine="Cloning")
    rehearsal(visitor, True)
    assert visitor.session.engine == tiny_rehearsal
    rehearsal(visitor, False)
    assert visitor.session.engine == "Cloning"


def test_a_choice_of_a_rehearsal_does_not_come_back_by_itself(
    visit: Visit, laboratory, studio, tiny_rehearsal
):
    anna, bert = (open_tab(visit(DIAGNOSTICS), "environment") for _ in range(2))
    rehearsal(anna, True)
    bert.session.saved_form.keep(engine=tiny_rehearsal)
    rehearsal(anna, False)
    bert.go(SYNTHESIS)
    rehearsal(anna, True)
    assert bert.run().session.engine == "Scripted"


# -- earlier experiments -------------------------------------------------------------------------


@pytest.fixture
def two_experiments(measured, settings) -> Laboratory:
    """A laboratory with a newer experiment than ``measured``, whose peaks are higher."""
    folder = settings.output_dir / "laboratory" / "20260203-040506-000000"
    trials = [trial(arm, number, peak_mib=777) for arm in (NEVER, ALWAYS) for number in range(1, 5)]
    save(findings(trials), folder)
    measured._folder, measured._findings = folder, None
    return measured


def test_an_earlier_experiment_can_be_looked_at_again(visit: Visit, two_experiments):
    visitor = visit(DIAGNOSTICS)
    assert "777 MiB" in visitor.read()
    visitor.app.selectbox(key="diagnostics_experiment").set_value("20260102-030405-000000")
    visitor.run()
    assert "500 MiB" in visitor.read()
    assert "777 MiB" not in visitor.read()
    assert "listening_start" in open_tab(visitor, "listening").button_keys()


def test_an_experiment_that_cannot_be_read_says_so_and_leaves_the_others(
    visit: Visit, two_experiments
):
    path = two_experiments.folder / "findings.json"
    path.write_text(path.read_text().replace('"alarms":[]', '"alarms":["hibernating"]'))
    visitor = visit(DIAGNOSTICS)
    assert any("hibernating" in error.value for error in visitor.app.error)
    visitor.app.selectbox(key="diagnostics_experiment").set_value("20260102-030405-000000")
    assert "500 MiB" in visitor.run().read()


def test_an_experiment_under_a_name_of_ones_own_is_offered_by_it(visit: Visit, two_experiments):
    earlier = two_experiments.folder.with_name("20260102-030405-000000")
    earlier.rename(earlier.with_name("1 my own copy"))
    visitor = visit(DIAGNOSTICS)
    visitor.app.selectbox(key="diagnostics_experiment").set_value("1 my own copy")
    assert "500 MiB" in visitor.run().read()


def test_a_blind_test_is_kept_with_the_experiment_that_it_heard(visit: Visit, measured, settings):
    visitor = open_tab(visit(DIAGNOSTICS), "listening").click("listening_start")
    heard = measured.folder
    newer = settings.output_dir / "laboratory" / "20260203-040506-000000"
    save(findings([trial(NEVER, 1)]), newer)
    measured._folder, measured._findings = newer, None
    visitor.run().click("listening_prefer_first").click("listening_prefer_first")
    assert len(load(heard).judgements) == 2
    assert load(newer) is None


def test_a_recording_that_has_gone_ends_the_blind_test_in_one_sentence(visit: Visit, measured):
    visitor = open_tab(visit(DIAGNOSTICS), "listening").click("listening_start")
    for path in measured.folder.rglob("*.wav"):
        path.unlink()
    assert "growing-" in " ".join(error.value for error in visitor.run().app.error)


def test_a_recording_that_cannot_be_read_is_told_by_the_self_check(
    visit: Visit, laboratory, studio
):
    studio.engines.add(CloningEngine)
    visitor = open_tab(visit(DIAGNOSTICS), "environment")
    visitor.session.saved_form.keep(engine="Cloning")
    visitor.session.saved_form.keep_reference(b"no sound", "anna.wav")
    visitor.run().click("self_check_start")
    task = studio.services.get(Tasks, Tasks).find(f"self-check-{visitor.session.id}")
    assert task.wait(BOUND_S)
    assert any("anna.wav" in error.value for error in visitor.run().app.error)
