"""Each verdict that has words of its own, with imaginary facts."""

from collections.abc import Callable
from dataclasses import replace

from authcode.code.foreign import describe_foreign
from authcode.code.serial import Tier
from authcode.order.order import Placement
from keys.format.domains import Listing
from server.domain.codes.redemption import ReturnedBy
from server.domain.codes.verdict import Verdict
from server.services.codes.attempts import Channel
from server.services.codes.facts import LaterScan
from server.web.consumer.pages import PageMaker, ShownCode
from server.web.consumer.problems import OFFLINE_RETRY_S
from server.web.consumer.view import Burn, Offers, Page, ReceiptView, Site
from server.web.consumer.words import catalogues
from tests.server.web.pages import BARE, FACTS, MINE, NOW, READ_AT, RECALLED, RETURNED, USED, listed, seen

RECEIPT = ReceiptView(
    keep_code="7Q4K-M2XD-9FA1",
    proof="/proof/p",
    action="/K1",
    claim=None,
    proven_by=None,
    acts=("hand_on", "undo", "erase"),
    undo_until="22 November 2026, 14:05 UTC",
)
KEEP = "/K1"
BURN = Burn(action="/K1", token="t", claim="c")


HIDDEN = replace(MINE, placement=Placement.SCRATCH)


COPIED = {"locked_reason": "copies_found"}


WITHDRAWN = {"locked_reason": "key_withdrawn"}


LATER = LaterScan(at=NOW, country="VN")


FOREIGN = describe_foreign("https://shop.example.net/q?x=1")


UNCLEAR = describe_foreign("HTTPS://EVIL.EXAMPLE\\@V.AURORA.EXAMPLE/")


Make = Callable[[PageMaker], Page]


def code(one: ShownCode, **more: object) -> Make:
    return lambda maker: maker.code_page(one, Offers(**more))  # type: ignore[arg-type]


def bare(verdict: Verdict, **more: object) -> Make:
    """A code of which nothing but its brand is known, of a brand that names nobody to ask."""
    return code(seen(verdict, replace(BARE, **more)))  # type: ignore[arg-type]


RETURNED_BY_STAFF = replace(RETURNED, by=ReturnedBy.STAFF)


CASES: dict[str, Make] = {
    "look": lambda maker: maker.code_page(seen(Verdict.UNUSED), Offers(burn=BURN)),
    "genuine, visible code": code(seen(Verdict.GENUINE, MINE), receipt=RECEIPT),
    "genuine, inside or scratch code": code(seen(Verdict.GENUINE, HIDDEN), receipt=RECEIPT),
    "verified_by_you": code(seen(Verdict.VERIFIED_BY_YOU, MINE), receipt=RECEIPT),
    "verified_by_you, others tried": code(seen(Verdict.VERIFIED_BY_YOU, replace(MINE, later=LATER)), receipt=RECEIPT),
    "already_verified": code(seen(Verdict.ALREADY_VERIFIED, USED), keep_action=KEEP),
    "not_activated": code(seen(Verdict.NOT_ACTIVATED)),
    "expired": code(seen(Verdict.EXPIRED)),
    "recalled": code(seen(Verdict.RECALLED, RECALLED)),
    "void": code(seen(Verdict.VOID)),
    "sample": code(seen(Verdict.SAMPLE)),
    "locked": code(seen(Verdict.LOCKED, replace(USED, **COPIED)), keep_action=KEEP),  # type: ignore[arg-type]
    "locked, to the holder": code(seen(Verdict.LOCKED, replace(MINE, **COPIED)), receipt=RECEIPT),  # type: ignore[arg-type]
    "not_ours, foreign host": code(seen(Verdict.NOT_OURS, None, foreign=FOREIGN)),
    "not_ours, forged or unknown": code(seen(Verdict.NOT_OURS, None)),
    "unreadable photo": lambda maker: maker.unreadable_page("no_code", {}),
    "offline": lambda maker: maker.plain_page("offline", facts={"retry_s": str(OFFLINE_RETRY_S)}),
    # Less is known: sentences and steps are dropped whole, or a shorter wording steps in.
    "look, nothing known": bare(Verdict.UNUSED),
    "genuine, visible code, nothing known": bare(Verdict.GENUINE, first_verified_at=NOW, was_yours=True),
    "genuine, scratch code, nothing known": bare(
        Verdict.GENUINE, first_verified_at=NOW, was_yours=True, placement=Placement.SCRATCH
    ),
    "verified_by_you, nothing known": bare(Verdict.VERIFIED_BY_YOU, was_yours=True),
    "verified_by_you, others tried somewhere": bare(
        Verdict.VERIFIED_BY_YOU, first_verified_at=NOW, was_yours=True, later=replace(LATER, country=None)
    ),
    "already_verified, nothing known": bare(Verdict.ALREADY_VERIFIED, first_verified_on=NOW.date()),
    "already_verified, a contact and no picture": code(
        replace(seen(Verdict.ALREADY_VERIFIED, replace(BARE, support="+82 2 555-0100", first_verified_on=NOW.date())))
    ),
    "not_activated, nothing known": bare(Verdict.NOT_ACTIVATED),
    "not_activated, a contact in words": code(seen(Verdict.NOT_ACTIVATED, replace(BARE, support="Ask at any counter"))),
    "expired, nothing known": bare(Verdict.EXPIRED),
    "recalled, nothing known": bare(Verdict.RECALLED),
    "void, nothing known": bare(Verdict.VOID),
    "sample, nothing known": bare(Verdict.SAMPLE),
    "locked, nothing known": bare(Verdict.LOCKED, **COPIED),
    "not_ours, foreign host, nothing known": lambda _: anybody().code_page(
        seen(Verdict.NOT_OURS, None, foreign=FOREIGN)
    ),
    "not_ours, unclear host": code(seen(Verdict.NOT_OURS, None, foreign=UNCLEAR)),
    "not_ours, unclear host, nothing known": lambda _: anybody().code_page(
        seen(Verdict.NOT_OURS, None, foreign=UNCLEAR)
    ),
    "not_ours, forged or unknown, nothing known": lambda _: anybody().code_page(seen(Verdict.NOT_OURS, None)),
    "unreadable photo, nothing known": lambda _: anybody().unreadable_page("move_closer", {"module_px": 1.8}),
    "offline, nothing known": lambda _: anybody().plain_page("offline"),
    # Pages that were not specified.
    "look, withheld": code(seen(Verdict.WITHHELD), keep_action=KEEP),
    "look at an outer code": code(seen(Verdict.UNUSED, replace(FACTS, tier=Tier.OUTER))),
    "look by short code": code(seen(Verdict.UNUSED, channel=Channel.SERIAL)),
    "look without signature": code(seen(Verdict.UNUSED, cut=True)),
    "look, returned by its holder": code(seen(Verdict.UNUSED, replace(FACTS, returned=RETURNED))),
    "look, returned by its brand": code(seen(Verdict.UNUSED, replace(FACTS, returned=RETURNED_BY_STAFF))),
    "genuine, returned by its holder": code(seen(Verdict.GENUINE, replace(MINE, returned=RETURNED)), receipt=RECEIPT),
    "genuine, returned by its brand": code(
        seen(Verdict.GENUINE, replace(MINE, returned=RETURNED_BY_STAFF)), receipt=RECEIPT
    ),
    "already_verified, returned before": code(seen(Verdict.ALREADY_VERIFIED, replace(USED, returned=RETURNED))),
    "already_verified, handed on by you": code(
        seen(Verdict.ALREADY_VERIFIED, replace(USED, handed_on_at=NOW)), keep_action=KEEP
    ),
    "verified_by_you, handed on": code(seen(Verdict.VERIFIED_BY_YOU, replace(MINE, hop=2)), receipt=RECEIPT),
    "locked, handed on": code(seen(Verdict.LOCKED, replace(MINE, hop=1, **COPIED)), receipt=RECEIPT),  # type: ignore[arg-type]
    "locked, key withdrawn": code(seen(Verdict.LOCKED, replace(USED, **WITHDRAWN)), keep_action=KEEP),  # type: ignore[arg-type]
    "locked, key withdrawn, to the holder": code(
        seen(Verdict.LOCKED, replace(MINE, **WITHDRAWN)),  # type: ignore[arg-type]
        receipt=RECEIPT,
    ),
    "locked, key withdrawn, nothing known": bare(Verdict.LOCKED, **WITHDRAWN),
    "genuine, key withdrawn": code(seen(Verdict.GENUINE, replace(HIDDEN, caution="key_withdrawn")), receipt=RECEIPT),
    "not_ours, a partner's website": code(
        seen(Verdict.NOT_OURS, None, foreign=listed("shop.example", Listing.PARTNER))
    ),
    "not_ours, a known look-alike": code(
        seen(Verdict.NOT_OURS, None, foreign=listed("aur0ra.example", Listing.LOOKALIKE))
    ),
    **{
        f"not_ours, {name}": code(seen(Verdict.NOT_OURS, None, foreign=describe_foreign(text)))
        for name, text in {
            "no address": "Best before 12/2027",
            "a payment": "upi://pay?pa=someone@bank",
            "a call": "tel:+15550100",
            "a wi-fi": "WIFI:T:WPA;S:cafe;P:secret;;",
            "a shortened link": "https://bit.ly/3xYz",
        }.items()
    },
}


def anybody() -> PageMaker:
    """The pages of a server with several brands, none of which is meant."""
    return PageMaker(catalogues()["en"], Site(brand=None, host="v.aurora.example"), READ_AT)
