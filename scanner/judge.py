"""Stage 5, verify: what the command line reports of a text that was read, by a keyring or by a server.

A judgement only ever looks (docs/protocol.md §1): it cannot use a code up, and no address in a code is ever opened.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from authcode.client.errors import ServerAnswerUnusable, ServerUnreachable
from authcode.client.http_client import HttpClient, HttpLimits, Json
from authcode.code.foreign import describe_foreign
from authcode.code.payload import NotOurs
from authcode.code.verify import OfflineState, OnlineOnly, verify_offline
from keys.format.domains import Listing
from keys.format.keyring import OpenedKeyring

LOOK_LIMITS: Final = HttpLimits(silence_s=10.0, total_s=20.0)
"""For one code: long for a phone's network, short for a person."""

NOT_OURS: Final = "not_ours"
USE_NOT_CHECKED: Final = "use_not_checked"
ONLINE_ONLY: Final = "online_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The known facts about one text.

    Attributes:
        ours: True or False, or None where neither keyring nor server could decide.
        state: the verdict code, or None likewise.
        host: for a foreign text the host that it names, None where that is unclear; never followed.
        listed, brand: which of a brand's signed lists has that host (partner, lookalike), and whose list it is; None
            where none has it.
    """

    ours: bool | None
    state: str | None
    host: str | None = None
    listed: Listing | None = None
    brand: str | None = None


Judge = Callable[[str], Judgement]
"""Gives what is known of a text of any length and kind."""


def no_judge(_text: str) -> Judgement:
    """Without keyring and server texts are read and not judged."""
    return Judgement(ours=None, state=None)


class KeyringJudge:
    """A brand's keyring: signature and key state, never use."""

    def __init__(self, opened: OpenedKeyring, now: datetime) -> None:
        """Judge by `opened` at the moment `now` (aware, UTC)."""
        self._opened, self._now = opened, now

    def __call__(self, text: str) -> Judgement:
        """Check the signature of `text`; a code without its key here is `online_only`."""
        try:
            answer = verify_offline(text, self._opened, self._now)
        except NotOurs:
            foreign = describe_foreign(text, [self._opened.keyring])
            by = foreign.listed
            return _not_ours(foreign.host, by.listing if by else None, by.brand if by else None)
        except OnlineOnly:
            return Judgement(ours=None, state=ONLINE_ONLY)
        valid = answer.state is OfflineState.SIGNATURE_VALID
        return Judgement(ours=True, state=USE_NOT_CHECKED if valid else answer.state.value)

    def vouches(self, text: str) -> bool:
        """Whether `text` is a code of this keyring: then there is no need to read on."""
        judgement = self(text)
        return judgement.ours is True or judgement.state == ONLINE_ONLY


class ServerJudge:
    """A verification server: `POST /api/v1/look`, which changes nothing."""

    def __init__(self, server: str, *, limits: HttpLimits = LOOK_LIMITS) -> None:
        """Judge by the server at `server` (scheme, host, port); nothing is sent yet.

        Raises:
            ServerUnreachable: it is no http or https address.
            ServerUrlInvalid, TlsRequired: nothing may be sent there.
        """
        if not server.lower().startswith(("http://", "https://")):
            raise ServerUnreachable(server, "its address has to begin with http:// or https://")
        self._client = HttpClient(server, limits=limits)

    def __call__(self, text: str) -> Judgement:
        """Look up the state of `text` on the server.

        Raises:
            ServerUnreachable, ServerNotTrusted: there is no answer.
            ServerAnswerUnusable: what answers is not the API.
        """
        answer = self._client.exchange("POST", "/api/v1/look", json.dumps({"code": text}).encode())
        facts = answer.json_object() or {}
        state = facts.get("state")
        if answer.status != HTTPStatus.OK or not isinstance(state, str):
            raise ServerAnswerUnusable(self._client.server, answer.status)
        if state != NOT_OURS:
            return Judgement(ours=True, state=state)
        return _not_ours(describe_foreign(text).host, *_listed_by(facts))


def _listed_by(answer: Json) -> tuple[Listing | None, str | None]:
    """Kind of list and brand that a server names for the host of a foreign text, None where it names no known kind."""
    foreign = answer.get("foreign")
    listed, brand = (foreign.get("listed"), foreign.get("brand")) if isinstance(foreign, dict) else (None, None)
    if listed not in tuple(Listing) or not isinstance(brand, str):
        return None, None
    return Listing(listed), brand


def _not_ours(host: str | None, listed: Listing | None, brand: str | None) -> Judgement:
    return Judgement(ours=False, state=NOT_OURS, host=host, listed=listed, brand=brand)
