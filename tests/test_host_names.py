"""Host and Origin headers: which are read, and which hosts are the server's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmtts_core.host_names import (
    HostName,
    HostRules,
    is_loopback_name,
    parse_host,
    parse_host_list,
    parse_origin,
)

HERE = HostName("127.0.0.1", 7860)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("127.0.0.1:7860", HostName("127.0.0.1", 7860)),
        ("LocalHost:7860", HostName("localhost", 7860)),
        ("localhost.:7860", HostName("localhost", 7860)),
        ("studio.lan", HostName("studio.lan")),
        ("tts_1:80", HostName("tts_1", 80)),
        ("[::1]:7860", HostName("::1", 7860)),
        ("[0:0:0:0:0:0:0:1]", HostName("::1")),
    ],
)
def test_a_host_is_read(given, host):
    assert parse_host(given) == host


@pytest.mark.parametrize(
    "given",
    [
        "",
        ".",
        ":7860",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:78a0",
        "localhost:7860:7860",
        "localhost:7860, localhost:7860",
        "me@localhost:7860",
        "localhost:7860@evil.example",
        "localhost:7860/",
        "localhost?x",
        " localhost",
        "localhost\n",
        "[::1",
        "[",
        "[]",
        "[::g]:1",
        "::1",
        "ｌocalhost",
        "localhost:٧٨٦٠",
        "x" * 300,
    ],
)
def test_what_is_no_host_is_not_read(given):
    assert parse_host(given) is None


@pytest.mark.parametrize(
    "given",
    ["null", "", "localhost", "file://localhost", "ws://localhost", "http://", "http://a/", "//a"],
)
def test_what_is_no_page_origin_is_not_read(given):
    assert parse_origin(given) is None


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://127.0.0.1:7860", "127.0.0.1:7860", True),
        ("HTTP://LOCALHOST:7860", "localhost:7860", True),
        ("http://studio.lan", "studio.lan:80", True),
        ("https://studio.lan", "studio.lan", True),
        ("https://studio.lan", "studio.lan:443", True),
        ("http://127.0.0.1:9999", "127.0.0.1:7860", False),
        ("http://127.0.0.1", "127.0.0.1:7860", False),
        ("http://localhost:7860", "127.0.0.1:7860", False),
        ("https://studio.lan", "studio.lan:80", False),
    ],
)
def test_a_page_asks_its_own_host_or_another(origin, host, same):
    assert parse_origin(origin).is_of(parse_host(host)) is same


@pytest.mark.parametrize(
    ("host", "listening", "server", "extra", "allowed"),
    [
        ("127.0.0.1:7860", "127.0.0.1", HERE, "", True),
        ("localhost:7860", "127.0.0.1", HERE, "", True),
        ("[::1]:7860", "::1", HostName("::1", 7860), "", True),
        ("127.0.0.1:9999", "127.0.0.1", HERE, "", False),
        ("localhost", "127.0.0.1", HERE, "", False),
        ("evil.example:7860", "127.0.0.1", HERE, "", False),
        ("localhost.evil.example:7860", "127.0.0.1", HERE, "", False),
        ("evil.localhost:7860", "127.0.0.1", HERE, "", False),
        ("127.1:7860", "127.0.0.1", HERE, "", False),
        ("2130706433:7860", "127.0.0.1", HERE, "", False),
        ("0.0.0.0:7860", "127.0.0.1", HERE, "", False),
        # listening on all addresses: the one that the connection came in at
        ("10.1.2.3:7860", "0.0.0.0", HostName("10.1.2.3", 7860), "", True),
        ("10.1.2.3:7860", "::", HostName("::ffff:10.1.2.3", 7860), "", True),
        ("10.1.2.3:7861", "0.0.0.0", HostName("10.1.2.3", 7860), "", False),
        ("10.1.2.4:7860", "0.0.0.0", HostName("10.1.2.3", 7860), "", False),
        ("0.0.0.0:7860", "0.0.0.0", HERE, "", True),
        ("my-box:7860", "0.0.0.0", HERE, "", False),
        ("my-box:7860", "My-Box", HostName("10.1.2.3", 7860), "", True),
        # what the user has named
        ("studio.lan", "0.0.0.0", HERE, "studio.lan", True),
        ("studio.lan:8443", "0.0.0.0", HERE, "a, Studio.LAN", True),
        ("studio.lan:8443", "0.0.0.0", HERE, "studio.lan:8443", True),
        ("studio.lan:8444", "0.0.0.0", HERE, "studio.lan:8443", False),
        ("sub.studio.lan", "0.0.0.0", HERE, "studio.lan", False),
        ("localhost:9000", "127.0.0.1", HERE, "localhost:9000", True),
    ],
)
def test_the_server_answers_to_its_own_hosts(host, listening, server, extra, allowed):
    rules = HostRules(listening, parse_host_list(extra))
    assert rules.allow(parse_host(host), server) is allowed


@pytest.mark.parametrize(
    "wrong", ["http://studio.lan", "a b", "*", "*.lan", "0.0.0.0", "[::]", "a:x"]
)
def test_a_list_with_something_that_is_no_host_name_says_which(wrong):
    with pytest.raises(ValueError, match=r".+") as refused:
        parse_host_list(f"good.example, {wrong}")
    assert str(refused.value) == wrong


@given(st.text())
def test_no_text_breaks_reading_and_only_plain_names_are_read(given):
    host = parse_host(given)
    assert host is None or given.isascii()
    assert parse_origin(given) is None or given.lower().startswith("http")


@pytest.mark.parametrize(
    ("name", "here"),
    [
        *[(here, True) for here in ("localhost", "127.0.0.53", "::1", "::ffff:127.0.0.1")],
        *[(other, False) for other in ("10.0.0.1", "localhost.example", "", "128.0.0.1")],
    ],
)
def test_a_loopback_name_means_this_machine(name, here):
    assert is_loopback_name(name) is here
