"""The contents of each page: an answer of the services becomes one `Page`, with its words, tint, card and next steps.

The skeleton is the same for every answer; only words, tint and the one button differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from markupsafe import Markup

from authcode.code.foreign import ForeignText
from authcode.code.serial import MAX_TYPED_CHARACTERS, Tier
from authcode.order.order import Placement
from keys.format.domains import Listing
from server.domain.codes.verdict import Verdict
from server.services.codes.attempts import Channel
from server.services.codes.facts import KEY_WITHDRAWN, CodeFacts
from server.services.codes.receipts import Ended
from server.web.consumer.sentence_facts import code_facts, product_view, site_facts
from server.web.consumer.view import NO_OFFERS, Offers, Page, ProductView, ProofView, ReceiptView, Site, Tint
from server.web.consumer.words import NO_FACTS, SentenceFacts, ShopperCatalogue

_TINTS = {
    Verdict.UNUSED: Tint.NOT_YET,
    Verdict.WITHHELD: Tint.NOTICE,
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
_SAYS_NOTHING_OF_A_CODE = frozenset({"look_outer", "look_cut", "handed_on_by_you"})
_NAMES_SUPPORT_ITSELF = frozenset({Verdict.EXPIRED, Verdict.RECALLED})
_NOTED_ON_A_PROOF = frozenset({Verdict.RECALLED, Verdict.VOID, Verdict.LOCKED, Verdict.EXPIRED})
_NOTES = ("was_yours", "others_tried", "returned", "owner", "caution_key_withdrawn")
"""The notes of every code's page; each appears where its facts are known."""
_PAGE_LINKS = {"home": "/", "photo": "/#photo", "serial": "/#serial"}
_FORM_LINKS = {"home": "/", "photo": "#photo", "serial": "#serial"}
_PROOF_LINKS = {"home": "/", "paste": "#paste"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCode:
    """One code for a page: its verdict, what is known of it, and how it reached us.

    `code_page` is the code's own address where the page may lead there. With `cut` the 8030 of a link form was lost on
    the way, so that there is no signature to check.
    """

    verdict: Verdict
    facts: CodeFacts | None
    foreign: ForeignText | None = None
    channel: Channel = Channel.PAGE
    code_page: str | None = None
    cut: bool = False


class PageMaker:
    """Makes pages in one language for one site."""

    def __init__(self, catalogue: ShopperCatalogue, site: Site, now: datetime) -> None:
        """Take the visitor's catalogue, the site of pages about no code in particular, and the server's time."""
        self._catalogue = catalogue
        self._site = site
        self._now = now

    def code_page(
        self, shown: ShownCode, offers: Offers = NO_OFFERS, *, notes: Sequence[str] = (), answer: bool = False
    ) -> Page:
        """The page of one code: look, verdict, or not ours. `notes` names further notes to show."""
        product = product_view(self._catalogue, shown.facts) if shown.facts is not None else None
        facts = {**self._facts(shown), **_receipt_facts(offers.receipt)}
        near = ("same_network",) if shown.facts is not None and shown.facts.same_network else ()
        noted = (self._note(name, facts, product) for name in (*near, *_NOTES, *notes))
        return Page(
            site=site_of_code(shown.facts) if shown.facts is not None else self._site,
            tint=_tint_of(shown),
            words=self._catalogue.page(_entry_name(shown), facts, _code_links(product, offers, facts)),
            notes=tuple(note for note in noted if note),
            product=product,
            offers=offers,
            code_page=shown.code_page if shown.verdict in _OPENS_ITS_PAGE else None,
            support=None if shown.verdict in _NAMES_SUPPORT_ITSELF else self._support(facts),
            compare_open=shown.verdict in _SHOWS_GENUINE_PACK,
            answer=answer,
        )

    def cards_page(self, symbols: Sequence[ShownCode], *, left_out: int) -> Page:
        """Several codes in one picture: a card each, in the order in which they were read; and how many have none."""
        count = self._catalogue.number(len(symbols))
        facts = {**site_facts(self._site), "symbols": count}
        if left_out:
            facts |= {"most_symbols": count, "left_out": self._catalogue.number(left_out)}
        words = self._catalogue.page("several", facts, {})
        return Page(site=self._site, tint=Tint.PLAIN, words=words, cards=tuple(map(self._card, symbols)), answer=True)

    def unreadable_page(self, code: str, numbers: Mapping[str, float]) -> Page:
        """Nothing was read in a picture: what it lacked, by the scanner's advice code or the photo's refusal code."""
        return self.plain_page("unreadable", facts=self._advice(code, numbers), forms=True)

    def home_page(self) -> Page:
        """The page "Check a code" with its two forms."""
        words = self._catalogue.page("home", site_facts(self._site), {})
        return Page(site=self._site, tint=Tint.PLAIN, words=words, forms=True, is_home=True)

    def proof_home_page(self) -> Page:
        """The page "Check a receipt" with its two forms."""
        words = self._catalogue.page("proof_home", site_facts(self._site), {})
        return Page(site=self._site, tint=Tint.PLAIN, words=words, proof_forms=True)

    def proof_page(self, proof: ProofView, facts: CodeFacts, *, since: Verdict | None, moment: str) -> Page:
        """A proof that holds and is on record; `since` is the verdict that now comes before the use of its code."""
        known = {**code_facts(self._catalogue, facts, Verdict.ALREADY_VERIFIED, now=self._now), "moment": moment}
        note = None
        if since in _NOTED_ON_A_PROOF:
            note = self._catalogue.note(f"proof_{_with_reason(since, facts)}", known)
        return Page(
            site=site_of_code(facts),
            tint=_TINTS[since] if since is not None and note else Tint.FINE,
            words=self._catalogue.page("proof_good", known, {**_PAGE_LINKS, "product": "#product"}),
            notes=(note,) if note else (),
            product=product_view(self._catalogue, facts),
            proof=proof,
            answer=True,
        )

    def proof_gone_page(self, moment: str, ended: Ended | None) -> Page:
        """A proof that holds, of a verification that is not on record any more; what became of it, where we know."""
        page = self.proof_answer_page("proof_gone", {"moment": moment})
        if ended is None:
            return page
        facts = {"ended_date": self._catalogue.day_of(ended.at) if ended.at else None}
        note = self._catalogue.note(f"proof_{ended.how}" + (f"_{ended.by}" if ended.by else ""), facts)
        return replace(page, notes=(note,) if note else ())

    def act_page(
        self, name: str, facts: CodeFacts, *, tint: Tint, receipt: ReceiptView | None = None, notes: Sequence[str] = ()
    ) -> Page:
        """The effect of a holder's act, before or after it; the caller adds the form that confirms it."""
        known = {
            **code_facts(self._catalogue, facts, Verdict.ALREADY_VERIFIED, now=self._now),
            **_receipt_facts(receipt),
        }
        noted = (self._catalogue.note(note, known) for note in notes)
        return Page(
            site=site_of_code(facts),
            tint=tint,
            words=self._catalogue.page(name, known, {"receipt": "#receipt"} if receipt else {}),
            notes=tuple(note for note in noted if note),
            product=product_view(self._catalogue, facts),
            offers=Offers(receipt=receipt),
            answer=True,
        )

    def proof_photo_page(self, code: str, numbers: Mapping[str, float]) -> Page:
        """Nothing was read in a picture of a receipt, by the scanner's advice code or the photo's refusal code."""
        return self.proof_answer_page("proof_unread", self._advice(code, numbers))

    def typed_page(self, name: str, typed: str, *, tint: Tint, facts: SentenceFacts = NO_FACTS) -> Page:
        """A page about a typed short code that leads to no code; its printable characters stay in their field."""
        kept = "".join(mark for mark in typed[:MAX_TYPED_CHARACTERS] if mark.isprintable())
        return replace(self.plain_page(name, tint=tint, facts=facts, forms=True), typed=kept)

    def plain_page(
        self, name: str, *, tint: Tint = Tint.NOTICE, facts: SentenceFacts = NO_FACTS, forms: bool = False
    ) -> Page:
        """A page about no code in particular. With `forms` its links lead to the forms on the page itself."""
        known = {**site_facts(self._site), **facts}
        links = _FORM_LINKS if forms else _PAGE_LINKS
        words = self._catalogue.page(name, known, {**links, **_contact_link(known)})
        return Page(site=self._site, tint=tint, words=words, forms=forms, answer=True)

    def proof_answer_page(self, name: str, facts: SentenceFacts = NO_FACTS) -> Page:
        """A page with the two forms again, such as that of a text that is no proof, by the code of the refusal."""
        words = self._catalogue.page(name, {**site_facts(self._site), **facts}, _PROOF_LINKS)
        return Page(site=self._site, tint=Tint.CAREFUL, words=words, proof_forms=True, answer=True)

    def _advice(self, code: str, numbers: Mapping[str, float]) -> SentenceFacts:
        facts = {name: self._catalogue.number(value) for name, value in numbers.items()}
        return {"advice": self._catalogue.advise(code, facts)}

    def _card(self, shown: ShownCode) -> Page:
        """The page of one code, without the steps that lead elsewhere."""
        words = self._catalogue.page(_entry_name(shown), self._facts(shown), {})
        return replace(self.code_page(shown), words=words)

    def _note(self, name: str, facts: SentenceFacts, product: ProductView | None) -> Markup | None:
        """A note; that others tried links to the description of the genuine pack."""
        note = self._catalogue.note(name, facts)
        if note and name == "others_tried" and product is not None and product.features:
            return Markup('{} <a href="#compare">{}</a>').format(note, self._catalogue.word("compare_link"))
        return note

    def _facts(self, shown: ShownCode) -> dict[str, str | None]:
        facts = site_facts(self._site)
        if shown.facts is not None:
            facts |= code_facts(self._catalogue, shown.facts, shown.verdict, now=self._now)
        if shown.foreign is not None:
            facts |= {"host": shown.foreign.host, "shortened": shown.foreign.shortened}
            facts |= _lister_facts(shown.foreign, self._site)
        return facts

    def _support(self, facts: SentenceFacts) -> Markup | None:
        brand, support = facts.get("brand"), facts.get("support")
        return self._catalogue.word("support", brand=brand, support=support) if brand and support else None


def site_of_code(facts: CodeFacts) -> Site:
    """The site of a code's page: its own brand."""
    return Site(brand=facts.brand, host=facts.host, brand_id=facts.brand_id)


def _lister_facts(foreign: ForeignText, site: Site) -> dict[str, str | None]:
    """The brand that lists a foreign host; where our own codes lead is known for the site's brand alone."""
    if foreign.listed is None or foreign.listed.brand_id.hex() == site.brand_id:
        return {}
    return {"brand": foreign.listed.brand, "our_host": None}


def _code_links(product: ProductView | None, offers: Offers, facts: SentenceFacts) -> dict[str, str]:
    """Where the steps of a code's page can lead: to the parts that this page has, and to its brand."""
    parts = [*(("receipt", *offers.receipt.acts) if offers.receipt else ()), *(("keep",) if offers.keep_action else ())]
    if product is not None:
        parts += ["product", "compare"] if product.features else ["product"]
    return {**_PAGE_LINKS, **{part: f"#{part}" for part in parts}, **_contact_link(facts)}


def _contact_link(facts: SentenceFacts) -> dict[str, str]:
    """The address of steps that ask to inform the brand; none where it gave no address."""
    address = facts.get("contact")
    return {"contact": address} if address else {}


def _receipt_facts(receipt: ReceiptView | None) -> SentenceFacts:
    return {} if receipt is None else {"keep_code": receipt.keep_code, "undo_until": receipt.undo_until}


def _tint_of(shown: ShownCode) -> Tint:
    listed = shown.foreign.listed if shown.foreign is not None else None
    partner = listed is not None and listed.listing is Listing.PARTNER
    return Tint.NOTICE if partner or _entry_name(shown) in _SAYS_NOTHING_OF_A_CODE else _TINTS[shown.verdict]


def _entry_name(shown: ShownCode) -> str:
    """The catalogue's entry for a code: by verdict, where the burning code sits, and how the code reached us."""
    match shown.verdict:
        case Verdict.UNUSED:
            return _look_name(shown)
        case Verdict.GENUINE:
            return _genuine_name(shown.facts)
        case Verdict.NOT_OURS if shown.foreign is not None:
            return _foreign_name(shown.foreign)
        case Verdict.VERIFIED_BY_YOU if shown.facts is not None and shown.facts.hop:
            return "verified_before_you"
        case Verdict.ALREADY_VERIFIED if shown.facts is not None and shown.facts.handed_on_at:
            return "handed_on_by_you"
    return _with_reason(shown.verdict, shown.facts)


def _genuine_name(facts: CodeFacts | None) -> str:
    if facts is None or facts.returned is None:
        visible = facts is None or facts.placement is Placement.VISIBLE or facts.caution is not None
        return "genuine_visible" if visible else "genuine_hidden"
    return "genuine_returned"


def _foreign_name(foreign: ForeignText) -> str:
    if foreign.listed is not None:
        return f"not_ours_{foreign.listed.listing}"
    return f"not_ours_{foreign.kind}"


def _with_reason(verdict: Verdict | None, facts: CodeFacts | None) -> str:
    """A verdict, with the reason where a lock has one: a withdrawn key means no copies."""
    withdrawn = verdict is Verdict.LOCKED and facts is not None and facts.locked_reason == KEY_WITHDRAWN
    return f"{verdict}_{KEY_WITHDRAWN}" if withdrawn else str(verdict)


def _look_name(shown: ShownCode) -> str:
    if shown.facts is not None and shown.facts.returned is not None:
        return "look_returned"
    if shown.facts is not None and shown.facts.tier is Tier.OUTER:
        return "look_outer"
    if shown.channel is Channel.SERIAL:
        return "look_typed"
    return "look_cut" if shown.cut else "look"
