"""What hangs on the studio: one of each kind, closed in the end whatever another one does."""

from __future__ import annotations

import pytest

from glmtts_core.errors import SynthesisCancelled
from glmtts_core.studio.service_registry import ServiceRegistry


class Noted:
    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    def close(self) -> None:
        self._notes.append(type(self).__name__)


class Other(Noted):
    pass


class Failing(Noted):
    def close(self) -> None:
        raise RuntimeError("stuck")


def test_a_service_is_made_once():
    services = ServiceRegistry()
    first = services.get(Noted, lambda: Noted([]))
    assert services.get(Noted, lambda: Noted([])) is first


def test_services_close_newest_first_and_one_that_fails_keeps_no_other_from_it():
    services, notes = ServiceRegistry(), []
    for kind in (Noted, Failing, Other):
        services.get(kind, lambda kind=kind: kind(notes))
    services.close()
    assert notes == ["Other", "Noted"]


def test_nothing_is_opened_once_the_program_closes():
    services = ServiceRegistry()
    services.close()
    with pytest.raises(SynthesisCancelled):
        services.get(Noted, lambda: Noted([]))
