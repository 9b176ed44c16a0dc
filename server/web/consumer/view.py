"""The contents of shoppers' pages, ready for the template: every page is one `Page`, so that all share one skeleton."""

from dataclasses import dataclass
from enum import StrEnum

from markupsafe import Markup

from server.web.consumer.words import Step, Words


class Tint(StrEnum):
    """The tint of a page's panel; the template adds a shape and a word to each."""

    FINE = "fine"
    NOT_YET = "not_yet"
    NOTICE = "notice"
    CAREFUL = "careful"
    STOP = "stop"
    RECALL = "recall"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The brand of a page (None where the server has several and none is meant) and the host shown on top.

    `support` is the brand's contact for shoppers. `brand_id` (hexadecimal) distinguishes brands of the same name.
    """

    brand: str | None
    host: str
    brand_id: str | None = None
    support: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the quiet list: a grey label and its value, in the fixed-width face where characters are compared."""

    label: str
    value: str
    mono: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """The product card, and what the folded parts say about the genuine pack."""

    name: str
    maker: str | None
    picture: str | None
    picture_alt: str
    rows: tuple[Row, ...]
    features: tuple[str, ...] = ()
    description: str | None = None
    more: Step | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """The form that verifies: the code's own address (path and 8030 only), the page's token and the claim.

    With `tells` the code cannot be burned: the same form reports this pack to the brand. With `visible`
    anybody in the shop can scan the code, so that a box is to be ticked first.
    """

    action: str
    token: str
    claim: str
    tells: bool = False
    visible: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """The receipt card. `proof` is the address of the proof's page, `action` the code's own address.

    Its forms send the `claim` or the keep-code (`proven_by`) that proved the holder on this page; a browser with the
    holder cookie needs neither. `acts` names what the holder may do; `undo_until` is a moment, written out. With
    `for_next` it is the next owner's, shown to the previous one; with `handed_on` it is shown to a next owner. With
    `returned` the verification was undone: there is no receipt any more, and only acts are left. `remembered_since`
    names a day for each remembered browser, `gift_until` is until when an open link can be taken.
    """

    action: str
    keep_code: str = ""
    proof: str = ""
    claim: str | None = None
    proven_by: str | None = None
    acts: tuple[str, ...] = ()
    for_next: bool = False
    handed_on: bool = False
    returned: bool = False
    undo_until: str | None = None
    remembered_since: tuple[str, ...] = ()
    gift_until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftView:
    """The link of a gift, which its giver is shown once, with its QR symbol as that of a `ProofView`."""

    link: str
    until: str
    symbol_size: int
    symbol_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeForm:
    """The form that takes a gift over: the address of its page, the page's token and the claim."""

    action: str
    token: str
    claim: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """The form that confirms a holder's act; it sends what proved the holder, like the forms of `ReceiptView`."""

    action: str
    act: str
    token: str
    claim: str | None
    proven_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLinks:
    """Addresses in the dashboard: this code's history, and the shopper's page (None where no unit is known)."""

    history: str
    shopper: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """The actions on a code's page: verify, use the receipt, or enter a keep-code at `keep_action`.

    A signed-in account of `staff` is offered links to the dashboard, and nothing else.
    """

    staff: StaffLinks | None = None
    burn: Burn | None = None
    receipt: ReceiptView | None = None
    keep_action: str | None = None


NO_OFFERS = Offers()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofView:
    """A proof to show: its text, its file, and its QR symbol as an SVG path in units of a module.

    `head` names the log's last head before the verification, where there was one.
    """

    text: str
    file: str
    symbol_size: int
    symbol_path: str
    head: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page. `answer` moves the reading focus to the heading, for a page that answers something just sent.

    `cards` are the pages of several codes in one picture, of which it shows heading, product and link.
    `typed` is the short code that was just refused: its field keeps it, so that one character can be corrected.
    `back` is the address of the code whose act is done.
    """

    site: Site
    tint: Tint
    words: Words
    notes: tuple[Markup, ...] = ()
    product: ProductView | None = None
    offers: Offers = NO_OFFERS
    code_page: str | None = None
    cards: tuple["Page", ...] = ()
    support: Markup | None = None
    compare_open: bool = False
    left: ReceiptView | None = None
    confirm: Confirm | None = None
    gift: GiftView | None = None
    take: TakeForm | None = None
    back: str | None = None
    proof: ProofView | None = None
    proof_forms: bool = False
    forms: bool = False
    typed: str = ""
    is_home: bool = False
    answer: bool = False
