"""The simulator: a brand, its server, its codes and a clock, for tests that ask real services.

A test with a server runs on SQLite; where SQL is at stake it is marked `both_databases` and runs on PostgreSQL as well.
"""
# ruff: noqa: ANN401 - changes to a manifest, an act or a setting go through by name

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache

from authcode.code.serial import SerialCipher, Tier
from authcode.code.sign import CodeSigner
from authcode.order.issue import IssuedCode, issue_batch
from authcode.order.manifest import Manifest, sign_manifest
from authcode.order.order import DrawnBy, Order, Placement, Tiers
from authcode.order.products import Product
from keys.format.records import Form, Profile
from keys.store.issuer import UnlockedIssuer
from keys.store.key_file import ScryptCost
from server.domain.batches.range_act import ActDetails, ActKind, ActRequest, RangeAct
from server.domain.codes.claim import CLAIM_BYTES, MIN_CLAIM_CHARS
from server.keystore import ServerKeys
from server.runtime.context import Context
from server.services.batches.range_acts import act_on_range
from server.services.batches.register import register_batch
from server.settings import Settings
from server.storage.batches import BatchRecord

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CHEAP = ScryptCost(n=2)
PREFIX = "HTTPS://V.EXAMPLE.COM/"
GTIN = "09506000134352"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(40)
CONTACT = "care@example.com"
PRODUCT = Product(
    sku="TEA-1",
    name="Spring Tea 50 g",
    gtin=GTIN,
    description="Green tea.",
    features=("The tin's rim is matt.",),
    picture=PICTURE,
    support=CONTACT,
    placement_hint="under the lid",
)


@dataclass(frozen=True)
class Brand:
    """The session's brand: its home, its opened issuer and its server's keys."""

    home: Path
    issuer: UnlockedIssuer
    keys: ServerKeys


@dataclass
class Clock:
    """A clock that moves when it is told to."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass(frozen=True)
class Issued:
    """A registered order with its codes."""

    batch: BatchRecord
    document: bytes
    codes: list[IssuedCode]

    def text(self, index: int, tier: Tier | None = None) -> str:
        return next(c.code for c in self.codes if c.index == index and tier in (None, c.tier))


@dataclass
class World:
    """A server of the session's brand, for one test."""

    brand: Brand
    ctx: Context
    clock: Clock
    settings: Settings
    make_app: Callable[[], Flask]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @cached_property
    def app(self) -> Flask:
        """The application, made for whoever asks over HTTP: making it costs most of what a world does."""
        return self.make_app()

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def manifest(self, **changes: Any) -> tuple[Manifest, bytes]:
        keyring = self.brand.issuer.keyring.keyring
        form, profile = changes.get("form", Form.SHORT), changes.get("profile", Profile.SIGNED)
        number = changes.pop("batch_number", None) or next(self.numbers)
        values: dict[str, Any] = {
            "server_id": self.brand.issuer.server_id,
            "brand_id": keyring.brand_id,
            "batch_number": number,
            "order": f"order-{number}",
            "product": "TEA-1",
            "count": 10,
            "tiers": Tiers.SINGLE,
            "profile": profile,
            "form": form,
            "gtin": GTIN if form is Form.GS1 else None,
            "key_id": keyring.key_for(form=form, profile=profile).key_id,
            "placement": Placement.INSIDE,
            "drawn_by": DrawnBy.AUTHCODE,
            "issued_at": START.replace(microsecond=0),
            "checksums": {},
        }
        manifest = Manifest(**{**values, **changes})
        return manifest, sign_manifest(manifest, self.brand.issuer.office_key())

    def codes(self, manifest: Manifest) -> list[IssuedCode]:
        key = self.brand.issuer.keyring.keyring.code_key(manifest.key_id)
        order = Order(
            name=manifest.order,
            count=manifest.count,
            placement=manifest.placement,
            form=manifest.form,
            profile=manifest.profile,
            tiers=manifest.tiers,
            gtin=manifest.gtin,
        )
        signer = CodeSigner(manifest.brand_id, key, self.brand.issuer.code_secret(key.key_id))
        cipher = SerialCipher(self.brand.issuer.serial_key(key.serial_key), manifest.brand_id)
        return list(issue_batch(order, batch_number=manifest.batch_number, signer=signer, cipher=cipher))

    def issue(self, *, activate: bool = True, **changes: Any) -> Issued:
        manifest, document = self.manifest(**changes)
        batch = register_batch(self.ctx.db, document, now=self.clock.now)
        issued = Issued(batch=batch, document=document, codes=self.codes(manifest))
        if activate:
            self.act(issued, ActKind.ACTIVATE, lot="L1", expires=(START + timedelta(days=400)).date(), markets=("KR",))
        return issued

    def act(self, issued: Issued, kind: ActKind, indices: str | None = None, **details: Any) -> RangeAct:
        wanted = ActRequest(
            order=issued.batch.order_name,
            kind=kind,
            indices=indices,
            details=ActDetails(**details),
            actor="anna@example.com",
        )
        return act_on_range(self.ctx.db, wanted, now=self.clock.now)

    def ask(self, text: str, who: str, client: FlaskClient | None = None) -> Any:
        """Verify as the program of somebody with this name, or with this claim."""
        return (client or self.client).post("/api/v1/verify", json={"code": text, "claim": claim_of(who)})

    def verdict(self, text: str, who: str) -> str:
        answer = self.ask(text, who)
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["verdict"])

    def state(self, text: str) -> str:
        answer = self.client.post("/api/v1/look", json={"code": text})
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["state"])


MakeWorld = Callable[..., World]


def claim_of(who: str) -> str:
    """The claim of a program whose user has this name; a claim is its own."""
    return who if len(who) >= MIN_CLAIM_CHARS else hashlib.sha256(who.encode()).hexdigest()[: 2 * CLAIM_BYTES]


on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
both_databases = pytest.mark.both_databases


class CompiledTemplates(BytecodeCache):
    """The templates that this process compiled, for the application of each test."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()
