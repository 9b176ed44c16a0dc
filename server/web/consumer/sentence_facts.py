"""The facts of the catalogue's sentences, and the product card, from what the services know of a code."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from markupsafe import Markup, escape

from scanner.errors import PhotoError
from scanner.quality import Advice
from server.domain.codes.redemption import ReturnedBy
from server.domain.codes.verdict import Verdict
from server.services.codes.facts import CodeFacts
from server.storage.products import ProductRecord
from server.web.consumer.view import ProductView, Row, Site
from server.web.consumer.words import SentenceFacts, ShopperCatalogue, Step

_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+", re.ASCII)
_PHONE = re.compile(r"\+?[0-9][0-9 ()/-]{4,24}", re.ASCII)
_QUANTITY = re.compile(r"(?<=[0-9]) (?=[^\W\d]{1,3}\b)")
_WEB = re.compile(r"https?://([A-Za-z0-9.-]+)(?::[0-9]{1,5})?(?:/[^\s\"<>]*)?", re.ASCII)


def site_facts(site: Site) -> dict[str, str | None]:
    """The facts of pages about no code: the site's brand, its contact, and the host its codes lead to."""
    return {"brand": site.brand, "our_host": site.host, **_support_facts(site.support)}


_WITH_CAUTION = frozenset(
    {Verdict.UNUSED, Verdict.WITHHELD, Verdict.GENUINE, Verdict.VERIFIED_BY_YOU, Verdict.ALREADY_VERIFIED}
)
"""Verdicts with which a withdrawn key is worth a caution; the others already stop the visitor."""


def code_facts(catalogue: ShopperCatalogue, facts: CodeFacts, verdict: Verdict, *, now: datetime) -> SentenceFacts:
    """Every fact that the sentences may use about one code; an unknown one takes its sentences with it.

    Dates say how long ago they are, in minutes for the holder alone. Those beside "genuine" do not: whoever loads that
    page again reads the same (docs/protocol.md §2).
    """
    at = None if verdict is Verdict.GENUINE else now
    return {
        "brand": facts.brand,
        "our_host": facts.host,
        "lot": facts.lot,
        "expiry": catalogue.calendar_date(facts.expires) if facts.expires else None,
        "cautious_brand": facts.brand if facts.caution and verdict in _WITH_CAUTION else None,
        "handed_date": catalogue.day_of(facts.handed_on_at, facts.zone) if facts.handed_on_at else None,
        "owner": catalogue.number(facts.hop + 1) if facts.hop else None,
        **_first_use_facts(catalogue, facts, verdict, at),
        **_return_facts(catalogue, facts, verdict, at),
        **_recall_facts(catalogue, facts, at),
        **_later_scan_facts(catalogue, facts, verdict, at),
        **_product_facts(catalogue, facts.product),
        **_support_facts((facts.product and facts.product.support) or facts.support),
    }


def _first_use_facts(
    catalogue: ShopperCatalogue, facts: CodeFacts, verdict: Verdict, now: datetime | None
) -> SentenceFacts:
    """The first verification; `own_date` or `inherited_date` for its holder, where the verdict does not say it."""
    at = facts.first_verified_at
    first_on = (
        facts.first_day_in_zone or facts.first_verified_on or (at.astimezone(facts.zone or UTC).date() if at else None)
    )
    known = {
        "country": catalogue.country(facts.first_country),
        "moment": catalogue.moment(at, facts.zone) if at else None,
    }
    if first_on is not None:
        known["ago"] = _first_use_ago(catalogue, facts, first_on, now)
        known["date"] = catalogue.day(first_on, facts.zone, ago=known["ago"])
        known["heading_date"] = catalogue.calendar_date(first_on)
        if facts.was_yours and verdict not in {Verdict.GENUINE, Verdict.VERIFIED_BY_YOU}:
            known["inherited_date" if facts.hop else "own_date"] = known["date"]
    return known


def _first_use_ago(catalogue: ShopperCatalogue, facts: CodeFacts, day: date, now: datetime | None) -> str | None:
    """How long ago the first verification is; for those who learn its day alone, in days."""
    if now is None:
        return None
    at = facts.first_verified_at
    return catalogue.days_ago(day, now, facts.zone) if at is None else catalogue.ago(at, now)


def _support_facts(support: str | None) -> SentenceFacts:
    """The brand's contact: `support` as it is shown, `contact` as the address a step leads to, if it is an address."""
    return {"support": contact(support), "contact": contact_address(support)}


def _return_facts(
    catalogue: ShopperCatalogue, facts: CodeFacts, verdict: Verdict, now: datetime | None
) -> SentenceFacts:
    """A return to unused: `returned_date` by a holder, `taken_back_date` by the brand."""
    if facts.returned is None:
        return {}
    day = catalogue.day_of(facts.returned.at, facts.zone, now=now)
    name = "returned_date" if facts.returned.by is ReturnedBy.HOLDER else "taken_back_date"
    in_addition = {} if verdict in {Verdict.UNUSED, Verdict.GENUINE} else {f"{name}_beside": day}
    return {name: day, **in_addition}


def _recall_facts(catalogue: ShopperCatalogue, facts: CodeFacts, now: datetime | None) -> SentenceFacts:
    if facts.recall is None:
        return {}
    return {
        "recall_date": catalogue.day_of(facts.recall.at, facts.zone, now=now),
        "reason": facts.recall.reason.rstrip(".") if facts.recall.reason else None,
        "recall_link": contact(facts.recall.link),
    }


def _later_scan_facts(
    catalogue: ShopperCatalogue, facts: CodeFacts, verdict: Verdict, now: datetime | None
) -> SentenceFacts:
    if facts.later is None or verdict is not Verdict.VERIFIED_BY_YOU:
        return {}
    return {
        "other_date": catalogue.day_of(facts.later.at, facts.zone, now=now),
        "other_country": catalogue.country(facts.later.country),
    }


def _product_facts(catalogue: ShopperCatalogue, product: ProductRecord | None) -> SentenceFacts:
    if product is None:
        return {}
    features = len(product.features)
    return {
        "product": unbroken(product.name),
        "placement_hint": product.placement_hint,
        "picture": product.name if product.picture_type else None,
        "things": catalogue.counted("things", features) if features else None,
        "these_features": catalogue.counted("these_features", features) if features else None,
    }


def unbroken(name: str) -> str:
    """A product's name whose quantities stay on one line: "30 ml" never ends as "30" and "ml"."""
    return _QUANTITY.sub("\N{NO-BREAK SPACE}", name)


def contact(text: str | None) -> Markup | None:
    """A contact as its brand wrote it; a link if all of it is a web or mail address or a telephone number."""
    if not text:
        return None
    web = _WEB.fullmatch(text)
    if web:
        return Markup('<a href="{}" rel="noopener">{}</a>').format(text, web.group(1))
    address = contact_address(text)
    return Markup('<a href="{}">{}</a>').format(address, text) if address else escape(text)


def contact_address(text: str | None) -> str | None:
    """The address that a contact leads to; None where there is none, or where it is words."""
    if not text:
        return None
    if _WEB.fullmatch(text):
        return text
    if _MAIL.fullmatch(text):
        return f"mailto:{text}"
    return f"tel:{re.sub(r'[^0-9+]', '', text)}" if _PHONE.fullmatch(text) else None


def advice_numbers(advice: Advice | None) -> tuple[str, Mapping[str, float]]:
    """The code of an advice and its numbers; without one, that there was no code in the picture."""
    return (advice.code, advice.facts) if advice else ("no_code", {})


def refusal_numbers(refused: PhotoError) -> Mapping[str, float]:
    """The numbers of a refused picture, by name; a size in megabytes too."""
    facts = {name: value for name, value in vars(refused).items() if isinstance(value, int | float)}
    return {**facts, "limit_mb": facts["limit_bytes"] / 1_000_000} if "limit_bytes" in facts else facts


def product_view(catalogue: ShopperCatalogue, facts: CodeFacts) -> ProductView:
    """The card of one code's product; without a product it has lot, date and market alone."""
    product = facts.product
    name = unbroken(product.name) if product else facts.brand
    alone = ProductView(
        name=name,
        maker=None,
        picture=None,
        picture_alt=str(catalogue.word("picture_alt", product=name)),
        rows=_rows(catalogue, facts),
    )
    if product is None:
        return alone
    more = _WEB.fullmatch(product.more_url or "")
    return replace(
        alone,
        maker=facts.brand,
        picture=f"/picture/{facts.brand_id}/{product.sku}" if product.picture_type else None,
        features=product.features,
        description=product.description or None,
        more=Step(text=catalogue.word("more_link", more_host=more[1]), href=more[0]) if more else None,
    )


def _rows(catalogue: ShopperCatalogue, facts: CodeFacts) -> tuple[Row, ...]:
    values = (
        ("lot", facts.lot, True),
        ("best_before", catalogue.calendar_date(facts.expires) if facts.expires else None, False),
        ("market", catalogue.countries(facts.markets), False),
        ("serial", facts.serial_printed, True),
    )
    return tuple(
        Row(label=str(catalogue.word(label)), value=value, mono=mono) for label, value, mono in values if value
    )
