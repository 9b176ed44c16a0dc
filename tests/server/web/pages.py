"""Facts of imaginary codes, and somebody who sees pages."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from authcode.code.foreign import ForeignText, describe_foreign
from authcode.code.serial import Tier
from authcode.order.order import Placement
from keys.format.domains import ListedHost, Listing
from server.domain.codes.redemption import Returned, ReturnedBy
from server.domain.codes.verdict import Verdict
from server.services.codes.attempts import Channel
from server.services.codes.facts import CodeFacts, LaterScan, RecallFacts
from server.storage.products import ProductRecord
from server.web.consumer.pages import ShownCode
from server.web.consumer.view import Burn, Site

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
READ_AT = NOW + timedelta(days=3)
"""When the pages are read."""


SITE = Site(brand="Aurora", host="v.aurora.example", brand_id=bytes(16).hex())


ADDRESS = "https://v.example.com"
PRODUCT = ProductRecord(
    sku="TEA",
    name="Oolong tea",
    gtin="09506000134352",
    description="From one garden.",
    features=("The lid is embossed.", "The lot is engraved.", "The foil has fine lines."),
    picture_type="image/jpeg",
    support="care@aurora.example",
    placement_hint="on the bottom of the tin",
    more_url="https://www.aurora.example/oolong",
)
FACTS = CodeFacts(
    brand="Aurora",
    brand_id="00" * 16,
    product=PRODUCT,
    lot="L2611A",
    expires=date(2028, 3, 31),
    markets=("KR", "JP"),
    placement=Placement.VISIBLE,
    tier=Tier.SINGLE,
    host="v.aurora.example",
    serial="7Q4KM2XD9FA1C",
    serial_printed="7Q4K M2XD 9FA1 C·N",
)
USED = replace(FACTS, first_verified_on=date(2026, 11, 20), first_country="KR")


MINE = replace(FACTS, first_verified_at=NOW, first_verified_on=NOW.date(), first_country="DE", was_yours=True)


RETURNED = Returned(life=0, at=NOW, by=ReturnedBy.HOLDER)


BARE = replace(FACTS, product=None, lot=None, expires=None, markets=())


def listed(host: str, listing: Listing, brand: str = "Aurora") -> ForeignText:
    """An address whose host stands on a brand's list."""
    brand_id = bytes(16) if brand == "Aurora" else bytes(15) + b"\1"
    known = ListedHost(listing=listing, brand_id=brand_id, brand=brand, domain=host)
    return replace(describe_foreign(f"https://{host}/q"), listed=known)


def seen(
    verdict: Verdict, facts: CodeFacts | None = FACTS, channel: Channel = Channel.PAGE, **more: object
) -> ShownCode:
    values: dict[str, object] = {"verdict": verdict, "facts": facts, "foreign": None, "channel": channel} | more
    return ShownCode(**values)  # type: ignore[arg-type]


RECALLED = replace(
    FACTS, recall=RecallFacts(at=NOW, reason="a seal may leak", link="https://www.aurora.example/recall")
)
EVERY_SEEN = {
    "look": seen(Verdict.UNUSED),
    "look, bare": seen(Verdict.UNUSED, BARE),
    "look at an outer code": seen(Verdict.UNUSED, replace(FACTS, tier=Tier.OUTER)),
    "look, returned": seen(Verdict.UNUSED, replace(FACTS, returned=RETURNED)),
    "look at an outer code, returned by staff": seen(
        Verdict.UNUSED, replace(FACTS, tier=Tier.OUTER, returned=replace(RETURNED, by=ReturnedBy.STAFF))
    ),
    "look by serial, returned": seen(Verdict.UNUSED, replace(FACTS, returned=RETURNED), channel=Channel.SERIAL),
    "genuine, returned": seen(Verdict.GENUINE, replace(MINE, returned=RETURNED)),
    "already verified, returned before": seen(Verdict.ALREADY_VERIFIED, replace(USED, returned=RETURNED)),
    "verified by you, handed on": seen(Verdict.VERIFIED_BY_YOU, replace(MINE, hop=2)),
    "look by serial": seen(Verdict.UNUSED, channel=Channel.SERIAL),
    "look without signature": seen(Verdict.UNUSED, cut=True),
    "look, withheld": seen(Verdict.WITHHELD),
    "look by photo": seen(Verdict.UNUSED, channel=Channel.PHOTO, code_page="/K1"),
    "genuine, visible": seen(Verdict.GENUINE, MINE),
    "genuine, bare": seen(Verdict.GENUINE, replace(MINE, product=None)),
    "genuine, hidden": seen(Verdict.GENUINE, replace(MINE, placement=Placement.SCRATCH)),
    "verified by you": seen(Verdict.VERIFIED_BY_YOU, MINE),
    "verified by you, others tried": seen(
        Verdict.VERIFIED_BY_YOU, replace(MINE, later=LaterScan(at=NOW, country="VN"))
    ),
    "already verified": seen(Verdict.ALREADY_VERIFIED, USED),
    "already verified, handed on by you": seen(Verdict.ALREADY_VERIFIED, replace(USED, handed_on_at=NOW)),
    "already verified, nowhere": seen(Verdict.ALREADY_VERIFIED, replace(USED, first_country=None)),
    "not activated": seen(Verdict.NOT_ACTIVATED, BARE),
    "expired": seen(Verdict.EXPIRED),
    "recalled": seen(Verdict.RECALLED, RECALLED),
    "recalled, handed on to you": seen(
        Verdict.RECALLED, replace(RECALLED, first_verified_at=NOW, was_yours=True, hop=1)
    ),
    "recalled, yours": seen(Verdict.RECALLED, replace(RECALLED, first_verified_at=NOW, was_yours=True)),
    "void": seen(Verdict.VOID),
    "sample": seen(Verdict.SAMPLE),
    "locked": seen(Verdict.LOCKED, replace(USED, locked_reason="copies_found")),
    "locked, yours": seen(Verdict.LOCKED, replace(MINE, locked_reason="copies_found")),
    "look, key withdrawn": seen(Verdict.UNUSED, replace(FACTS, caution="key_withdrawn")),
    "genuine, hidden, key withdrawn": seen(
        Verdict.GENUINE, replace(MINE, placement=Placement.SCRATCH, caution="key_withdrawn")
    ),
    "void, key withdrawn": seen(Verdict.VOID, replace(FACTS, caution="key_withdrawn")),
    "locked, key withdrawn": seen(Verdict.LOCKED, replace(USED, locked_reason="key_withdrawn")),
    "another website": seen(Verdict.NOT_OURS, None, foreign=describe_foreign("https://a.example/q?x=1")),
    "unclear website": seen(
        Verdict.NOT_OURS, None, foreign=describe_foreign("HTTPS://EVIL.EXAMPLE\\@V.AURORA.EXAMPLE/")
    ),
    "a partner's website": seen(Verdict.NOT_OURS, None, foreign=listed("shop.example", Listing.PARTNER)),
    "a known look-alike": seen(Verdict.NOT_OURS, None, foreign=listed("aur0ra.example", Listing.LOOKALIKE)),
    "a partner of another brand": seen(Verdict.NOT_OURS, None, foreign=listed("a.example", Listing.PARTNER, "Boreal")),
    "no address": seen(Verdict.NOT_OURS, None, foreign=describe_foreign("WIFI:T:WPA;S:cafe;;")),
    "not ours": seen(Verdict.NOT_OURS, None),
}


def burn_form() -> Burn:
    return Burn(action="/K1", token="token", claim="claim")


@dataclass(frozen=True)
class Browser:
    """Somebody with a cookie jar, who sees pages at the brand's own address."""

    follows: ClassVar[bool] = True

    client: FlaskClient
    address: str = ADDRESS

    def open(self, target: str, **more: object) -> TestResponse:
        return self.client.get(target, base_url=self.address, **more)  # type: ignore[arg-type]

    def send(
        self, target: str, form: dict[str, object], there: dict[str, str] | None = None, **headers: str
    ) -> TestResponse:
        """Send a form, and follow where the answer leads; `there` is the address of the network."""
        sent = {"Origin": self.address, "Referer": f"{self.address}/"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self.client.post(
            target,
            data=form,
            base_url=self.address,
            headers=sent,
            environ_base=there or {},
            follow_redirects=self.follows,
        )

    def verify(self, target: str, there: dict[str, str] | None = None, **headers: str) -> TestResponse:
        """Look, tick what is to be ticked, and press the button."""
        html = self.open(target).text
        return self.send(target, hidden(html) | ({"bought": "on"} if 'name="bought"' in html else {}), there, **headers)


def hidden(html: str) -> dict[str, object]:
    """The hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))


def heading(html: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", html)
    assert found is not None, html
    return found.group(1)


def target(code: str) -> str:
    """Path and query of a code's text."""
    return "/" + code.split("/", 3)[3]
