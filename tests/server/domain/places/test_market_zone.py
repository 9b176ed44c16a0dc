"""The clock that the shoppers of a market read."""

import pytest

from server.domain.places.market_zone import zone_of_markets


@pytest.mark.parametrize(
    ("markets", "zone"),
    [
        (("KR",), "Asia/Seoul"),
        (("DE",), "Europe/Berlin"),  # has two zones with one clock
        (("KR", "JP"), "Asia/Seoul"),
        (("DE", "AT", "CH"), "Europe/Berlin"),
        (("US",), None),
        (("KR", "DE"), None),
        (("XK",), "Europe/Belgrade"),
        (("XK", "DE"), "Europe/Belgrade"),
        (("KR", "HM"), None),  # of islands where nobody lives no clock is known
        (("KR", "XX"), None),
        (("XX",), None),
        ((), None),
    ],
    ids=str,
)
def test_a_market_has_a_zone_if_its_countries_share_one_clock(markets: tuple[str, ...], zone: str | None) -> None:
    found = zone_of_markets(markets)
    assert (found and found.key) == zone
