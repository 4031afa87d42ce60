"""What a process of the program is started with."""

from __future__ import annotations

from glmtts_core.engines.host.started import _environment


def test_an_engines_process_is_not_told_the_token(monkeypatch):
    monkeypatch.setenv("GLMTTS_API_TOKEN", "secret")
    monkeypatch.setenv("glmtts_api_token", "secret")
    monkeypatch.setenv("GLMTTS_THREADS", "3")
    told = _environment(7)
    assert "secret" not in told.values()
    assert (told["GLMTTS_THREADS"], told["GLMTTS_LIFELINE"]) == ("3", "7")
