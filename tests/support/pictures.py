"""Pictures of what people are shown, made by a real browser into a folder that a person can open."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, async_playwright

from tests.support.debian import chromium

FOLDER = Path(__file__).parents[2] / "build" / "pictures"
Scheme = Literal["light", "dark"]
_COLOURS = """async (png) => {
  const image = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const drawing = canvas.getContext("2d");
  drawing.drawImage(image, 0, 0);
  const found = drawing.getImageData(0, 0, image.width, image.height).data;
  const colours = new Set();
  for (let i = 0; i < found.length; i += 4) colours.add(found[i] << 16 | found[i + 1] << 8 | found[i + 2]);
  return colours.size;
}"""
_TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  const hidden = (e) => getComputedStyle(e).display === "none" || e.closest("[style*='display:none']");
  const scrolls = (e) => e && e !== document.body
    && (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter((e) => !hidden(e) && !scrolls(e.parentElement) && e.getBoundingClientRect().right > width + 1)
    .map((e) => `<${e.tagName.toLowerCase()}> ends at ${e.getBoundingClientRect().right} of ${width}`);
}"""


@dataclass(frozen=True)
class Picture:
    """A screenshot, and what the browser measured on the page."""

    path: Path
    colours: int
    too_wide: list[str]

    def check(self) -> None:
        """Nothing is cut off at the side, and something is to be seen."""
        assert self.too_wide == [], self.path.name
        assert self.colours > 10, f"{self.path.name} is blank"


class Camera:
    """Takes pictures of pages."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    @asynccontextmanager
    async def page(self, width: int, scheme: Scheme = "light") -> AsyncIterator[Page]:
        """An empty page of a window so many pixels wide."""
        context = await self._browser.new_context(
            viewport={"width": width, "height": 700}, color_scheme=scheme
        )
        try:
            yield await context.new_page()
        finally:
            await context.close()

    async def take(self, page: Page, name: str) -> Picture:
        """The whole page, as `name`.png."""
        path = FOLDER / f"{name}.png"
        png = await page.screenshot(path=path, full_page=True)
        too_wide = await page.evaluate(_TOO_WIDE)
        async with self.page(100) as other:
            colours = await other.evaluate(_COLOURS, base64.b64encode(png).decode())
        return Picture(path, colours, too_wide)


@asynccontextmanager
async def camera() -> AsyncIterator[Camera]:
    """A browser; at the end the folder has a page with all pictures in it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"]
        )
        try:
            yield Camera(browser)
        finally:
            await browser.close()
            _write_index()


def _write_index() -> None:
    figures = "".join(
        f'<figure><img src="{escape(path.name)}" loading="lazy"><figcaption>{escape(path.stem)}'
        "</figcaption></figure>"
        for path in sorted(FOLDER.glob("*.png"))
    )
    style = "body{font:15px sans-serif;columns:2}figure{break-inside:avoid}img{max-width:100%}"
    page = f"<!doctype html><meta charset=utf-8><title>Pictures</title><style>{style}</style>"
    (FOLDER / "index.html").write_text(page + figures, encoding="utf-8")
