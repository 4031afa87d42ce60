"""Fixtures of the page tests: visitors of a studio with the scripted engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import streamlit as st

from glmtts_core.studio.shared import use_studio
from glmtts_core.studio.studio import Studio
from tests.ui.visitor import Visitor


@pytest.fixture
def visit(studio: Studio) -> Iterator[Callable[..., Visitor]]:
    """Open the app as a visitor."""
    with use_studio(studio):
        yield Visitor
        # the leases end as they do when the tabs close
        st.cache_resource.clear()


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """A visitor who reads English, on the overview."""
    return visit()
