"""What is asked of every page that people look at: three widths, light and dark, and no serious finding of axe.

With `AUTHCODE_SCREENSHOTS` naming a folder each page is also photographed there, for eyes.
"""

import os
from pathlib import Path
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

WIDTHS: Final = (390, 768, 1440)
SCHEMES: Final[tuple[Any, ...]] = ("light", "dark")
GRAVE: Final = ("serious", "critical")
_HEIGHT: Final = 900


def examine(page: Page, name: str) -> None:
    """Look at the page that is open in every width and scheme; `name` is its picture's."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size(ViewportSize(width=width, height=_HEIGHT))
            found = page.evaluate("document.documentElement.scrollWidth")
            assert found <= width, f"{name} is {found} pixels wide on a screen of {width} ({scheme})"
            _photograph(page, f"{name}-{width}-{scheme}")
        findings = [finding for finding in _findings(page) if finding["impact"] in GRAVE]
        told = [(finding["id"], [node["html"] for node in finding["nodes"]]) for finding in findings]
        assert not told, f"{name} ({scheme}): {told}"


def _findings(page: Page) -> list[dict[str, Any]]:
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return violations


def _photograph(page: Page, name: str) -> None:
    folder = os.environ.get("AUTHCODE_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
