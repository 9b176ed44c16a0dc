"""Stage 1, batch: a print station's side of the network (docs/api.md, Print stations).

Every request may be sent again: the server answers a repeated one alike.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote

from authcode.client.errors import ServerAnswerUnusable
from authcode.client.http_client import HttpClient, Json
from authcode.events import Touched
from authcode.order.products import Product, product_document
from keys.base.instants import format_instant


class Station:
    """The requests that a print station sends to its server. Errors of all methods: see `HttpClient.call`."""

    def __init__(self, client: HttpClient) -> None:
        """Send requests by this client, which has the station's token."""
        self._client = client

    @property
    def server(self) -> str:
        """The server's address: scheme, host and port."""
        return self._client.server

    def publish_keyring(self, document: bytes) -> Json:
        """Publish a keyring: `version` that is in force there, `keys_not_here` that it lacks."""
        answer = self._client.call("PUT", "/api/v1/keyring", document)
        return self._checked(answer, {"brand": str, "version": int, "keys_not_here": list})

    def publish_product(self, product: Product) -> Json:
        """Publish what shoppers read of a product."""
        path = f"/api/v1/products/{quote(product.sku, safe='')}"
        return self._checked(self._client.call("PUT", path, product_document(product)), {"sku": str})

    def register(self, manifest: bytes) -> Json:
        """Register an order by its signed manifest, inactive; only these very bytes count as registered."""
        answer = self._client.call("POST", "/api/v1/batches", manifest)
        self._checked(answer, {"order": str, "registered_at": str, "manifest_sha256": str})
        if answer["manifest_sha256"] != hashlib.sha256(manifest).hexdigest():
            raise ServerAnswerUnusable(self.server, HTTPStatus.OK)
        return answer

    def act(self, order: str, kind: str, details: Mapping[str, object]) -> Json:
        """Activate, void, recall, mark as samples, lock or unlock; empty fields of `details` are left out.

        Without a `range` it is the whole order, which the request names as `all`.
        """
        body = {"kind": kind, "range": "all"} | {name: value for name, value in details.items() if value}
        path = f"/api/v1/batches/{quote(order, safe='')}/acts"
        answer = self._client.call("POST", path, json.dumps(body).encode("utf-8"))
        return self._checked(answer, {"order": str, "kind": str, "first": int, "last": int, "actor": str})

    def batch(self, order: str) -> Json:
        """The state of one order, in counts."""
        return self._batch(self._client.call("GET", f"/api/v1/batches/{quote(order, safe='')}"))

    def batches(self) -> list[Json]:
        """The state of all orders of the token's brand, the latest registered first."""
        found: list[Json] = []
        page, pages = 1, 1
        while page <= pages:
            answer = self._client.call("GET", f"/api/v1/batches?page={page}")
            self._checked(answer, {"batches": list, "pages": int})
            found += [self._batch(batch) for batch in answer["batches"]]
            page, pages = page + 1, answer["pages"] if answer["batches"] else 0
        return found

    def withdrawal(self, key_id: str, *, since: datetime) -> Touched:
        """Count the units there that withdrawing a key since a moment (aware UTC) would touch."""
        path = f"/api/v1/keys/{quote(key_id, safe='')}/withdrawal?since={format_instant(since)}"
        counts = ("orders", "active_unburned", "locked", "as_usual", "used", "used_locked", "used_not_ours")
        answer = self._checked(self._client.call("GET", path), dict.fromkeys(counts, int))
        return Touched(**{name: answer[name] for name in counts})

    def _batch(self, answer: object) -> Json:
        counts = dict.fromkeys(("count", "verified", "refused", "looks", "alerts", "notes"), int)
        return self._checked(answer, {"order": str, "brand": str, "states": dict, **counts})

    def _checked(self, answer: object, fields: Mapping[str, type]) -> Json:
        """The answer, if it has these fields: a server of another kind may answer JSON too."""
        if not isinstance(answer, dict) or not all(isinstance(answer.get(name), kind) for name, kind in fields.items()):
            raise ServerAnswerUnusable(self.server, HTTPStatus.OK)
        return answer
