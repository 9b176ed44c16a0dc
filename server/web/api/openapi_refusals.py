"""With which status and code each address refuses, taken from the errors themselves; the description carries them."""

from collections.abc import Iterator
from typing import Any, Final

from authcode.order.manifest import ManifestInvalid, ManifestSignatureInvalid
from authcode.order.products import ProductInvalid
from keys.base.errors import (
    AuthcodeError,
    BrandConflict,
    DocumentInvalid,
    KeyIdTaken,
    KeyringInvalid,
    KeyringRollback,
    KeyringSignatureInvalid,
    KeyStateRefused,
    PrefixInvalid,
    PublicKeyInvalid,
    RootChanged,
    SuccessionInvalid,
    UnknownKey,
)
from keys.proof import ProofAlgorithmRefused, ProofAltered, ProofFromElsewhere, ProofIncomplete, ProofUnreadable
from scanner.errors import (
    PhotoAnimated,
    PhotoEmpty,
    PhotosBusy,
    PhotoTooCostly,
    PhotoTooLarge,
    PhotoTooManyPixels,
    PhotoTruncated,
    PhotoUnreadable,
)
from server.domain.batches.range_act import RangeInvalid
from server.domain.codes.claim import ClaimInvalid, ClaimTriesSpent
from server.domain.codes.holder_acts import ActNotNow, HandOnLimit, HolderUnknown, UndoOver
from server.domain.codes.keep_code import KeepCodeInvalid, KeepCodeTriesSpent
from server.domain.codes.proof_id import ProofUnknown
from server.services.batches.range_acts import ActivationRefused, OrderUnknown
from server.services.batches.register import BatchConflict, ManifestForOtherServer
from server.services.codes.resolve import SerialKeyMissing
from server.services.log.entries import LogEntryUnknown
from server.services.staff.api_tokens import (
    TokenExpired,
    TokenForOtherBrand,
    TokenMissing,
    TokenRevoked,
    TokenScopeMissing,
    TokenUnknown,
)
from server.storage.engine import RecordsUnreachable
from server.web.problem import RequestInvalid

Json = dict[str, Any]
Errors = tuple[type[AuthcodeError], ...]

_BY_STATUS: Final = {"413": "request_too_large", "429": "too_many_requests"}
"""What the web itself refuses, wherever the description names the status."""

_KEEP_CODE: Final[Errors] = (KeepCodeInvalid, KeepCodeTriesSpent)
_HOLDER: Final[Errors] = (ClaimInvalid, ClaimTriesSpent, *_KEEP_CODE, HolderUnknown, SerialKeyMissing)
_PICTURE: Final[Errors] = (
    *(PhotoAnimated, PhotoEmpty, PhotoTooCostly, PhotoTooLarge, PhotoTooManyPixels, PhotoTruncated, PhotoUnreadable),
    PhotosBusy,
)
_TOKEN: Final[Errors] = (TokenMissing, TokenUnknown, TokenExpired, TokenRevoked, TokenScopeMissing)

REFUSALS: Final[dict[str, Errors]] = {
    "look": (SerialKeyMissing,),
    "verify": (ClaimInvalid, *_KEEP_CODE, SerialKeyMissing),
    "undo": (*_HOLDER, ActNotNow, UndoOver),
    "hand_on": (*_HOLDER, ActNotNow, HandOnLimit),
    "erase": _HOLDER,
    "check": (
        ProofAlgorithmRefused,
        ProofAltered,
        ProofFromElsewhere,
        ProofIncomplete,
        ProofUnreadable,
        SerialKeyMissing,
    ),
    "status": (ProofUnknown, SerialKeyMissing),
    "photos": (*_PICTURE, SerialKeyMissing),
    "log_proof": (ClaimInvalid, ClaimTriesSpent, *_KEEP_CODE, LogEntryUnknown, SerialKeyMissing),
    "publish_keys": (
        *_TOKEN,
        *(DocumentInvalid, KeyringInvalid, KeyringSignatureInvalid, SuccessionInvalid, PrefixInvalid, PublicKeyInvalid),
        *(RootChanged, KeyringRollback, KeyIdTaken, KeyStateRefused, TokenForOtherBrand, BrandConflict),
    ),
    "put_product": (*_TOKEN, ProductInvalid, *_PICTURE),
    "register": (
        *_TOKEN,
        *(ManifestInvalid, ManifestSignatureInvalid, ManifestForOtherServer, BatchConflict, TokenForOtherBrand),
    ),
    "orders": (*_TOKEN, RequestInvalid),
    "order": (*_TOKEN, RequestInvalid, OrderUnknown),
    "act": (*_TOKEN, OrderUnknown, RangeInvalid, ActivationRefused),
    "withdrawal": (*_TOKEN, RequestInvalid, UnknownKey, KeyStateRefused),
    "openapi": (),
}
"""The refusals of each operation beside a body that is none, records out of reach, and `_BY_STATUS`."""


def with_refusals(paths: Json) -> Json:
    """The same addresses, each refusal with its codes."""
    return {path: {method: _told(operation) for method, operation in ways.items()} for path, ways in paths.items()}


def _told(operation: Json) -> Json:
    answers = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
    named = set(operation["responses"]) - set(answers)
    codes: dict[str, list[str]] = {}
    errors = (RequestInvalid,) if "requestBody" in operation else ()
    for status, code in _codes((*errors, *REFUSALS.get(operation["operationId"], ())), named):
        codes.setdefault(status, []).append(code)
    refused = {status: _problem(sorted(set(found))) for status, found in sorted(codes.items())}
    return {**operation, "responses": answers | refused}


def _codes(errors: Errors, named: set[str]) -> Iterator[tuple[str, str]]:
    for error in (*errors, *((RecordsUnreachable,) if named else ())):
        yield str(error.http_status), error.code
    for status in named & _BY_STATUS.keys():
        yield status, _BY_STATUS[status]


def _problem(codes: list[str]) -> Json:
    schema = {
        "allOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "object", "properties": {"code": {"enum": codes}}}]
    }
    return {"description": "A problem document.", "content": {"application/problem+json": {"schema": schema}}}
