"""docs/licences.md names every pinned requirement, with the licence that its metadata names."""

from __future__ import annotations

import re
from email.message import Message
from importlib.metadata import distribution

import pytest

from scripts.licences import DOCUMENT, NOT_STATED, licence, pins

ROW = re.compile(r"^\| ([\w.-]+) \| (.+) \| .* \|$", re.MULTILINE)


def test_the_list_gives_the_licence_of_every_pinned_requirement():
    told = dict(ROW.findall(DOCUMENT.read_text(encoding="utf-8")))
    packages = [distribution(pin.name) for pin in pins()]
    named = {each.name: licence(each.metadata) for each in packages}
    wrong = {name: real for name, real in named.items() if told.get(name) != real}
    assert len(named) > 20
    assert wrong == {}, "write the list anew: python -m scripts.licences"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ([("License-Expression", "MIT"), ("License", "other")], "MIT"),
        ([("License", "BSD-3-Clause"), ("Classifier", "License :: OSI Approved")], "BSD-3-Clause"),
        (
            [("License", "word " * 50), ("Classifier", "License :: OSI Approved :: BSD License")],
            "BSD License",
        ),
        ([("License", "MIT License\n\n" + "word " * 50)], "MIT License"),
        ([("License", "UNKNOWN"), ("Classifier", "Topic :: Software Development")], NOT_STATED),
    ],
)
def test_a_licence_is_read_wherever_the_metadata_names_it(fields, named):
    metadata = Message()
    for field, value in fields:
        metadata[field] = value
    assert licence(metadata) == named
