"""What is asked of every page that people look at: no wider than its screen, and no serious finding of axe."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.pages import SCHEMES, WIDTHS

_GRAVE: Final = frozenset({"serious", "critical"})
_HEIGHT: Final = 900
_AXE_WIDTH: Final = {"light": 1440, "dark": 390}
"""axe judges each page once in each scheme: that is what contrast depends on, and each layout is met once."""


def faults_of(page: Page, name: str, *, width: int, scheme: str) -> Iterator[str]:
    """What is wrong with the page as it stands in a window of this width and scheme."""
    where = f"{name} {width} {scheme}"
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        yield f"{where}: {wide} pixels wide"
    if width == _AXE_WIDTH[scheme]:
        for found in Axe().run(page).response["violations"]:
            if found["impact"] in _GRAVE:
                nodes = "; ".join(node["html"][:120] for node in found["nodes"][:3])
                yield f"{where}: {found['id']} ({found['impact']}): {nodes}"


def examine(page: Page, name: str, *, briefly: bool = False) -> None:
    """Look at an answer that cannot be opened again by its address, in every width and scheme; photograph it.

    `briefly` looks once in each scheme: for a page whose parts other looks show at every width.
    """
    faults: list[str] = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (_AXE_WIDTH[scheme],) if briefly else WIDTHS:
            page.set_viewport_size({"width": width, "height": _HEIGHT})
            photograph(page, f"{name}-{width}-{scheme}")
            faults += faults_of(page, name, width=width, scheme=scheme)
    assert faults == []


def photograph(page: Page, name: str) -> None:
    """Keep a picture of the page where `AUTHCODE_SCREENSHOTS` names a folder; for eyes, and slow."""
    folder = os.environ.get("AUTHCODE_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
