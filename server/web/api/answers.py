"""Every answer of the interface, declared once: its JSON and its schema both come from these classes.

The members come in the order of declaration, those of the last base first. The same facts always give the same bytes.
"""

from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AliasChoices, AliasPath, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from authcode.code.foreign import ForeignKind
from authcode.order.order import Placement
from keys.format.domains import Listing
from server.domain.batches.range_act import ActKind
from server.domain.codes.holder_acts import HolderAct
from server.domain.codes.redemption import ReturnedBy
from server.domain.codes.verdict import Verdict
from server.services.codes.receipts import EndedBy

Count = Annotated[int, Field(ge=0)]
Corner = Annotated[list[Annotated[float, BeforeValidator(lambda at: round(at, 2))]], Field(min_length=2, max_length=2)]
Day = Annotated[date, BeforeValidator(datetime.date)]
DayOrMoment = Annotated[datetime | date | None, WithJsonSchema({"type": ["string", "null"]})]
TierName = Annotated[Literal["single", "outer", "inner"], BeforeValidator(lambda tier: tier.name.lower())]

_PARTS: Final = ("look", "foreign", "facts", "receipt")
_ANY_MEMBERS: Final = {"type": "object", "properties": {}, "required": [], "additionalProperties": True}


def about(description: str, default: Any = ..., **more: Any) -> Any:  # noqa: ANN401 - as pydantic's own `Field`
    """A field with its description."""
    return Field(default, description=description, **more)


class AnswerModel(BaseModel):
    """Base of the answers; an answer that differs from its declaration is not sent."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        from_attributes=True,
        hide_input_in_errors=True,
        json_schema_serialization_defaults_required=True,
    )

    @classmethod
    def of(cls, source: object, **own: object) -> Self:
        """The answer with the values `own`; its other fields are read by name from `source` or a part of it.

        Raises:
            pydantic.ValidationError: a field has no value, or one of another type.
        """
        sources, values = _with_parts(source), dict(own)
        for key, names in _names_of(cls):
            found = [getattr(one, name) for name in names for one in sources if hasattr(one, name)]
            if found:
                values.setdefault(key, next((value for value in found if value is not None), None))
        return cls.model_validate(values)


def _with_parts(source: object) -> list[object]:
    sources = [source]
    for part in _PARTS:
        sources += [getattr(one, part) for one in sources if getattr(one, part, None) is not None]
    return sources


@cache
def _names_of(kind: type[AnswerModel]) -> list[tuple[str, list[str]]]:
    """What each field is read as, and the names of the attributes that it is read from."""
    aliases = [field.validation_alias or name for name, field in kind.model_fields.items()]
    choices = [alias.choices if isinstance(alias, AliasChoices) else [alias] for alias in aliases]
    return [(str(names[0]), [str(name) for name in names]) for names in choices]


class Product(AnswerModel):
    """A product as its brand describes it."""

    sku: str
    name: str
    gtin: str | None
    description: str | None
    features: tuple[str, ...]
    support: str | None
    placement_hint: str | None
    more_url: str | None


class Act(AnswerModel):
    """A recall: since when, why, and where to read on."""

    at: datetime
    reason: str | None
    link: str | None


class Void(AnswerModel):
    """The withdrawal of a code."""

    at: datetime


class Later(AnswerModel):
    """An attempt of somebody else after the verification."""

    at: datetime
    country: str | None


class Returned(AnswerModel):
    """A return to unused."""

    on: Day = Field(validation_alias="at")
    by: ReturnedBy


class Foreign(AnswerModel):
    """A text that is no code of this server, shortened."""

    text: str = Field(validation_alias="shortened")
    host: str | None
    kind: ForeignKind = about("What a phone would do with it.")
    listed: Listing | None = about(
        "How a brand's signed lists describe that host; null where none lists it.",
        None,
        validation_alias=AliasPath("listed", "listing"),
    )
    brand: str | None = about("The brand that lists the host.", None, validation_alias=AliasPath("listed", "brand"))


class _Facts(AnswerModel):
    brand: str | None = None
    product: Product | None = None
    serial: str | None = about(
        "The printed serial, in groups with its check character.", None, validation_alias="serial_printed"
    )
    lot: str | None = None
    expires: date | None = None
    markets: tuple[str, ...] = about("ISO 3166-1 alpha-2; empty: everywhere.", ())
    placement: Placement | None = None
    tier: TierName | None = None
    host: str | None = about(
        "Where the code leads: the brand's host for one of ours, the other host for a foreign code, null "
        "where readers could disagree or it leads nowhere.",
        None,
    )
    recall: Act | None = None
    void: Void | None = about("Since when the code is withdrawn; the reason is not published.", None)
    locked_reason: Literal["copies_found", "key_withdrawn"] | None = None
    caution: Literal["key_withdrawn"] | None = about(
        "A warning in addition to the state: the key that signed the code was withdrawn after the code was "
        "in the world, and its brand has such codes answered as usual.",
        None,
    )
    first_verified_at: DayOrMoment = about(
        "A moment (RFC 3339, UTC) for the holder; the day alone for everybody else.",
        None,
        validation_alias=AliasChoices("first_verified_at", "first_verified_on"),
    )
    first_country: str | None = None
    was_yours: bool = about("Whether this claim verified the code.", default=False)
    later: Later | None = about("For the holder: the latest attempt of somebody else.", None)
    returned: Returned | None = about(
        "That the code was used before, and returned to unused on this day; never null again.", None
    )
    hop: int | None = about("How often it was handed on; null for strangers.", None)


class _FactsOfText(_Facts):
    foreign: Foreign | None = None


class _Receipt(AnswerModel):
    proof: str | None = about("For the holder: a signed text to show to anybody; it gives no rights.", None)
    keep_code: str | None = about("For the holder, to keep: with the code it proves the holder.", None, repr=False)


class _State(AnswerModel):
    state: Verdict


class Look(_FactsOfText, _State):
    """The answer to a look."""


class _Verdict(AnswerModel):
    verdict: Verdict


class Answer(_Receipt, _FactsOfText, _Verdict):
    """The answer to an attempt to verify."""

    undo_until: DayOrMoment = about("For the holder: until when it may be undone (RFC 3339, UTC).", None)


class _Act(AnswerModel):
    act: HolderAct
    state: Verdict = Field(validation_alias="verdict")


class Held(_Receipt, _Facts, _Act):
    """The result of a holder's act: the code's state now, and the next owner's receipt where it was handed on."""


class _Gift(AnswerModel):
    link: str = about("What to send: whoever takes it first is the next holder. It is answered this once.", repr=False)
    until: datetime = about("Until when it can be taken (RFC 3339, UTC).")


class Given(_Gift, Held):
    """The link that gives a verification away; until somebody takes it nothing has changed hands."""


class Taken(_Receipt, _Facts, _Verdict):
    """A gift that was taken: the code's facts and receipt, as its new holder's."""


class Ended(AnswerModel):
    """How a verification ended."""

    how: EndedBy
    on: Day | None = Field(validation_alias="at")
    by: ReturnedBy | None


class _Record(AnswerModel):
    on_record: bool = about("Whether the verification is on record as in the proof.")
    ended: Ended | None = about("How a verification ended that is no longer on record.")
    since: Verdict | None = about("The verdict that now takes precedence over its use: recalled, void, locked, ...")


class ProofStatus(_Facts, _Record):
    """The present record of a proof's verification."""


class Claims(AnswerModel):
    """The claims of a proof; unknown ones are left out."""

    iss: str
    jti: str
    iat: Count
    brand: str
    gtin: str | SkipJsonSchema[None] = Field(None, exclude_if=lambda gtin: gtin is None)
    serial: str
    life: Count
    hop: Count
    log: str | SkipJsonSchema[None] = about(
        "The log's last head before iat: origin, size and root.", None, exclude_if=lambda log: log is None
    )


class _Claims(AnswerModel):
    proof: Claims


class Proof(ProofStatus, _Claims):
    """The claims of a proof, and the present record of its verification."""


class _Slot(AnswerModel):
    text: str
    corners: Annotated[tuple[Corner, ...], Field(min_length=4, max_length=4)]
    ours: bool


class Symbol(Look, _Slot):
    """A symbol of a picture; its corners in pixels."""


class Advice(AnswerModel):
    """Advice where nothing was read, with the numbers behind it."""

    model_config = ConfigDict(extra="allow")
    code: str


class Photo(AnswerModel):
    """The answer to a picture."""

    symbols: tuple[Symbol, ...] = about("At most 32 of a picture.")
    left_out: int = about("Further symbols that were read and not looked up.")
    advice: Advice | None


class LogProof(AnswerModel):
    """The proof of a redemption in the log."""

    index: int
    leaf: str | None = about("Hexadecimal; null once the record was erased.")
    record: Annotated[dict[str, object] | None, WithJsonSchema({"type": ["object", "null"]})] = about(
        "The log's record of this verification."
    )
    proof: str = about("The file that `authcode log check` takes (C2SP tlog-proof).", validation_alias="text")


class Keyring(AnswerModel):
    """A keyring that is in force."""

    brand: str
    brand_id: Annotated[str, BeforeValidator(bytes.hex)]
    version: Count
    expires: datetime
    keys_not_here: tuple[str, ...] = about(
        "Key ids whose serial or MAC key this server lacks: `authcode keys send` brings them."
    )


class PublishedProduct(AnswerModel):
    """A product that was published."""

    sku: str
    name: str
    picture_type: str | None


class Registered(AnswerModel):
    """A registered order: the same for the same bytes, but for what is known of its product now."""

    order: str = Field(validation_alias="order_name")
    batch_number: Count = Field(validation_alias="number")
    product: str | None = Field(validation_alias="product_sku")
    product_known: bool = about("False where its product was never published here: shoppers read nothing about it.")
    count: Count
    key_id: str
    issued_at: datetime
    registered_at: datetime
    manifest_sha256: str = about("Of the bytes that came, in hexadecimal.")


class Acted(AnswerModel):
    """An act on a range, as the order's history has it."""

    order: str
    kind: ActKind
    first: Count
    last: Count
    actor: str = about("The token, as the history names it.")
    at: datetime


class Withdrawal(AnswerModel):
    """The units that withdrawing a key would affect."""

    key_id: str
    since: datetime
    orders: Count = about("Registered orders of this key.")
    active_unburned: Count = about("Units that can be verified today and were not; the sum of:")
    locked: Count = about("In the world before; the brand has such units locked.")
    as_usual: Count = about("In the world before; the brand has them answered with a caution.")
    not_ours: Count = about("Activated or registered later.")
    used: Count = about("Units that were verified already; of these:")
    used_locked: Count = about("Their holders will read `locked`.")
    used_not_ours: Count = about("Their holders will read `not_ours`.")


class Batch(AnswerModel):
    """The state of an order."""

    order: str
    brand: str
    product: str | None
    placement: str
    count: Count
    registered_at: str = Field(json_schema_extra={"format": "date-time"})
    states: Annotated[dict[str, int], WithJsonSchema(_ANY_MEMBERS)] = about(
        "Units by the verdict of an unused one; they add up to `count`."
    )
    verified: Count = about("Units used now: one that was returned to unused does not count.")
    refused: Count
    looks: Count
    alerts: Count
    notes: Count


class Batches(AnswerModel):
    """One page of the states of a brand's orders."""

    batches: tuple[Batch, ...]
    total: Count
    page: Count
    pages: Count
