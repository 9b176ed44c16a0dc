"""Photos that people really took, sent to the server as consumers would: other people's codes, and no codes at all."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.demo.process import running_server
from server.demo.shopper import Shopper
from tests.journeys.story import Told

PHOTOS = os.environ.get("AUTHCODE_PHOTOS")
ENOUGH = 60
PLAIN_ADDRESS = re.compile(r"https?://([a-z0-9.-]+\.[a-z]+)(?:[/?#]|$)", re.IGNORECASE)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PHOTOS, reason="AUTHCODE_PHOTOS names no folder with real photos and their index.json"),
]


def chosen(*, with_codes: bool) -> list[dict[str, Any]]:
    """A spread over all categories: every n-th photo in the index's order."""
    index = json.loads((Path(str(PHOTOS)) / "index.json").read_text(encoding="utf-8"))
    fitting = [entry for entry in index if bool(entry["texts"]) == with_codes]
    return fitting[:: max(1, len(fitting) // ENOUGH)] if with_codes else fitting


@pytest.fixture(scope="module")
def shopper(told: Told) -> Iterator[Shopper]:
    address, limits = f"http://127.0.0.1:{told.port}", {"AUTHCODE_RATE_LIMIT": "off"}
    with running_server(told.home, host="127.0.0.1", port=told.port, address=address, settings=limits):
        yield Shopper(address)


def test_foreign_codes_on_real_photos_are_not_ours_and_named_by_their_host(shopper: Shopper) -> None:
    photos = chosen(with_codes=True)
    assert len(photos) >= ENOUGH
    read = 0
    for entry in photos:
        reply = shopper.send_photo((Path(str(PHOTOS)) / entry["file"]).read_bytes())
        assert reply.status == 200, entry["file"]
        symbols = reply.facts["symbols"]
        assert symbols or reply.facts["advice"], entry["file"]
        read += bool(symbols)
        for symbol in symbols:
            assert (symbol["ours"], symbol["state"]) == (False, "not_ours"), entry["file"]
            address = PLAIN_ADDRESS.match(symbol["text"])
            if address:
                assert symbol["host"] == address[1].lower(), entry["file"]
    assert read >= 0.7 * len(photos)


def test_pictures_without_a_code_are_answered_with_advice_and_never_with_a_symbol(shopper: Shopper) -> None:
    photos = chosen(with_codes=False)
    assert photos
    for entry in photos:
        reply = shopper.send_photo((Path(str(PHOTOS)) / entry["file"]).read_bytes())
        assert reply.status == 200, entry["file"]
        assert reply.facts["symbols"] == [], entry["file"]
        assert reply.facts["advice"]["code"], entry["file"]
