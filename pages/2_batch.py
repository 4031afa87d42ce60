"""Batch page: many lines, spoken one after the other."""

from glmtts_core.ui.batch import layout
from glmtts_core.ui.page import open_page

page = open_page("batch.title")
layout.show(page)
