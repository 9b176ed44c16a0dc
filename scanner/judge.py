"""Stage 5, verify: whom the command line asks about a text that was read: a keyring, a server, or nobody.

Asking only ever looks (docs/protocol.md §1): nothing here can use a code up, and no address in a code is ever opened.
"""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from authcode.client.errors import ServerAnswerUnusable, ServerUnreachable
from authcode.code.foreign import describe_foreign
from authcode.code.payload import NotOurs
from authcode.code.verify import OfflineState, OnlineOnly, verify_offline
from keys.format.domains import Listing
from keys.format.keyring import OpenedKeyring

SERVER_TIMEOUT_S: Final = 10.0
"""Seconds for one question: long for a phone's network, short for a person."""

MAX_ANSWER_BYTES: Final = 1024 * 1024
"""An answer holds the facts of one code; more is not an answer of ours."""

NOT_OURS: Final = "not_ours"
USE_NOT_CHECKED: Final = "use_not_checked"
ONLINE_ONLY: Final = "online_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is known of one text.

    Attributes:
        ours: True or False, or None where nobody could be asked.
        state: the verdict code, or None likewise.
        host: for a foreign text the host that it names, None where that is unclear; never followed.
        listed, brand: on which of a brand's signed lists that host stands (partner, lookalike), and whose it is; None
            where it stands on none.
    """

    ours: bool | None
    state: str | None
    host: str | None = None
    listed: Listing | None = None
    brand: str | None = None


class Judge(Protocol):
    """Somebody who knows about texts."""

    def judge(self, text: str) -> Judgement:
        """Say what is known of `text`, of any length and kind."""


class Nobody:
    """Neither keyring nor server: texts are read and not judged."""

    def judge(self, text: str) -> Judgement:  # noqa: ARG002 - the protocol's
        """Say nothing."""
        return Judgement(ours=None, state=None)


class KeyringJudge:
    """A brand's keyring: signature and key state, never use."""

    def __init__(self, opened: OpenedKeyring, now: datetime) -> None:
        """Judge by `opened` at the moment `now` (aware, UTC)."""
        self._opened, self._now = opened, now

    def judge(self, text: str) -> Judgement:
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
        judgement = self.judge(text)
        return judgement.ours is True or judgement.state == ONLINE_ONLY


class ServerJudge:
    """A verification server: `POST /api/v1/look`, which changes nothing."""

    def __init__(self, server: str, *, timeout_s: float = SERVER_TIMEOUT_S) -> None:
        """Ask the server at `server`, an http or https address.

        Raises:
            ServerUnreachable: it is an address of another kind.
        """
        if not server.lower().startswith(("http://", "https://")):
            raise ServerUnreachable(server, "its address has to begin with http:// or https://")
        self._server, self._timeout_s = server.rstrip("/"), timeout_s

    def judge(self, text: str) -> Judgement:
        """Ask for the state of `text`.

        Raises:
            ServerUnreachable: nobody answers, or not in time.
            ServerAnswerUnusable: what answers is not the API.
        """
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
            f"{self._server}/api/v1/look",
            data=json.dumps({"code": text}).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as response:  # noqa: S310 - the same
                status, body = response.status, response.read(MAX_ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                raise ServerAnswerUnusable(self._server, error.code) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ServerUnreachable(self._server, _reason(error)) from None
        answer = self._answer(body, status)
        if answer["state"] != NOT_OURS:
            return Judgement(ours=True, state=answer["state"])
        return _not_ours(describe_foreign(text).host, *_listed_by(answer))

    def _answer(self, body: bytes, status: int) -> dict[str, Any]:
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            raise ServerAnswerUnusable(self._server, status) from None
        if not isinstance(answer, dict) or not isinstance(answer.get("state"), str):
            raise ServerAnswerUnusable(self._server, status)
        return answer


def _listed_by(answer: dict[str, Any]) -> tuple[Listing | None, str | None]:
    """What a server says of the host of a foreign text: a kind of list that is known here, and a brand's name."""
    foreign = answer.get("foreign")
    listed, brand = (foreign.get("listed"), foreign.get("brand")) if isinstance(foreign, dict) else (None, None)
    if listed not in tuple(Listing) or not isinstance(brand, str):
        return None, None
    return Listing(listed), brand


def _not_ours(host: str | None, listed: Listing | None, brand: str | None) -> Judgement:
    return Judgement(ours=False, state=NOT_OURS, host=host, listed=listed, brand=brand)


def _reason(error: Exception) -> str:
    """The system's words for a failed connection; they name addresses, never what was sent."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return "no answer in time" if isinstance(reason, TimeoutError) else str(reason) or type(reason).__name__
