"""Diagnostics page: what cleaning up does on this machine, and where every byte is."""

from glmtts_core.ui import diagnostics
from glmtts_core.ui.shell import open_page

page = open_page("diagnostics.title")
diagnostics.show(page)
