"""People with phones: they ask the demo's server over HTTP."""

import json
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Final

from server.demo.process import DemoStepFailed

TIMEOUT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: HTTP status and the exact bytes."""

    status: int
    body: bytes

    @property
    def facts(self) -> dict[str, Any]:
        """The answer as JSON."""
        facts: dict[str, Any] = json.loads(self.body)
        return facts


def _send(request: urllib.request.Request) -> Reply:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 - an http address of our own
            return Reply(response.status, response.read())
    except urllib.error.HTTPError as refusal:
        return Reply(refusal.code, refusal.read())
    except urllib.error.URLError as problem:
        raise DemoStepFailed(f"{request.get_method()} {request.host}", str(problem.reason)) from None


@dataclass(frozen=True, slots=True)
class Shopper:
    """A person who asks about codes; `server` is an address without a path, `claim` the secret of their device."""

    server: str
    claim: str = field(default_factory=lambda: secrets.token_hex(16))

    def open_page(self, code: str) -> Reply:
        """Open a code's own page, as a camera application does, at this server whatever the address."""
        path = code.partition("://")[2].partition("/")[2]
        return _send(urllib.request.Request(f"{self.server}/{path}"))  # noqa: S310 - an http address of our own

    def look(self, code: str) -> Reply:
        """Ask about a code without using it up."""
        return self._post_json("/api/v1/look", {"code": code})

    def verify(self, code: str) -> Reply:
        """Verify a code: the one act that uses it up."""
        return self._post_json("/api/v1/verify", {"code": code, "claim": self.claim})

    def send_photo(self, jpeg: bytes) -> Reply:
        """Send a photo of a pack."""
        boundary = secrets.token_hex(16)
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="photo.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = head.encode() + jpeg + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return _send(urllib.request.Request(f"{self.server}/api/v1/photos", data=body, headers=headers))  # noqa: S310 - as above

    def _post_json(self, path: str, message: dict[str, str]) -> Reply:
        headers = {"Content-Type": "application/json"}
        data = json.dumps(message).encode()
        return _send(urllib.request.Request(f"{self.server}{path}", data=data, headers=headers))  # noqa: S310 - as above
