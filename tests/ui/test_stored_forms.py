"""A stored form that holds what no page ever wrote shows a page all the same."""

from __future__ import annotations

import json

import pytest
import streamlit as st

from glmtts_core.studio.shared import use_studio
from glmtts_core.studio.studio import Studio
from tests.scripted_engine import CloningEngine
from tests.ui.visitor import BATCH, SYNTHESIS, Visitor

ODD_CHOICES = [
    {"voice": "no such voice"},
    {"second_voice": "no such voice"},
    {"second_voice": 7},
    {"speed": 99.0},
    {"speed": -1},
    {"sample_rate_hz": 7},
    {"seed": -1},
    {"seed": 10**30},
    {"sampling": "by dice"},
    {"use_history": "perhaps"},
    {"emotion": "glad"},
]
ODD_FORMS = [
    *ODD_CHOICES,
    *[{"batch": choice} for choice in ODD_CHOICES],
    {"engine": "no such engine"},
    {"language": "fr"},
    {"text": 7},
    {"text": "\x00\ud800"},
    {"reference_name": "gone.wav"},
    {"batch": {"threshold_mib": 0}},
    {"batch": {"every_lines": 10**20}},
    {"batch": {"reference_name": "gone.wav"}},
    {"batch": None},
]


@pytest.mark.parametrize("page", [SYNTHESIS, BATCH])
@pytest.mark.parametrize("form", ODD_FORMS, ids=json.dumps)
def test_a_page_opens_with_any_stored_form(settings, form, page):
    with_studio = Studio(settings, CloningEngine)
    with use_studio(with_studio):
        visitor = Visitor(SYNTHESIS)
        session_id = visitor.session.id
        visitor.type("hello")
        st.cache_resource.clear()
    with_studio.close()
    (path,) = settings.output_dir.rglob("form.json")
    path.write_text(json.dumps({"text": "hello"} | form), encoding="utf-8")
    restarted = Studio(settings, CloningEngine)
    with use_studio(restarted):
        visitor = Visitor(page, session_id=session_id)
        assert visitor.session.id == session_id
        visitor.go(SYNTHESIS).speak("good day")
        assert len(visitor.records) == 1
        st.cache_resource.clear()
    restarted.close()
