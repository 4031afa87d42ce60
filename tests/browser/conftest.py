"""Fixtures of the browser tests: chromium, the running program, and tabs of their own.

Everything that lives longer than a test ends with this package: the browser's driver keeps an
event loop in the main thread, which later tests may not find there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from playwright.sync_api import TimeoutError as NotInTime

from glmtts_core.catalogue import Language
from tests.browser.app import RunningApp, ScriptedApp, free_port
from tests.browser.tab import REACT_MS, Tab

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCALES: Final[dict[Language, str]] = {"zh": "zh-CN", "en": "en-US"}
#: Milliseconds in which a job that runs shows its button at the end of a test.
_LOOK_FOR_JOB_MS: Final = 400
AnyApp = TypeVar("AnyApp", bound=RunningApp)
_CHROMIUM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")

expect.set_options(timeout=REACT_MS)


class OpenTab(Protocol):
    """Opens a tab in a browser profile of its own, or in that of the tab ``beside`` it."""

    def __call__(
        self,
        path: str = "/",
        *,
        app: RunningApp | None = None,
        language: Language = "en",
        width: int = 1280,
        survives_app: bool = False,
        beside: Tab | None = None,
    ) -> Tab: ...


class StartApp(Protocol):
    """Starts a program in the test's own folder, on a free port or a given one."""

    def __call__(self, kind: type[AnyApp] = ScriptedApp, port: int | None = None) -> AnyApp: ...


def chromium_path() -> str | None:
    """Return the system's chromium, or None."""
    return next((path for name in _CHROMIUM_NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A running browser without a window; skips where there is none."""
    path = chromium_path()
    if path is None:
        pytest.skip("the browser tests need chromium: install it and start the tests again")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def app(
    chromium: Browser,  # asked for first: without it nothing needs to start
    model_cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ScriptedApp]:
    """The program that most tests share; each has browser sessions of its own."""
    running = ScriptedApp(tmp_path_factory.mktemp("app"), model_cache)
    yield running
    running.close()


@pytest.fixture(scope="package")
def own_port() -> int:
    """A port for the programs of single tests, one after the other."""
    return free_port()


@pytest.fixture
def start_app(
    chromium: Browser, model_cache: Path, tmp_path: Path, own_port: int
) -> Iterator[StartApp]:
    """Start programs of the test's own, which may end in the test; by default on one port.

    A browser keeps compiled scripts by their address.
    """
    with ExitStack() as stack:

        def start(kind: type[AnyApp] = ScriptedApp, port: int | None = None) -> AnyApp:
            running = kind(tmp_path / "own-app", model_cache, port=port or own_port)
            stack.callback(running.close)
            return running

        yield start


class Profiles:
    """Browser profiles for one test after the other: cookies and data go, compiled scripts stay.

    A profile that is made anew fetches and compiles all scripts of the page for every tab.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[Language, list[BrowserContext]] = {language: [] for language in LOCALES}

    @contextmanager
    def lent(self, language: Language, origin: str) -> Iterator[BrowserContext]:
        """Lend a profile for ``origin`` that knows nothing of earlier tests."""
        free = self._free[language]
        context = free.pop() if free else self._browser.new_context(locale=LOCALES[language])
        context.set_default_timeout(REACT_MS)
        yield context
        for page in context.pages:
            page.close()
        context.clear_cookies()
        kept = {"origin": origin, "storageTypes": "local_storage"}
        page = context.new_page()
        context.new_cdp_session(page).send("Storage.clearDataForOrigin", kept)
        page.close()
        free.append(context)


@pytest.fixture(scope="package")
def profiles(chromium: Browser) -> Profiles:
    """The browser profiles of all tests."""
    return Profiles(chromium)


@pytest.fixture
def open_tab(profiles: Profiles, request: pytest.FixtureRequest) -> Iterator[OpenTab]:
    """Open tabs; at the end no job of theirs runs on, and no console has complained."""
    tabs: list[tuple[Tab, RunningApp, bool]] = []
    lent = ExitStack()

    def open_one(
        path: str = "/",
        *,
        app: RunningApp | None = None,
        language: Language = "en",
        width: int = 1280,
        survives_app: bool = False,
        beside: Tab | None = None,
    ) -> Tab:
        running = app or request.getfixturevalue("app")
        if beside is not None:
            context = beside.page.context
        else:
            context = lent.enter_context(profiles.lent(language, running.url))
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        tab = Tab(page, running.url, language)
        tabs.append((tab, running, survives_app))
        return tab.open(path)

    yield open_one
    served = [(tab, running) for tab, running, survives_app in tabs if not survives_app]
    for tab, running in served:
        _end(tab, running)
    lent.close()
    assert [error for tab, _ in served for error in tab.errors] == []


def _end(tab: Tab, running: RunningApp) -> None:
    """Cancel what a failed test left running, so that the next test finds the engine idle."""
    if not running.idle and not tab.page.is_closed():
        # while the page draws itself anew, the button is not there for a moment
        with suppress(NotInTime):
            tab.cancel_button.wait_for(state="visible", timeout=_LOOK_FOR_JOB_MS)
        if tab.cancel_button.is_visible():
            # the job may end at this very moment, by itself or because the test has cancelled it
            with suppress(NotInTime):
                tab.cancel_button.click(timeout=3_000)
