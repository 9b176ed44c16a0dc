"""A brand, its server and its codes: made once, and given to each test as a copy with a clock of its own.

Every test with a server runs twice: on SQLite, and on PostgreSQL.
"""
# ruff: noqa: ANN401 - changes to a manifest, an act or a setting go through by name

import itertools
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from authcode.code.serial import SerialCipher, Tier
from authcode.code.sign import CodeSigner
from authcode.order.issue import IssuedCode, issue_batch
from authcode.order.manifest import Manifest, sign_manifest
from authcode.order.order import DrawnBy, Order, Placement, Tiers
from authcode.order.products import Product
from keys.base.errors import KeyIdTaken
from keys.base.home import server_dir
from keys.format.records import Form, Profile
from keys.store.issuer import IssuerHome, UnlockedIssuer
from keys.store.key_file import ScryptCost
from scanner.confine.readers import PhotoReaders
from server import listeners as hooks
from server.app import create_app
from server.domain.batches.range_act import ActDetails, ActKind, RangeAct
from server.keystore import ServerKeys, open_server_keys
from server.runtime.context import Context
from server.runtime.keyrings import KeyringCache
from server.runtime.look_limits import LookLimits
from server.runtime.looks import LookCounter
from server.runtime.places import Places
from server.runtime.pseudonyms import Pseudonyms
from server.services.alerts.storms import after_looks
from server.services.batches.range_acts import act_on_range
from server.services.batches.register import register_batch
from server.services.brands.keyring import publish_keyring
from server.services.brands.publish_product import publish_product
from server.settings import Settings, load_settings
from server.storage import migrate
from server.storage.batches import BatchRecord
from server.storage.engine import Database
from tests.postgres import Cluster
from tests.server.described import note_undescribed

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CHEAP = ScryptCost(n=2)
PREFIX = "HTTPS://V.EXAMPLE.COM/"
GTIN = "09506000134352"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(40)
PRODUCT = Product(
    sku="TEA-1",
    name="Spring Tea 50 g",
    gtin=GTIN,
    description="Green tea.",
    features=("The tin's rim is matt.",),
    picture=PICTURE,
    support="care@example.com",
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
    app: Flask
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def manifest(self, **changes: Any) -> tuple[Manifest, bytes]:
        keyring = self.brand.issuer.keyring.keyring
        form, profile = changes.get("form", Form.SHORT), changes.get("profile", Profile.SIGNED)
        number = changes.pop("batch_number", None) or next(self.numbers)
        values: dict[str, Any] = {
            "server_id": self.brand.issuer.issuer.server_id,
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
        return act_on_range(
            self.ctx.db,
            issued.batch.order_name,
            kind,
            indices=indices,
            details=ActDetails(**details),
            actor="anna@example.com",
            now=self.clock.now,
        )

    def ask(self, text: str, claim: str, client: FlaskClient | None = None) -> Any:
        return (client or self.client).post("/api/v1/verify", json={"code": text, "claim": claim})

    def verdict(self, text: str, claim: str) -> str:
        answer = self.ask(text, claim)
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["verdict"])

    def state(self, text: str) -> str:
        answer = self.client.post("/api/v1/look", json={"code": text})
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["state"])


@pytest.fixture(scope="session")
def brand(tmp_path_factory: pytest.TempPathFactory) -> Brand:
    home = tmp_path_factory.mktemp("home")
    issuer = IssuerHome.create(
        home, brand="Example Tea", prefix=PREFIX, passphrase="issuer-pass", now=START, cost=CHEAP
    ).unlock("issuer-pass")
    issuer.new_code_key(profile=Profile.COMPACT, form=Form.SHORT, prefix=PREFIX, now=START)
    hooks.keyring_published(home, issuer.keyring.document, issuer.shared_keys(), lambda: "server-pass", cost=CHEAP)
    hooks.product_published(home, PRODUCT)
    return Brand(home=home, issuer=issuer, keys=open_server_keys(home, "server-pass"))


@pytest.fixture(scope="session")
def cheap() -> ScryptCost:
    """A cost that tests can afford."""
    return CHEAP


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """On which database a test's servers work."""
    return str(request.param)


on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("kind", ["postgresql"], indirect=True)


@pytest.fixture(scope="session")
def template(brand: Brand, cluster: Cluster) -> Iterator[str]:
    """The session's brand in a PostgreSQL database, of which each test is given a copy."""
    with cluster.database() as name:
        db = Database(cluster.url(name))
        migrate.upgrade(db)
        keyring = brand.issuer.keyring
        publish_keyring(db, keyring.document, server_id=brand.issuer.issuer.server_id, now=START)
        publish_product(db, keyring.keyring.brand_id, PRODUCT, now=START)
        db.close()
        yield name


@pytest.fixture(scope="session")
def photo_readers() -> Iterator[PhotoReaders]:
    """The processes that read pictures, for all servers of the run."""
    readers = PhotoReaders()
    yield readers
    readers.close()


MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(
    brand: Brand, tmp_path: Path, kind: str, photo_readers: PhotoReaders, request: pytest.FixtureRequest
) -> Iterator[MakeWorld]:
    """Make servers: each has a copy of the database, and of the keys where pseudonyms are made."""
    opened = ExitStack()
    undescribed: list[str] = []

    def make(**changes: Any) -> World:
        home = tmp_path / secrets.token_hex(4)
        shutil.copytree(server_dir(brand.home), server_dir(home))
        if kind == "postgresql":
            cluster: Cluster = request.getfixturevalue("cluster")
            name = opened.enter_context(cluster.database(request.getfixturevalue("template")))
            (server_dir(home) / "authcode.db").unlink()
            (server_dir(home) / "server.toml").write_text(f'database_url = "{cluster.url(name)}"\n', encoding="utf-8")
        settings = load_settings(home, rate_limit="off", keyring_cache_s=0, **changes)
        keys = open_server_keys(home, "server-pass")
        db = Database(settings.database)
        opened.callback(db.close)
        clock = Clock()
        ctx = Context(
            db=db,
            settings=settings,
            keys=keys,
            keyrings=KeyringCache(db, keys, ttl_s=settings.keyring_cache_s),
            places=Places(settings.geoip_database),
            pseudonyms=Pseudonyms(keys.store),
            looks=LookCounter(db, flush_s=settings.look_flush_s, after=after_looks),
            look_limits=LookLimits.of(settings),
            photos=photo_readers,
            clock=clock,
            random=secrets.token_bytes,
        )
        app = create_app(settings, context=ctx)
        note_undescribed(app, undescribed)
        return World(brand=brand, ctx=ctx, clock=clock, settings=settings, app=app)

    with opened:
        yield make
    assert undescribed == []


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world()


@pytest.fixture
def other_brand(world: World, tmp_path: Path) -> IssuerHome:
    """A second brand on the same server, with the passphrase `x`."""
    while True:  # key ids are drawn at random, so that two brands may collide
        home = tmp_path / secrets.token_hex(4)
        issuer = IssuerHome.create(
            home,
            brand="Other Tea",
            prefix="https://v.other.example",
            passphrase="x",
            now=world.clock.now,
            cost=CHEAP,
        )
        try:
            publish_keyring(world.ctx.db, issuer.keyring.document, server_id=None, now=world.clock.now)
        except KeyIdTaken:
            continue
        return issuer
