"""Batch page: many lines, spoken one after the other."""

from glmtts_core.ui.batch import sections
from glmtts_core.ui.page import open_page

page = open_page("batch.title")
sections.show(page)
