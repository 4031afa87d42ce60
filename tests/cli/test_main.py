"""The command line: a text to a file, a running app asked to clean up, each fault in a sentence."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from glmtts_core.api import routes
from glmtts_core.audio import decode, encode_wav
from glmtts_core.cli.main import main
from glmtts_core.errors import EngineError
from glmtts_core.memory.ledger import Ledger
from glmtts_core.settings import Settings
from glmtts_core.studio.studio import Studio
from tests.cli.conftest import Maker
from tests.full_disk import full_disk
from tests.scripted_engine import CloningEngine, NativeEngine, ScriptedEngine
from tests.speaking import ANNA, request
from tests.waiting import BOUND_S, wait_until

pytestmark = pytest.mark.usefixtures("english_shell_in_an_empty_folder")

# -- say ---------------------------------------------------------------------------------------


def test_a_text_becomes_a_wav_file(maker, tmp_path, capsys):
    assert main(["say", "hello", "--out", "hello.wav"], maker) == 0
    audio = decode((tmp_path / "hello.wav").read_bytes(), "hello.wav")
    assert (audio.sample_rate_hz, len(audio.samples)) == (24_000, 5 * 2_400)
    assert "hello.wav: 0.50 s of speech" in capsys.readouterr().out


def test_the_sample_rate_asked_for_is_the_files_own(maker, tmp_path):
    assert main(["say", "hello", "--out", "x.wav", "--sample-rate", "32000"], maker) == 0
    assert decode((tmp_path / "x.wav").read_bytes(), "x.wav").sample_rate_hz == 32_000


def test_a_recording_its_text_seed_method_and_history_reach_the_engine(tmp_path):
    made: list[CloningEngine] = []

    def cloning(settings: Settings, ledger: Ledger) -> CloningEngine:
        made.append(CloningEngine(settings, ledger))
        return made[0]

    (tmp_path / "anna.wav").write_bytes(encode_wav(np.zeros(4_000, np.float32), 8_000))
    asked = ["--reference", "anna.wav", "--reference-text", "hi", "--seed", "7"]
    asked += ["--sampling", "topk", "--history"]
    assert main(["say", "hello", "--out", "x.wav", *asked], cloning) == 0
    request = made[0].requests[0]
    assert (request.voice, request.seed, request.sampling) == (None, 7, "topk")
    assert request.history
    assert (request.reference.name, request.reference.transcript) == ("anna.wav", "hi")


def test_a_recording_that_is_not_there_is_told(maker, capsys):
    asked = ["--reference", "nobody.wav"]
    assert main(["say", "hello", "--out", "x.wav", *asked], maker) == 1
    assert "nobody.wav" in capsys.readouterr().err


def test_without_asking_for_it_there_is_no_history(maker):
    assert main(["say", "hello", "--out", "x.wav"], maker) == 0
    assert not maker.engine.requests[0].history


def test_history_is_refused_by_an_engine_that_keeps_none(maker, capsys):
    assert main(["say", "hello", "--out", "x.wav", "--history"], maker) == 1
    assert "history" in capsys.readouterr().err


def test_an_engine_that_is_not_there_is_told_with_those_that_are(maker, capsys):
    assert main(["say", "hello", "--out", "x.wav", "--engine", "Nobody"], maker) == 1
    assert "Choose one of: Scripted" in capsys.readouterr().err


def test_a_dash_reads_the_text_from_the_standard_input(maker, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("你好"))
    assert main(["say", "-", "--out", "x.wav"], maker) == 0
    assert maker.engine.spoken == ["你好"]


def test_speaking_leaves_nothing_but_the_file(maker, tmp_path):
    main(["say", "hello", "--out", "x.wav"], maker)
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]


def test_the_engine_is_released_in_the_end(maker):
    main(["say", "hello", "--out", "x.wav"], maker)
    assert not maker.engine.loaded


def test_asking_for_the_cpu_overrides_the_setting(maker, monkeypatch):
    monkeypatch.setenv("GLMTTS_DEVICE", "cuda")
    assert main(["say", "hello", "--out", "x.wav", "--cpu"], maker) == 0


def test_a_device_that_is_not_there_is_told_in_one_sentence(maker, monkeypatch, capsys):
    monkeypatch.setenv("GLMTTS_DEVICE", "cuda")
    assert main(["say", "hello", "--out", "x.wav"], maker) == 1
    assert "GLMTTS_DEVICE=cuda" in capsys.readouterr().err


@pytest.mark.parametrize(
    "make_out",
    [
        pytest.param(lambda folder: folder / "missing" / "x.wav", id="no such folder"),
        pytest.param(lambda folder: folder, id="a folder"),
        pytest.param(lambda folder: folder / "file" / "x.wav", id="below a file"),
    ],
)
def test_a_file_that_cannot_be_written_is_told_before_anything_is_spoken(
    maker, make_out, tmp_path, capsys
):
    (tmp_path / "file").touch()
    out = make_out(tmp_path)
    assert main(["say", "hello", "--out", str(out)], maker) == 1
    assert f"{out} cannot be written" in capsys.readouterr().err
    assert maker.made == []


@pytest.mark.parametrize(
    "name", ["x.mp3", "x.MP3", "x.flac", "x.ogg", "x.wav.mp3", "x.wave", "x.wav ", "x.m\np3"]
)
def test_an_ending_that_asks_for_anything_but_wav_is_refused(maker, tmp_path, capsys, name):
    assert main(["say", "hello", "--out", name], maker) == 1
    err = capsys.readouterr().err
    assert "only WAV can be written" in err
    assert err.count("\n") == 1
    assert (maker.made, list(tmp_path.iterdir())) == ([], [])


@pytest.mark.parametrize("name", ["x.wav", "x.WAV", "x", "x.", ".wav"])
def test_wav_and_no_ending_are_written_as_wav(maker, tmp_path, name):
    assert main(["say", "hello", "--out", name], maker) == 0
    assert (tmp_path / name).read_bytes().startswith(b"RIFF")


def test_the_null_device_takes_the_sound(maker):
    assert main(["say", "hello", "--out", os.devnull], maker) == 0


def test_a_dash_writes_the_sound_to_the_standard_output_and_nothing_else(
    maker, tmp_path, capsysbinary
):
    assert main(["say", "hello", "--out", "-"], maker) == 0
    told = capsysbinary.readouterr()
    assert len(decode(told.out, "out").samples) == 5 * 2_400
    assert b"of speech" in told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["x" * 300 + ".wav", "x" * 5_000, "a\0b.wav", "a\nb" * 200 + ".wav", "x" * 300 + "/a.wav"],
)
def test_a_name_that_no_file_can_have_is_told_in_one_sentence(maker, capsys, name):
    assert main(["say", "hello", "--out", name], maker) == 1
    err = capsys.readouterr().err
    assert "cannot be written" in err
    assert (err.count("\n"), maker.made) == (1, [])
    assert len(err) < 500


@pytest.mark.parametrize("name", ["x" * 300 + ".wav", "a\0b.wav", "a\nb.wav", "\udcff.wav"])
def test_a_recording_of_an_odd_name_is_told_in_one_sentence(maker, capsys, name):
    assert main(["say", "hello", "--out", "x.wav", "--reference", name], maker) == 1
    err = capsys.readouterr().err
    assert "Name a recording" in err
    assert err.count("\n") == 1


def test_a_recording_whose_name_is_no_text_is_cloned_all_the_same(tmp_path):
    (tmp_path / "\udcff\n.wav").write_bytes(encode_wav(np.zeros(4_000, np.float32), 8_000))
    asked = ["--reference", "\udcff\n.wav", "--reference-text", "hi"]
    assert main(["say", "hello", "--out", "x.wav", *asked], CloningEngine) == 0


def test_a_written_file_of_an_odd_name_is_told_on_one_line(maker, capsys):
    assert main(["say", "hello", "--out", "\udcff\n.wav"], maker) == 0
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["say", "hello", "--speed", "nan"], "no number above 0"),
        (["say", "hello", "--speed", "1e400"], "no number above 0"),
        (["say", "hello", "--speed", "-1"], "no number above 0"),
        (["say", "hello", "--voice", "nobody"], "no voice called nobody"),
        (["say", "hello", "--sample-rate", "44100"], "44100 Hz"),
        (["say", "hello", "--sampling", "dice"], "no sampling method dice"),
        (["say", "hello", "--seed", "-1"], "The seed -1"),
        (["say", "hello", "--seed", "1" + "0" * 30], "The seed 1"),
        (["say", "hello", "--reference-text", "hi"], "only together with --reference"),
        (["say", "hello", "--voice", "kumo", "--reference", "anna.wav"], "cannot both be followed"),
        (["say", "hello", "--reference", "anna.wav"], "cannot clone"),
        (["doctor", "--reference-text", "hi"], "only together with --reference"),
        (["doctor", "--reference", "anna.wav"], "cannot clone"),
        (["doctor", "--engine", "Nobody"], "no engine called Nobody"),
        (["cleanup", "--force"], "only together with --level unload"),
        (["cleanup", "--level", "offload", "--force"], "only together with --level unload"),
    ],
    ids=str,
)
def test_an_option_that_could_not_be_followed_is_told_and_nothing_is_written(
    maker, tmp_path, capsys, asked, told
):
    (tmp_path / "anna.wav").write_bytes(encode_wav(np.zeros(4_000, np.float32), 8_000))
    out = ["--out", "x.wav"] if asked[0] == "say" else []
    assert main([*asked, *out], maker) == 1
    captured = capsys.readouterr()
    assert told in captured.err
    assert (captured.err.count("\n"), captured.out) == (1, "")
    assert not (tmp_path / "x.wav").exists()


def test_a_seed_that_changes_nothing_is_told(maker, capsys):
    assert main(["say", "hello", "--out", "x.wav", "--seed", "7"], maker) == 0
    assert "--seed changes nothing" in capsys.readouterr().err


def test_a_disk_that_is_full_is_told_with_the_files_name(maker, capsys):
    with full_disk():
        assert main(["say", "hello", "--out", "x.wav"], maker) == 1
    assert "x.wav cannot be written (File too large)" in capsys.readouterr().err


def test_a_setting_that_cannot_be_used_is_told_in_one_sentence(maker, monkeypatch, capsys):
    monkeypatch.setenv("GLMTTS_THREADS", "many")
    assert main(["say", "hello", "--out", "x.wav"], maker) == 1
    told = capsys.readouterr().err
    assert "GLMTTS_THREADS=“many” cannot be used" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "fault", "told"),
    [
        (" ", None, "There is no text."),
        ("hello", lambda: EngineError("engine.out_of_memory"), "not enough free memory"),
        ("hello", lambda: RuntimeError("the network broke"), "the network broke"),
    ],
)
def test_a_synthesis_that_fails_is_told_and_leaves_no_file(
    maker, tmp_path, capsys, text, fault, told
):
    maker.prepare = lambda engine: setattr(engine, "fail_with", fault)
    assert main(["say", text, "--out", "x.wav"], maker) == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "x.wav").exists()


@pytest.mark.parametrize(
    "arguments",
    [[], ["sing"], ["say", "hello"], ["say", "--out", "x.wav"], ["cleanup", "--level", "all"]],
    ids=str,
)
def test_wrong_usage_is_told_in_one_sentence_with_code_2(arguments, capsys):
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert (told.err.count("\n"), told.out) == (1, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_and_leaves_no_file(maker, tmp_path, capsys, number):
    maker.prepare = lambda engine: engine.gate.clear()

    def interrupt() -> None:
        wait_until(lambda: maker.made and maker.engine.reached.is_set())
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert main(["say", "hello", "--out", "x.wav"], maker) == 130
    thread.join(BOUND_S)
    assert "cancelled" in capsys.readouterr().err
    assert not (tmp_path / "x.wav").exists()


def test_the_callers_own_signal_handlers_are_put_back(maker):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    main(["say", "hello", "--out", "x.wav"], maker)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_progress_is_shown_and_wiped_in_the_end(maker, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    maker.prepare = lambda engine: engine.gate.clear()

    def open_gate() -> None:
        wait_until(lambda: "Speaking · 0%" in terminal.getvalue())
        maker.engine.gate.set()

    thread = threading.Thread(target=open_gate)
    thread.start()
    assert main(["say", "hello", "--out", "x.wav"], maker) == 0
    thread.join(BOUND_S)
    assert terminal.getvalue().endswith("\r\033[2K")


@pytest.mark.parametrize(
    ("name", "value"), [("LANG", "zh_CN.UTF-8"), ("LC_ALL", "zh_TW"), ("GLMTTS_LANGUAGE", "zh")]
)
def test_a_chinese_user_reads_chinese(maker, monkeypatch, capsys, name, value):
    monkeypatch.setenv(name, value)
    main(["say", "hello", "--out", "x.wav"], maker)
    assert "秒语音" in capsys.readouterr().out


# -- cleanup -----------------------------------------------------------------------------------


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """Serve ``app`` on a free port of this machine; yields its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        wait_until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(BOUND_S)


@pytest.fixture
def address(studio: Studio) -> Iterator[str]:
    """The address of a running app with the scripted engine."""
    with serving(Starlette(routes=routes.routes(lambda: studio))) as url:
        yield url


def answering(status: int, body: bytes) -> Starlette:
    """Return an app that gives one answer to everything: some other program on that port."""

    async def answer(_: object) -> Response:
        return PlainTextResponse(body, status)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])


def test_a_cleanup_prints_the_apps_report(address, studio, capsys):
    assert main(["cleanup", "--url", address]) == 0
    assert json.loads(capsys.readouterr().out)["level"] == "trim"
    assert studio.engine.released == ["trim"]


def test_an_address_may_end_in_a_slash(address):
    assert main(["cleanup", "--url", f"{address}/"]) == 0


def test_an_unload_is_passed_on(address, studio):
    assert main(["cleanup", "--url", address, "--level", "unload"]) == 0
    assert studio.engine.released == ["unload"]


def test_a_refused_unload_tells_the_apps_own_sentence(address, studio, capsys):
    studio.engine.gate.clear()
    studio.submit(ANNA, request())
    assert studio.engine.reached.wait(BOUND_S)
    assert main(["cleanup", "--url", address, "--level", "unload"]) == 1
    assert "1 job(s) of other users" in capsys.readouterr().err


def test_a_cleanup_that_has_to_wait_tells_the_apps_own_sentence(studio, capsys):
    studio.engine.gate.clear()
    studio.submit(ANNA, request())
    assert studio.engine.reached.wait(BOUND_S)
    hurried = Starlette(routes=routes.routes(lambda: studio, cleanup_wait_s=0.05))
    with serving(hurried) as url:
        assert main(["cleanup", "--url", url, "--level", "unload", "--force"]) == 0
    assert "as soon as it can" in capsys.readouterr().out


def test_a_chinese_user_gets_the_apps_answer_in_chinese(address, studio, capsys, monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    studio.engine.gate.clear()
    studio.submit(ANNA, request())
    assert studio.engine.reached.wait(BOUND_S)
    assert main(["cleanup", "--url", address, "--level", "unload"]) == 1
    assert "模型保持加载" in capsys.readouterr().err


@pytest.mark.parametrize(("token", "code"), [("hunter2", 0), ("hunter3", 1), ("", 1)])
def test_the_token_of_the_settings_is_sent_along(settings, monkeypatch, capsys, token, code):
    with_token = settings.model_copy(update={"api_token": SecretStr("hunter2")})
    studio = Studio(with_token, ScriptedEngine)
    monkeypatch.setenv("GLMTTS_API_TOKEN", token)
    try:
        with serving(Starlette(routes=routes.routes(lambda: studio))) as url:
            assert main(["cleanup", "--url", url]) == code
    finally:
        studio.close()
    assert "hunter" not in "".join(capsys.readouterr())


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(address, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert main(["cleanup", "--url", address]) == 0


@pytest.fixture
def nobody() -> str:
    """An address of this machine at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_where_no_app_answers_it_is_told_how_to_start_one(nobody, capsys):
    assert main(["cleanup", "--url", nobody]) == 1
    told = capsys.readouterr().err
    assert f"No studio answers at {nobody}" in told
    assert "python glmtts_inference.py start" in told


@pytest.mark.parametrize(
    "url", ["127.0.0.1:7860", "", "http://", "http://[", "nonsense://x", "http://127.0.0.1:port"]
)
def test_an_address_that_is_none_is_told_in_one_sentence(url, capsys):
    assert main(["cleanup", "--url", url]) == 1
    told = capsys.readouterr().err
    assert "No studio answers" in told
    assert "'" not in told.replace("--url", "")


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b"\xff"])
def test_another_program_that_answers_is_told_in_one_sentence(body, capsys):
    with serving(answering(200, body)) as url:
        assert main(["cleanup", "--url", url]) == 1
    assert "the answer is not a studio's" in capsys.readouterr().err


@pytest.mark.parametrize("body", [b"<html>no</html>", b"[]", b'{"message": "no"}'])
def test_another_programs_refusal_is_told_by_its_status(body, capsys):
    with serving(answering(404, body)) as url:
        assert main(["cleanup", "--url", url]) == 1
    assert "404 Not Found" in capsys.readouterr().err


def test_a_port_that_speaks_no_http_is_told_in_one_sentence(capsys):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"SSH-2.0-something\r\n")
                connection.recv(65_536)

        thread = threading.Thread(target=greet)
        thread.start()
        assert main(["cleanup", "--url", f"http://127.0.0.1:{listener.getsockname()[1]}"]) == 1
        thread.join(BOUND_S)
    assert "No studio answers" in capsys.readouterr().err


@pytest.mark.parametrize("name", [".mp3", "x.mp3.", "x.MP3", "a.b.ogg"])
def test_every_spelling_of_another_format_is_refused(name, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["say", "hello", "--out", name], ScriptedEngine) == 1
    assert "WAV" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_file_that_was_there(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("old.wav").write_bytes(b"precious")
    with full_disk():
        assert main(["say", "hello", "--out", "old.wav"], ScriptedEngine) == 1
    assert Path("old.wav").read_bytes() == b"precious"


def test_a_file_that_is_written_over_keeps_its_permissions(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("old.wav").write_bytes(b"")
    Path("old.wav").chmod(0o640)
    Path("link.wav").symlink_to("old.wav")
    assert main(["say", "hello", "--out", "link.wav"], ScriptedEngine) == 0
    assert Path("link.wav").is_symlink()
    assert Path("old.wav").stat().st_mode & 0o777 == 0o640
    assert Path("old.wav").stat().st_size > 44


def test_a_folder_inside_a_file_is_told_as_such(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"text": "hello"}\n', encoding="utf-8")
    assert main(["batch", "in.jsonl", "--out", "in.jsonl/x"], ScriptedEngine) == 1
    assert "directory" in capsys.readouterr().err


# -- voices of several languages ---------------------------------------------------------------


class NativeMaker(Maker):
    """Makes engines with voices of both languages."""

    def __call__(self, settings: Settings, ledger: Ledger) -> NativeEngine:
        self.made.append(NativeEngine(settings, ledger))
        return self.made[-1]


@pytest.mark.parametrize(("words", "voice"), [("明天见。", "mei"), ("Good night.", "ann")])
def test_a_text_is_spoken_by_the_preferred_voice_of_its_language(capsys, words, voice):
    maker = NativeMaker()
    assert main(["say", words, "--out", "x.wav"], maker) == 0
    assert maker.engine.requests[0].voice == voice
    assert "accent" not in capsys.readouterr().err


def test_a_voice_of_another_language_is_told(capsys):
    assert main(["say", "明天见。", "--out", "x.wav", "--voice", "sam"], NativeMaker()) == 0
    assert "A Mandarin voice sounds native: mei." in capsys.readouterr().err


def test_a_second_voice_reaches_the_engine(capsys):
    maker = NativeMaker()
    asked = ["--voice", "sam", "--second-voice", "lin"]
    assert main(["say", "明天的 meeting", "--out", "x.wav", *asked], maker) == 0
    request = maker.engine.requests[0]
    assert (request.voice, request.second_voice) == ("sam", "lin")
    assert "accent" not in capsys.readouterr().err


def test_what_will_not_be_heard_is_told(capsys):
    assert main(["say", "Hello 🎉", "--out", "x.wav"], ScriptedEngine) == 0
    assert "Will not be heard: 🎉" in capsys.readouterr().err.splitlines()
