"""Diagnostics page: what cleaning up does on this machine, and where every byte is."""

from glmtts_core.ui.diagnostics import tabs
from glmtts_core.ui.page import open_page

page = open_page("diagnostics.title")
tabs.show(page)
