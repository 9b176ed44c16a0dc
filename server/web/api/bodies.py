"""The bodies of requests, declared once, and how they are read: JSON objects, exact documents, a picture."""

import json
from datetime import date
from typing import Annotated, ClassVar, Final, Self

from flask import request
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from authcode.order.products import MAX_PRODUCT_BYTES
from keys.format.document import MAX_DOCUMENT_BYTES
from server.domain.batches.range_act import ActKind
from server.domain.codes.claim import MAX_CLAIM_CHARS, MIN_CLAIM_CHARS
from server.web.api.answers import about
from server.web.problem import RequestInvalid

MAX_JSON_BYTES: Final = 64 * 1024
"""A code has at most 512 characters; this leaves room for any text that a reader may have found in a symbol."""
MAX_MANIFEST_BYTES: Final = 64 * 1024
"""A manifest with sixteen checksums and the longest names stays below a tenth of it."""
WHOLE_ORDER: Final = "all"
"""The range of an act on every code of an order."""

_ACT_FIELDS: Final = {
    ActKind.ACTIVATE: {"lot", "expires", "markets"},
    ActKind.VOID: {"reason", "link"},
    ActKind.RECALL: {"reason", "link"},
    ActKind.SAMPLE: set[str](),
    ActKind.LOCK: {"reason"},
    ActKind.UNLOCK: {"reason"},
}
_NEEDS_REASON: Final = {ActKind.VOID, ActKind.RECALL, ActKind.LOCK, ActKind.UNLOCK}


_CLAIM: Final = f"^[A-Za-z0-9_-]{{{MIN_CLAIM_CHARS},{MAX_CLAIM_CHARS}}}$"


class Body(BaseModel):
    """Base of the bodies: a JSON object of texts; one that has a default may be left out."""

    model_config = ConfigDict(frozen=True, extra="allow")
    media: ClassVar[str] = "application/json"

    @classmethod
    def read(cls) -> Self:
        """The body of the present request.

        Raises:
            RequestInvalid: it is no such body.
            RequestEntityTooLarge: it is too long.
        """
        body = _json_body()
        wanted = [name for name, field in cls.model_fields.items() if name in body or field.is_required()]
        return cls.model_construct(None, **{name: _text(body, name) for name in wanted})


class CodeBody(Body):
    """A code."""

    code: str = about("The exact text of the symbol; any text is answered.")


class AttemptBody(CodeBody):
    """A code with the claim that it is to be verified for, or its holder's keep-code."""

    claim: Annotated[str, Field(pattern=_CLAIM)] | SkipJsonSchema[None] = about(
        "Who asks, and the holder's key: draw it at random (a UUID), keep it for retries and secret. One that can be "
        "guessed is refused: digits alone, or fewer than 8 different characters.",
        None,
    )
    keep_code: str | SkipJsonSchema[None] = about(
        "In place of a claim: twelve characters, as a person types them.", None
    )

    @classmethod
    def read(cls) -> Self:
        """The body of the present request, with one of the two."""
        body = super().read()
        if body.claim is None and body.keep_code is None:
            raise RequestInvalid("claim must be a text")
        if body.claim is not None and body.keep_code is not None:
            raise RequestInvalid("send a claim or a keep_code, not both")
        return body


class HolderBody(AttemptBody):
    """A code with what shows that its holder asks: a claim or a keep-code."""

    @classmethod
    def read(cls) -> Self:
        """The body of the present request, with one of the two."""
        body = super(AttemptBody, cls).read()
        if (body.claim is None) == (body.keep_code is None):
            raise RequestInvalid("send a claim or a keep_code, and not both")
        return body


class GiftBody(Body):
    """The link of a gift, with the claim of who takes it."""

    gift: str = about("The link, or the token at its end: a secret until it is used.", repr=False)
    claim: Annotated[str, Field(pattern=_CLAIM)] = about(
        "The holder's key from then on: draw it at random (a UUID), keep it for retries and secret."
    )


class ProofBody(Body):
    """A proof."""

    proof: str = about(
        "The whole proof: three parts with dots between them. It may be in lines, quoted, or in its page's address."
    )


class PhotoBody(Body):
    """A form with a picture."""

    media: ClassVar[str] = "multipart/form-data"
    photo: Annotated[bytes, WithJsonSchema({"type": "string", "contentMediaType": "application/octet-stream"})]

    @classmethod
    def read(cls) -> Self:
        """The picture of the form."""
        upload = request.files.get("photo")
        if upload is None:
            raise RequestInvalid("send the picture as multipart/form-data in a field named photo")
        return cls.model_construct(photo=upload.read())


class DocumentBody(Body):
    """A JSON document whose exact bytes matter, of at most `most` bytes."""

    content: bytes
    most: ClassVar[int] = MAX_DOCUMENT_BYTES

    @classmethod
    def read(cls) -> Self:
        """The bytes as they came."""
        return cls.model_construct(content=_exact_body(cls.most))


class ProductBody(DocumentBody):
    """A product document."""

    most = MAX_PRODUCT_BYTES


class ManifestBody(DocumentBody):
    """A manifest."""

    most = MAX_MANIFEST_BYTES


class ActBody(Body):
    """An act on a range of an order; of the optional fields it has those that its kind takes."""

    model_config = ConfigDict(extra="forbid")

    kind: ActKind
    range: str = about("Indices `A-B` or `A`, both included; `all` is the whole order.")
    lot: str | None = about("Of an activation.", None)
    expires: date | None = about("Of an activation.", None)
    markets: tuple[str, ...] = about("Of an activation; empty: everywhere.", ())
    reason: str | None = about("A void, recall, lock or unlock needs it; shoppers read a recall's.", None)
    link: str | None = about("Of a void or a recall.", None)

    @classmethod
    def read(cls) -> Self:
        """The act."""
        body = _json_body()
        kind = _kind(body)
        texts = {name: _text_or_none(body, name) for name in ("lot", "reason", "link")}
        markets, expires = _markets(body), _day(body)
        indices = _text_or_none(body, "range")
        if indices is None:
            raise RequestInvalid(f'range must be indices such as 0-499, or "{WHOLE_ORDER}" for the whole order')
        return cls.model_construct(None, kind=kind, range=indices, expires=expires, markets=markets, **texts)


def _kind(body: dict[str, object]) -> ActKind:
    try:
        kind = ActKind(_text(body, "kind"))
    except ValueError:
        raise RequestInvalid(f"kind must be one of {', '.join(ActKind)}") from None
    if not body.keys() <= {"kind", "range"} | _ACT_FIELDS[kind]:
        raise RequestInvalid(f"{kind} takes range{''.join(f', {name}' for name in sorted(_ACT_FIELDS[kind]))} alone")
    if kind in _NEEDS_REASON and not (_text_or_none(body, "reason") or "").strip():
        raise RequestInvalid(f"{kind} needs a reason")
    return kind


def _markets(body: dict[str, object]) -> tuple[str, ...]:
    markets = body.get("markets") or []
    if not isinstance(markets, list) or not all(isinstance(market, str) for market in markets):
        raise RequestInvalid("markets must be a list of texts")
    return tuple(markets)


def _day(body: dict[str, object]) -> date | None:
    text = _text_or_none(body, "expires")
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise RequestInvalid("expires must be a date such as 2028-03-31") from None


def _json_body() -> dict[str, object]:
    try:
        body = json.loads(_exact_body(MAX_JSON_BYTES))
    except (ValueError, RecursionError):
        raise RequestInvalid("the body is not JSON") from None
    if not isinstance(body, dict):
        raise RequestInvalid("the body must be an object")
    return body


def _exact_body(most: int) -> bytes:
    request.max_content_length = most
    if request.mimetype != "application/json":
        raise RequestInvalid("send application/json")
    return request.get_data(cache=False)


def _text(body: dict[str, object], name: str) -> str:
    text = body.get(name)
    if not isinstance(text, str):
        raise RequestInvalid(f"{name} must be a text")
    return text


def _text_or_none(body: dict[str, object], name: str) -> str | None:
    return None if body.get(name) is None else _text(body, name)
