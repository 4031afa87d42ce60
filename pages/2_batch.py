"""Batch page: many lines, spoken one after the other."""

from glmtts_core.ui import batch_page
from glmtts_core.ui.shell import open_page

page = open_page("batch.title")
batch_page.show(page)
