"""Synthesis page: one text, spoken."""

import streamlit as st

from glmtts_core.ui.page import open_page
from glmtts_core.ui.shared import theme
from glmtts_core.ui.synthesis import form, history_view, job_view, reference, result_view

page = open_page("synthesis.title")
with st.container(key=theme.SYNTHESIS_FORM):
    reference_column, text_column = st.columns([2, 3], gap="large")
with reference_column:
    reference.show(page)
with text_column:
    form.text_and_voice(page)
    form.advanced(page)
    form.start_button(page)
    form.about_the_text(page)
job_view.show(page)
result_view.newest(page)
history_view.show(page)
