"""The self-check's lights: green where all is well, and what to do where it is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import numpy as np
import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware

from glmtts_core.api import routes
from glmtts_core.api.access import AccessMiddleware
from glmtts_core.api.route_check import ask_app, ask_routes
from glmtts_core.audio import encode_wav
from glmtts_core.catalogue import LANGUAGES
from glmtts_core.cli.main import main
from glmtts_core.diagnostics.self_check import TEXT, self_check
from glmtts_core.diagnostics.self_check_results import Light, SelfCheck, SelfCheckItem
from glmtts_core.diagnostics.self_check_steps import judge_cleanup
from glmtts_core.engines.available import BUILT_IN_VOICE
from glmtts_core.engines.base import CancelToken, SpokenAudio
from glmtts_core.engines.host.inline import InlineHost
from glmtts_core.engines.host.process import ProcessHost
from glmtts_core.errors import EngineError, SynthesisCancelled
from glmtts_core.host_names import HostRules
from glmtts_core.memory.cleanup import CleanupLevel, CleanupReport, Promise
from glmtts_core.memory.points import Line
from glmtts_core.sessions.events import Experiment, ExperimentKind
from glmtts_core.speech import ReferenceAudio
from glmtts_core.studio.studio import Studio
from tests.diagnostics.sounds import RATE_HZ, silenced, speech
from tests.scripted_engine import ScriptedEngine
from tests.waiting import BOUND_S, wait_until

MIB = 2**20


class Speaker(ScriptedEngine):
    """Speaks something like speech."""

    sound = speech(2.0)

    def synthesize(self, request, caches, control):
        spoken = super().synthesize(request, caches, control)
        return SpokenAudio(self.sound, RATE_HZ, spoken.stages)


class SilentSpeaker(Speaker):
    sound = silenced(speech(2.0), RATE_HZ)


class SilentRehearsal(SilentSpeaker):
    """Has random weights."""

    @property
    def capabilities(self):
        return replace(super().capabilities, random_weights=True)


class Cloner(Speaker):
    """Has no voice of its own."""

    @property
    def capabilities(self):
        return replace(super().capabilities, voices=(), voice_cloning=True)


class SilentCloner(SilentSpeaker):
    """Another engine, without a voice of its own."""

    @property
    def capabilities(self):
        return replace(super().capabilities, engine="Silent", voices=(), voice_cloning=True)


@contextmanager
def opened(settings, engine=Speaker) -> Iterator[Studio]:
    with closing(Studio(settings, engine)) as studio:
        yield studio


def check(studio: Studio, **options) -> SelfCheck:
    return self_check(studio, lambda: ask_routes(studio), **options)


def lights(checked: SelfCheck) -> dict[SelfCheckItem, Light]:
    return {result.check: result.light for result in checked.results}


def told(checked: SelfCheck, name: SelfCheckItem) -> str:
    return next(result for result in checked.results if result.check is name).message.text("en")


def test_where_all_is_well_every_light_is_green(settings):
    with opened(settings) as studio:
        checked = check(studio)
    assert lights(checked) == dict.fromkeys(SelfCheckItem, Light.GREEN)
    assert checked.light is Light.GREEN


def test_the_check_leaves_nothing_behind_but_a_note_of_itself(settings, tmp_path):
    with opened(settings.model_copy(update={"cache_dir": tmp_path / "cache"})) as studio:
        check(studio)
        wait_until(lambda: not studio.sessions.known_ids())
        (noted,) = studio.event_log.recent(Experiment)
        assert noted.kind is ExperimentKind.SELF_CHECK
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["studio.db"]


def test_an_engine_that_does_not_load_is_red_and_what_needs_it_is_not_checked(settings):
    with opened(settings) as studio:
        studio.engine.fail_loading_with = lambda: EngineError("engine.out_of_memory")
        checked = check(studio)
    found = lights(checked)
    assert found[SelfCheckItem.LOAD] is Light.RED
    assert {
        found[each] for each in (SelfCheckItem.SPEAK, SelfCheckItem.SOUND, SelfCheckItem.CLEANUP)
    } == {Light.AMBER}
    assert found[SelfCheckItem.DISK] is found[SelfCheckItem.ROUTES] is Light.GREEN
    assert "not enough free memory" in told(checked, SelfCheckItem.LOAD)
    assert "earlier check failed" in told(checked, SelfCheckItem.SOUND)


def test_silence_is_red(settings):
    with opened(settings, SilentSpeaker) as studio:
        checked = check(studio)
    assert lights(checked)[SelfCheckItem.SOUND] is Light.RED
    assert "is silent" in told(checked, SelfCheckItem.SOUND)


def test_the_sound_of_random_weights_is_not_judged(settings):
    with opened(settings, SilentRehearsal) as studio:
        checked = check(studio)
    assert lights(checked)[SelfCheckItem.SOUND] is Light.GREEN
    assert "Not meaningful" in told(checked, SelfCheckItem.SOUND)


def test_an_engine_without_a_voice_is_told_to_need_a_recording(settings):
    with opened(settings, Cloner) as studio:
        checked = check(studio)
    assert lights(checked)[SelfCheckItem.SPEAK] is Light.AMBER
    assert "reference recording" in told(checked, SelfCheckItem.SPEAK)
    assert checked.light is Light.AMBER


def test_an_engine_without_a_voice_speaks_in_that_of_a_recording(settings):
    with opened(settings, Cloner) as studio:
        recording = ReferenceAudio(speech(4.0), RATE_HZ, "anna.wav", "hello")
        asked = studio.engine.capabilities.plain_request(TEXT, recording)
        checked = check(studio, request=asked)
    assert checked.light is Light.GREEN


def test_the_engine_that_is_asked_for_is_checked(settings):
    with closing(Studio(settings, Speaker, SilentCloner)) as studio:
        second = studio.engines.find("Silent").capabilities
        recording = ReferenceAudio(speech(4.0), RATE_HZ, "anna.wav", "hello")
        checked = check(studio, request=second.plain_request(TEXT, recording))
        assert "Silent" in told(checked, SelfCheckItem.LOAD)
        assert lights(checked)[SelfCheckItem.SOUND] is Light.RED
        assert not studio.engine.loaded


def test_a_folder_that_cannot_be_written_is_red(settings, tmp_path):
    (tmp_path / "file").touch()
    with opened(settings) as studio:
        checked = check(studio, folders=(tmp_path / "file" / "outputs",))
    assert lights(checked)[SelfCheckItem.DISK] is Light.RED
    assert "cannot be changed" in told(checked, SelfCheckItem.DISK)


def test_every_result_is_told_as_it_comes(settings):
    seen = []
    with opened(settings) as studio:
        checked = check(studio, on_result=seen.append)
    assert tuple(seen) == checked.results


def test_a_cancelled_check_ends(settings):
    cancel = CancelToken()
    with opened(settings) as studio, pytest.raises(SynthesisCancelled):
        check(studio, on_result=lambda _: cancel.cancel(), cancel=cancel)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_json_holds_every_check_in_words(settings, language):
    with opened(settings) as studio:
        plain = json.loads(json.dumps(check(studio).to_dict(language)))
    assert plain["light"] == "green"
    assert [each["check"] for each in plain["checks"]] == [each.value for each in SelfCheckItem]
    assert all(each["message"] for each in plain["checks"])


def report(promised_mib: float, regained_mib: float, *, exact: bool) -> CleanupReport:
    promise = Promise(int(promised_mib * MIB), exact)
    regained = int(regained_mib * MIB)
    cost = "memory.next_cost.nothing"
    return CleanupReport(
        CleanupLevel.TRIM, promise, regained, Line.RESIDENT_SET, regained, 0, {}, 0.1, cost, 0.0
    )


@pytest.mark.parametrize(
    ("promised_mib", "regained_mib", "exact", "light"),
    [
        (200, 180, False, Light.GREEN),
        (200, 100, False, Light.AMBER),
        (200, 300, False, Light.AMBER),
        (200, 180, True, Light.AMBER),
        (200, 198, True, Light.GREEN),
        (10, 0, False, Light.GREEN),
    ],
)
def test_a_promise_is_kept_within_its_tolerance(promised_mib, regained_mib, exact, light):
    assert judge_cleanup(report(promised_mib, regained_mib, exact=exact)).light is light


# -- the routes --------------------------------------------------------------------------------


def test_routes_that_need_a_token_are_asked_with_it(settings):
    secret = settings.model_copy(update={"api_token": SecretStr("secret")})
    with opened(secret) as studio:
        assert ask_routes(studio).light is Light.GREEN


@contextmanager
def served(studio: Studio) -> Iterator[str]:
    guard = Middleware(AccessMiddleware, rules=HostRules())
    app = Starlette(routes=list(routes.routes(lambda: studio)), middleware=[guard])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(BOUND_S)


def test_a_running_app_is_asked_itself(settings):
    with opened(settings) as studio, served(studio) as url:
        found = ask_app(url, settings)
    assert found.light is Light.GREEN
    assert url in found.message.text("en")


def test_where_no_app_runs_nothing_is_said(settings):
    assert ask_app("http://127.0.0.1:9", settings) is None


# -- the command -------------------------------------------------------------------------------


@pytest.fixture
def doctor(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("GLMTTS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GLMTTS_LANGUAGE", "en")
    nowhere = ["--url", "http://127.0.0.1:9", "--cpu"]
    return lambda engine, *options: main(["doctor", *nowhere, *options], engine)


def test_the_doctor_prints_a_line_a_check_and_ends_with_0(doctor, capsys):
    assert doctor(Speaker) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok"] * len(SelfCheckItem)


def test_the_doctor_ends_with_1_where_something_fails(doctor, capsys):
    assert doctor(SilentSpeaker) == 1
    assert "FAIL  sound: The result is silent" in capsys.readouterr().out


def test_the_doctors_json_is_one_object(doctor, capsys):
    assert doctor(Speaker, "--json") == 0
    assert json.loads(capsys.readouterr().out)["light"] == "green"


def test_the_doctor_clones_the_recording_that_it_is_given(doctor, tmp_path, capsys):
    file = tmp_path / "anna.wav"
    file.write_bytes(encode_wav(speech(4.0), RATE_HZ))
    assert doctor(Cloner, "--reference", str(file), "--reference-text", "hello", "--json") == 0
    assert json.loads(capsys.readouterr().out)["light"] == "green"


def test_an_engine_that_the_doctor_does_not_know_is_told(doctor, capsys):
    assert doctor(Speaker, "--engine", "Nobody") == 1
    assert "no engine called Nobody" in capsys.readouterr().err


def test_the_doctor_of_a_cloning_engine_ends_with_0(doctor):
    assert doctor(Cloner) == 0


def test_what_the_doctor_writes_is_gone_afterwards(doctor, tmp_path):
    doctor(Speaker)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.voice
@pytest.mark.parametrize("host", [InlineHost, pytest.param(ProcessHost, marks=pytest.mark.process)])
def test_the_built_in_voice_passes_wherever_it_runs(settings, host):
    own = settings.model_copy(update={"threads": 1})
    with closing(Studio(own, BUILT_IN_VOICE, host=host)) as studio:
        checked = check(studio)
    assert np.all([light is not Light.RED for light in lights(checked).values()])
