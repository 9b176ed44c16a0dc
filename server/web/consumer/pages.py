"""Which page says what: an answer of the services becomes one `Page`, with its words, tint, card and next steps.

The skeleton is the same for every answer; only words, tint and the one button differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from markupsafe import Markup

from authcode.code.foreign import ForeignText
from authcode.code.serial import MAX_TYPED_CHARACTERS, Tier
from authcode.order.order import Placement
from keys.format.domains import Listing
from server.domain.codes.redemption import Verdict
from server.services.codes.attempts import Channel
from server.services.codes.facts import KEY_WITHDRAWN, CodeFacts
from server.services.codes.receipts import Ended
from server.web.consumer.sentence_facts import product_view, told_of_code, told_of_site
from server.web.consumer.view import (
    Burn,
    Card,
    Confirm,
    KeepForm,
    Page,
    ProductView,
    ProofView,
    ReceiptView,
    Site,
    Tint,
)
from server.web.consumer.words import ShopperCatalogue, Words

_TINTS = {
    Verdict.UNUSED: Tint.NOT_YET,
    Verdict.WITHHELD: Tint.NOT_YET,
    Verdict.GENUINE: Tint.FINE,
    Verdict.VERIFIED_BY_YOU: Tint.FINE,
    Verdict.ALREADY_VERIFIED: Tint.CAREFUL,
    Verdict.NOT_ACTIVATED: Tint.NOT_YET,
    Verdict.EXPIRED: Tint.STOP,
    Verdict.RECALLED: Tint.RECALL,
    Verdict.VOID: Tint.STOP,
    Verdict.SAMPLE: Tint.CAREFUL,
    Verdict.LOCKED: Tint.CAREFUL,
    Verdict.NOT_OURS: Tint.CAREFUL,
}
_OPENS_ITS_PAGE = frozenset({Verdict.UNUSED, Verdict.WITHHELD})
_SHOWS_GENUINE_PACK = frozenset({Verdict.ALREADY_VERIFIED, Verdict.LOCKED})
_NAMES_SUPPORT_ITSELF = frozenset({Verdict.EXPIRED, Verdict.RECALLED})
_TOLD_BESIDE_A_PROOF = frozenset({Verdict.RECALLED, Verdict.VOID, Verdict.LOCKED, Verdict.EXPIRED})
_PAGE_LINKS = {"home": "/", "photo": "/#photo", "serial": "/#serial"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One code as it is to be told: what is said of it, what is known, and how it came to us."""

    verdict: Verdict
    facts: CodeFacts | None
    foreign: ForeignText | None
    channel: Channel
    picture: str | None = None
    code_page: str | None = None
    cut: bool = False
    """Whether a link form's 8030 was lost on the way, so that there is no signature to check."""


class PageMaker:
    """Makes pages in one language for one site."""

    def __init__(self, catalogue: ShopperCatalogue, site: Site) -> None:
        """Take the visitor's catalogue and whose pages these are when no code says so."""
        self._catalogue = catalogue
        self._site = site

    def code_page(  # noqa: PLR0913 - what one page can hold
        self,
        seen: Seen,
        *,
        burn: Burn | None,
        notes: Sequence[str] = (),
        answer: bool = False,
        receipt: ReceiptView | None = None,
        keep_form: KeepForm | None = None,
    ) -> Page:
        """The page of one code: look, verdict, or not ours. `notes` names sentences to add beside the explanation."""
        places: dict[str, object] = {"receipt": receipt, "keep": keep_form}
        places |= {str(act): act for act in (receipt.acts if receipt else ())}
        product = self._product(seen)
        told = self._told(seen)
        always = ("was_yours", "others_tried", "returned", "owner", "caution_key_withdrawn")
        said = (self._note(name, told, product) for name in (*always, *notes))
        return Page(
            site=self._site_of(seen),
            tint=_tint_of(seen),
            words=self._words(seen, product, tuple(name for name, part in places.items() if part), receipt),
            notes=tuple(note for note in said if note),
            product=product,
            burn=burn,
            receipt=receipt,
            keep_form=keep_form,
            code_page=seen.code_page if seen.verdict in _OPENS_ITS_PAGE else None,
            support=None if seen.verdict in _NAMES_SUPPORT_ITSELF else self._support(told),
            compare_open=seen.verdict in _SHOWS_GENUINE_PACK,
            answer=answer,
        )

    def cards_page(self, symbols: Sequence[Seen], *, left_out: int) -> Page:
        """Several codes in one picture: a card each, in the order in which they were read; and how many have none."""
        count = self._catalogue.number(len(symbols))
        told = {**told_of_site(self._site), "symbols": count}
        if left_out:
            told |= {"most_symbols": count, "left_out": self._catalogue.number(left_out)}
        return Page(
            site=self._site,
            tint=Tint.PLAIN,
            words=self._catalogue.page("several", told, {}),
            cards=tuple(self._card(seen) for seen in symbols),
            answer=True,
        )

    def unreadable_page(self, code: str, numbers: Mapping[str, float]) -> Page:
        """Nothing was read in a picture: what it lacked, by the scanner's advice code or the photo's refusal code."""
        facts = {name: self._catalogue.number(value) for name, value in numbers.items()}
        advice = self._catalogue.advise(code, facts)
        return self.plain_page("unreadable", tint=Tint.NOT_YET, told={"advice": advice}, forms=True)

    def home_page(self) -> Page:
        """The page "Check a code" with its two forms."""
        words = self._catalogue.page("home", told_of_site(self._site), _PAGE_LINKS)
        return Page(site=self._site, tint=Tint.PLAIN, words=words, forms=True, is_home=True)

    def proof_home_page(self) -> Page:
        """The page "Check a receipt" with its two forms."""
        words = self._catalogue.page("proof_home", told_of_site(self._site), _PAGE_LINKS)
        return Page(site=self._site, tint=Tint.PLAIN, words=words, proof_forms=True)

    def proof_page(
        self, proof: ProofView, facts: CodeFacts, *, since: Verdict | None, moment: str, picture: str | None
    ) -> Page:
        """A proof that holds and is on record; `since` is what now stands before the use of its code."""
        told = {**told_of_code(self._catalogue, facts, Verdict.ALREADY_VERIFIED), "moment": moment}
        beside = f"proof_{_reasoned(since, facts)}" if since in _TOLD_BESIDE_A_PROOF else None
        note = self._catalogue.note(beside, told) if beside else None
        tint = _TINTS[since] if since is not None and note else Tint.FINE
        site = _site_of_code(facts)
        return Page(
            site=site,
            tint=tint,
            words=self._catalogue.page("proof_good", told, {**_PAGE_LINKS, "product": "#product"}),
            notes=(note,) if note else (),
            product=product_view(self._catalogue, facts, picture),
            proof=proof,
            answer=True,
        )

    def proof_gone_page(self, moment: str, ended: Ended | None) -> Page:
        """A proof that holds, of a verification that is not on record any more; what became of it, where we know."""
        page = self._proof_answer("proof_gone", {"moment": moment})
        if ended is None:
            return page
        told = {"ended_date": self._catalogue.day(ended.at.astimezone(UTC).date()) if ended.at else None}
        note = self._catalogue.note(f"proof_{ended.how}" + (f"_{ended.by}" if ended.by else ""), told)
        return replace(page, notes=(note,) if note else ())

    def act_page(  # noqa: PLR0913 - what one page can hold
        self,
        name: str,
        facts: CodeFacts,
        *,
        tint: Tint,
        picture: str | None,
        confirm: Confirm | None = None,
        receipt: ReceiptView | None = None,
        left: ReceiptView | None = None,
        notes: Sequence[str] = (),
    ) -> Page:
        """What a holder's act will do, with the form that confirms it; or what it did."""
        told = {**told_of_code(self._catalogue, facts, Verdict.ALREADY_VERIFIED), **_told_of_receipt(receipt)}
        said = (self._catalogue.note(note, told) for note in notes)
        return Page(
            site=_site_of_code(facts),
            tint=tint,
            words=self._catalogue.page(name, told, {"receipt": "#receipt"} if receipt else {}),
            notes=tuple(note for note in said if note),
            product=product_view(self._catalogue, facts, picture),
            confirm=confirm,
            receipt=receipt,
            left=left,
            answer=True,
        )

    def proof_refused_page(self, code: str) -> Page:
        """A text that is no proof of this server, by the code of the refusal."""
        return self._proof_answer(code, {})

    def proof_photo_page(self, code: str, numbers: Mapping[str, float]) -> Page:
        """Nothing was read in a picture of a receipt, by the scanner's advice code or the photo's refusal code."""
        facts = {name: self._catalogue.number(value) for name, value in numbers.items()}
        return self._proof_answer("proof_unread", {"advice": self._catalogue.advise(code, facts)})

    def _proof_answer(self, name: str, told: Mapping[str, str | None]) -> Page:
        words = self._catalogue.page(name, {**told_of_site(self._site), **told}, {"home": "/", "paste": "#paste"})
        return Page(site=self._site, tint=Tint.CAREFUL, words=words, proof_forms=True, answer=True)

    def typed_page(self, name: str, typed: str, *, tint: Tint, told: Mapping[str, str | None] | None = None) -> Page:
        """A page about a short code that was typed and leads to no code; what can be shown of it stays in its field."""
        kept = "".join(mark for mark in typed[:MAX_TYPED_CHARACTERS] if mark.isprintable())
        return replace(self.plain_page(name, tint=tint, told=told, forms=True), typed=kept)

    def plain_page(
        self, name: str, *, tint: Tint = Tint.NOT_YET, told: Mapping[str, str | None] | None = None, forms: bool = False
    ) -> Page:
        """A page about no code in particular. With `forms` its links lead to the forms on the page itself."""
        links = {"home": "/", "photo": "#photo", "serial": "#serial"} if forms else _PAGE_LINKS
        known = {**told_of_site(self._site), **(told or {})}
        words = self._catalogue.page(name, known, {**links, **_contact_link(known)})
        return Page(site=self._site, tint=tint, words=words, forms=forms, answer=True)

    def _card(self, seen: Seen) -> Card:
        product = self._product(seen)
        code_page = seen.code_page if seen.verdict in _OPENS_ITS_PAGE else None
        words = self._catalogue.page(_entry_name(seen), self._told(seen), {})
        return Card(tint=_tint_of(seen), words=words, product=product, code_page=code_page)

    def _words(
        self, seen: Seen, product: ProductView | None, places: Sequence[str], receipt: ReceiptView | None
    ) -> Words:
        links = {**_PAGE_LINKS, **{name: f"#{name}" for name in places}}
        if product is not None:
            links["product"] = "#product"
            if product.has_comparison:
                links["compare"] = "#compare"
        told = {**self._told(seen), **_told_of_receipt(receipt)}
        return self._catalogue.page(_entry_name(seen), told, {**links, **_contact_link(told)})

    def _note(self, name: str, told: Mapping[str, str | None], product: ProductView | None) -> Markup | None:
        """A sentence beside the explanation; that others tried says where the genuine pack is shown."""
        note = self._catalogue.note(name, told)
        if note and name == "others_tried" and product is not None and product.has_comparison:
            return Markup('{} <a href="#compare">{}</a>').format(note, self._catalogue.word("compare_link"))
        return note

    def _told(self, seen: Seen) -> dict[str, str | None]:
        told = told_of_site(self._site)
        if seen.facts is not None:
            told |= told_of_code(self._catalogue, seen.facts, seen.verdict)
        if seen.foreign is not None:
            told |= {"host": seen.foreign.host, "shortened": seen.foreign.shortened}
            told |= _told_of_lister(seen.foreign, self._site)
        return told

    def _product(self, seen: Seen) -> ProductView | None:
        return product_view(self._catalogue, seen.facts, seen.picture) if seen.facts is not None else None

    def _support(self, told: Mapping[str, str | None]) -> Markup | None:
        brand, support = told.get("brand"), told.get("support")
        return self._catalogue.word("support", brand=brand, support=support) if brand and support else None

    def _site_of(self, seen: Seen) -> Site:
        return _site_of_code(seen.facts) if seen.facts is not None else self._site


def _site_of_code(facts: CodeFacts) -> Site:
    return Site(brand=facts.brand, host=facts.host, brand_id=facts.brand_id)


def _told_of_lister(foreign: ForeignText, site: Site) -> dict[str, str | None]:
    """The brand that lists a foreign host; where our own codes lead is known for the site's brand alone."""
    if foreign.listed is None or foreign.listed.brand_id.hex() == site.brand_id:
        return {}
    return {"brand": foreign.listed.brand, "our_host": None}


def _contact_link(told: Mapping[str, str | None]) -> dict[str, str]:
    """Where the steps lead that ask to tell the brand something; nowhere where it gave no address."""
    address = told.get("contact")
    return {"contact": address} if address else {}


def _told_of_receipt(receipt: ReceiptView | None) -> dict[str, str | None]:
    if receipt is None:
        return {}
    return {"keep_code": receipt.keep_code, "undo_until": receipt.undo_until}


def _tint_of(seen: Seen) -> Tint:
    listed = seen.foreign.listed if seen.foreign is not None else None
    return Tint.NOT_YET if listed is not None and listed.listing is Listing.PARTNER else _TINTS[seen.verdict]


def _entry_name(seen: Seen) -> str:
    """The catalogue's entry for a code: by what is said, where the burning code sits, and how the code came to us."""
    if seen.verdict is Verdict.UNUSED:
        return _look_name(seen)
    if seen.verdict is Verdict.GENUINE:
        if seen.facts is not None and seen.facts.returned is not None:
            return "genuine_returned"
        visible = seen.facts is None or seen.facts.placement is Placement.VISIBLE or seen.facts.caution is not None
        return "genuine_visible" if visible else "genuine_hidden"
    if seen.verdict is Verdict.NOT_OURS and seen.foreign is not None:
        return _foreign_name(seen.foreign)
    if seen.verdict is Verdict.VERIFIED_BY_YOU and seen.facts is not None and seen.facts.hop:
        return "verified_before_you"
    return _reasoned(seen.verdict, seen.facts)


def _foreign_name(foreign: ForeignText) -> str:
    if foreign.listed is not None:
        return f"not_ours_{foreign.listed.listing}"
    leads_somewhere = foreign.host or foreign.shortened.lower().startswith(("http:", "https:"))
    return "not_ours_foreign" if leads_somewhere else "not_ours_text"


def _reasoned(verdict: Verdict | None, facts: CodeFacts | None) -> str:
    """A verdict, with the reason where a lock has one: a withdrawn key says nothing about copies."""
    withdrawn = verdict is Verdict.LOCKED and facts is not None and facts.locked_reason == KEY_WITHDRAWN
    return f"{verdict}_{KEY_WITHDRAWN}" if withdrawn else str(verdict)


def _look_name(seen: Seen) -> str:
    if seen.facts is not None and seen.facts.returned is not None:
        return "look_returned"
    if seen.facts is not None and seen.facts.tier is Tier.OUTER:
        return "look_outer"
    if seen.channel is Channel.SERIAL:
        return "look_typed"
    return "look_cut" if seen.cut else "look"
