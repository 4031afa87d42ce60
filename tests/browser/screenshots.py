"""Makes the README's screenshots anew: ``python -m tests.browser.screenshots``.

Starts the real program in a scratch folder, speaks six texts, cleans up, speaks once more, and
takes the pictures on the way. Takes some minutes, so that the ten-minute chart has something to
show.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import FloatRect, expect, sync_playwright

from tests.browser.app import ROOT, RunningApp
from tests.browser.conftest import FLAGS, LOCALES, chromium_path
from tests.browser.tab import SPEAK_MS, Tab

FOLDER: Final = ROOT / "docs" / "screenshots"
#: Kept small: they are cloned with the code.
MAX_BYTES: Final = 250_000
#: Milliseconds between two texts.
_PACE_MS: Final = 15_000
_WIDE: Final = 1280
_PHONE: Final = 400
_PHONE_HEIGHT: Final = 860
_MARGIN: Final = 20

_STORY: Final = (
    "Rain tapped on the roof of the little station.",
    "昨晚的雨下到凌晨两点才停，今天早上的空气特别清新。",
    "The train to the coast was forty minutes late. Nobody minded: the kiosk had fresh rolls, and "
    "somebody played the accordion.",
    "会议改到 3 月 18 日下午 2:30，请带上 budget 表格。如果来不及打印，发到群里也可以，大家会在"
    "会前看一遍。",
    "When it came at last, its windows were fogged over, and the children drew ships on them. One "
    "ship had three funnels, one had wings, and one was so long that it went around the corner of "
    "the carriage and ended on the door.",
    "老船长说，海上的天气一天要变三次脸：清晨像一面镜子，中午像一口滚开的锅，到了傍晚，又像什么"
    "也没有发生过。年轻的水手们都笑他，只有厨师默默地把锅碗用绳子绑好，然后回头看了看远处的云。",
)
#: Lines of the batch.
_SHORT_LINES: Final = (
    "The kettle whistled twice.",
    "请把雨伞带上。",
    "Platform four, please.",
    "码头上很安静。",
    "Nobody had seen the cat.",
    "明天早上见。",
)
_LAST: Final = "The lamp on the pier was lit, and everyone went home."
_PHONE_TEXT: Final = "码头的灯亮了，大家都回家了。"


def main() -> None:
    """Make all screenshots; needs chromium."""
    chromium = chromium_path()
    if chromium is None:
        sys.exit("The screenshots need chromium: install it and start again.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        # a page names the checkpoint's folder, and that of this machine is nobody's business
        ckpt = {"GLMTTS_CKPT": "/opt/glm-tts/ckpt"}
        app = RunningApp(Path(scratch), Path(scratch) / "cache", settings=ckpt)
        try:
            browser = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
            context = browser.new_context(
                locale=LOCALES["en"],
                color_scheme="light",
                viewport={"width": _WIDE, "height": 900},
            )
            _tell_story(Tab(context.new_page(), app.url, "en"))
            browser.close()
        finally:
            app.close()


def _tell_story(tab: Tab) -> None:
    tab.open("/synthesis")
    for number, words in enumerate(_STORY, start=1):
        if number == len(_STORY):
            tab.start_long_job(words)
            half_way = re.compile(r"\b[3-9]\d%")
            expect(tab.progress).to_contain_text(half_way, timeout=SPEAK_MS)
            _shoot_page(tab, "speaking", 760)
            tab.expect_result(number)
        else:
            tab.speak(words, number=number)
        tab.page.wait_for_timeout(_PACE_MS)
    tab.clean_up()
    expect(tab.report).to_be_visible()
    tab.page.wait_for_timeout(_PACE_MS)
    _shoot_sidebar(tab, "cleanup")
    tab.speak(_LAST, number=len(_STORY) + 1)
    _shoot_page(tab, "synthesis")
    tab.go_to("overview.title")
    expect(tab.page.get_by_test_id("stDataFrame")).to_be_visible()
    _shoot_page(tab, "overview")

    _tell_batch(tab)
    tab.go_to("overview.title")
    tab.page.emulate_media(color_scheme="dark")
    tab.switch_language("zh")
    expect(tab.title).to_have_text(tab.say("overview.title"))
    _shoot_page(tab, "overview-zh-dark")

    tab.page.emulate_media(color_scheme="light")
    tab.page.set_viewport_size({"width": _PHONE, "height": _PHONE_HEIGHT})
    tab.open(f"/synthesis?s={tab.session_id}")
    tab.expect_result(len(_STORY) + 1)
    tab.type_text(_PHONE_TEXT)
    tab.page.evaluate("() => document.activeElement.blur()")
    _settle(tab)
    _save(tab, "synthesis-zh-phone", None)


def _tell_batch(tab: Tab) -> None:
    """Speak some lines of a file, two of which are broken."""
    tab.go_to("batch.title")
    texts = [*_SHORT_LINES, *_SHORT_LINES[::-1]]
    lines = [json.dumps({"uttid": f"note-{n:02d}", "text": text}) for n, text in enumerate(texts)]
    lines[3:3] = ['{"text": "This line was never closed', '{"txt": "Nor is this field known"}']
    tab.page.locator('input[type="file"]').first.set_input_files(
        {"name": "notes.jsonl", "mimeType": "text/plain", "buffer": "\n".join(lines).encode()}
    )
    tab.page.get_by_role("button", name=tab.say("batch.start", count=len(texts))).click()
    spoken = tab.say("batch.spoken_of", spoken=len(_SHORT_LINES), lines=len(texts))
    expect(tab.progress).to_contain_text(spoken, timeout=4 * SPEAK_MS)
    _shoot_page(tab, "batch", 900)
    tab.page.get_by_role("button", name=tab.say("batch.cancel")).click()
    cancelled = tab.say("batch.run_state.cancelled")
    expect(tab.progress).to_contain_text(cancelled, timeout=SPEAK_MS)


def _shoot_page(tab: Tab, name: str, most_px: int = 1080) -> None:
    """Take the page as high as its content, but at most so many pixels."""
    tab.page.mouse.move(0, 0)
    height = tab.page.get_by_test_id("stMainBlockContainer").evaluate("e => e.scrollHeight")
    tab.page.set_viewport_size({"width": _WIDE, "height": min(most_px, int(height))})
    _settle(tab)
    _save(tab, name, None)
    tab.page.set_viewport_size({"width": _WIDE, "height": 900})


def _shoot_sidebar(tab: Tab, name: str) -> None:
    """Take the sidebar down to its last line."""
    _settle(tab)
    box = tab.sidebar.bounding_box()
    last_line = tab.sidebar.locator(".glm-muted").last.bounding_box()
    if box is None or last_line is None:
        raise AssertionError("the sidebar is not shown")
    height = last_line["y"] + last_line["height"] + _MARGIN
    _save(tab, name, {"x": 0, "y": 0, "width": box["width"], "height": height})


def _settle(tab: Tab) -> None:
    """Wait until every chart that is in view is drawn."""
    tab.page.wait_for_function(
        "() => [...document.querySelectorAll('[data-testid=\"stPlotlyChart\"]')]"
        ".every(chart => chart.querySelector('.main-svg'))",
        timeout=SPEAK_MS,
    )
    tab.page.wait_for_timeout(1_500)


def _save(tab: Tab, name: str, clip: FloatRect | None) -> None:
    path = FOLDER / f"{name}.png"
    Image.open(io.BytesIO(tab.page.screenshot(clip=clip))).convert("RGB").save(path, optimize=True)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise AssertionError(f"{path.name} has {size} bytes, more than {MAX_BYTES}")
    sys.stdout.write(f"{path.relative_to(ROOT)}: {size // 1000} kB\n")


if __name__ == "__main__":
    main()
