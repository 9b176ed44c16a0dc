"""From what the services know to what the catalogue's sentences may use: facts as words, the product as a card."""

import re
from datetime import UTC

from markupsafe import Markup, escape

from server.domain.codes.redemption import ReturnedBy, Verdict
from server.services.codes.facts import CodeFacts, ProductFacts
from server.web.consumer.view import Link, ProductView, Row, Site
from server.web.consumer.words import SentenceFacts, ShopperCatalogue

_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+", re.ASCII)
_PHONE = re.compile(r"\+?[0-9][0-9 ()/-]{4,24}", re.ASCII)
_QUANTITY = re.compile(r"(?<=[0-9]) (?=[^\W\d]{1,3}\b)")
_WEB = re.compile(r"https?://([A-Za-z0-9.-]+)(?::[0-9]{1,5})?(?:/[^\s\"<>]*)?", re.ASCII)


def told_of_site(site: Site) -> dict[str, str | None]:
    """What is known before any code is: whose pages these are, whom to ask, and the host its codes lead to."""
    return {"brand": site.brand, "our_host": site.host, **_told_of_support(site.support)}


_TOLD_WITH_CAUTION = frozenset(
    {Verdict.UNUSED, Verdict.WITHHELD, Verdict.GENUINE, Verdict.VERIFIED_BY_YOU, Verdict.ALREADY_VERIFIED}
)
"""Beside any other answer nobody needs to be told to compare the pack."""


def told_of_code(catalogue: ShopperCatalogue, facts: CodeFacts, verdict: Verdict) -> SentenceFacts:
    """Everything the sentences may use about one code; what is not known is None and takes its sentences with it."""
    own = facts.first_verified_at
    first_on = facts.first_verified_on or (own.astimezone(UTC).date() if own else None)
    first_day = catalogue.day(first_on) if first_on else None
    yours_beside = facts.was_yours and verdict not in {Verdict.GENUINE, Verdict.VERIFIED_BY_YOU}
    return {
        "brand": facts.brand,
        "our_host": facts.host,
        "lot": facts.lot,
        "date": first_day,
        "moment": catalogue.moment(own) if own else None,
        "country": catalogue.country(facts.first_country),
        "expiry": catalogue.calendar_date(facts.expires) if facts.expires else None,
        "own_date": first_day if yours_beside and not facts.hop else None,
        "cautious_brand": facts.brand if facts.caution and verdict in _TOLD_WITH_CAUTION else None,
        "inherited_date": first_day if yours_beside and facts.hop else None,
        "owner": catalogue.number(facts.hop + 1) if facts.hop else None,
        **_told_of_return(catalogue, facts, verdict),
        **_told_of_recall(catalogue, facts),
        **_told_of_later_scan(catalogue, facts, verdict),
        **_told_of_product(catalogue, facts.product),
        **_told_of_support((facts.product and facts.product.support) or facts.support),
    }


def _told_of_support(support: str | None) -> SentenceFacts:
    """Whom to ask: `support` as it is shown, `contact` as the address a step leads to, where it plainly is one."""
    return {"support": contact(support), "contact": contact_address(support)}


def _told_of_return(catalogue: ShopperCatalogue, facts: CodeFacts, verdict: Verdict) -> SentenceFacts:
    """A return to unused: `returned_date` by a holder, `taken_back_date` by the brand; said beside other verdicts."""
    if facts.returned is None:
        return {}
    day = catalogue.day(facts.returned.at.astimezone(UTC).date())
    name = "returned_date" if facts.returned.by is ReturnedBy.HOLDER else "taken_back_date"
    beside = {} if verdict in {Verdict.UNUSED, Verdict.GENUINE} else {f"{name}_beside": day}
    return {name: day, **beside}


def _told_of_recall(catalogue: ShopperCatalogue, facts: CodeFacts) -> SentenceFacts:
    if facts.recall is None:
        return {}
    return {
        "recall_date": catalogue.day(facts.recall.at.astimezone(UTC).date()),
        "reason": facts.recall.reason.rstrip(".") if facts.recall.reason else None,
        "recall_link": contact(facts.recall.link),
    }


def _told_of_later_scan(catalogue: ShopperCatalogue, facts: CodeFacts, verdict: Verdict) -> SentenceFacts:
    if facts.later is None or verdict is not Verdict.VERIFIED_BY_YOU:
        return {}
    return {
        "other_date": catalogue.day(facts.later.at.astimezone(UTC).date()),
        "other_country": catalogue.country(facts.later.country),
    }


def _told_of_product(catalogue: ShopperCatalogue, product: ProductFacts | None) -> SentenceFacts:
    if product is None:
        return {}
    features = len(product.features)
    return {
        "product": unbroken(product.name),
        "placement_hint": product.placement_hint,
        "picture": product.name if product.has_picture else None,
        "things": catalogue.counted("things", features) if features else None,
        "these_features": catalogue.counted("these_features", features) if features else None,
    }


def unbroken(name: str) -> str:
    """A product's name whose quantities stay on one line: "30 ml" never ends as "30" and "ml"."""
    return _QUANTITY.sub("\N{NO-BREAK SPACE}", name)


def contact(text: str | None) -> Markup | None:
    """A contact as its brand wrote it, as a link where it plainly is a web or mail address or a telephone number."""
    if not text:
        return None
    web = _WEB.fullmatch(text)
    if web:
        return Markup('<a href="{}" rel="noopener">{}</a>').format(text, web.group(1))
    address = contact_address(text)
    return Markup('<a href="{}">{}</a>').format(address, text) if address else escape(text)


def contact_address(text: str | None) -> str | None:
    """Where a contact leads; None where there is none, or where it is no address but words."""
    if not text:
        return None
    if _WEB.fullmatch(text):
        return text
    if _MAIL.fullmatch(text):
        return f"mailto:{text}"
    return f"tel:{re.sub(r'[^0-9+]', '', text)}" if _PHONE.fullmatch(text) else None


def product_view(catalogue: ShopperCatalogue, facts: CodeFacts, picture: str | None) -> ProductView:
    """The card of one code's product (without one: lot, date, market alone). `picture` is an address."""
    product = facts.product
    name = unbroken(product.name) if product else facts.brand
    more = _WEB.fullmatch(product.more_url) if product and product.more_url else None
    return ProductView(
        name=name,
        maker=facts.brand if product else None,
        picture=picture,
        picture_alt=str(catalogue.word("picture_alt", product=name)),
        rows=_rows(catalogue, facts),
        features=product.features if product else (),
        description=(product.description or None) if product else None,
        more=Link(href=more.group(), text=str(catalogue.word("more_link", more_host=more.group(1)))) if more else None,
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
