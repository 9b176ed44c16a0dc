"""A brand and its server: made once, and given to each test as a copy with a clock of its own."""
# ruff: noqa: ANN401 - a setting goes through by name

import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask

from keys.base.errors import KeyIdTaken
from keys.base.home import server_dir
from keys.format.records import Form, Profile
from keys.store.issuer import IssuerHome
from keys.store.key_file import ScryptCost
from scanner.confine.readers import PhotoReaders
from server import listeners as hooks
from server.app import create_app
from server.keystore import open_server_keys
from server.runtime.context import Context
from server.runtime.keyrings import KeyringCache
from server.runtime.look_limits import LookLimits
from server.runtime.places import Places
from server.runtime.pseudonyms import Pseudonyms
from server.services.alerts.storms import create_look_counter
from server.services.brands.keyring import publish_keyring
from server.services.brands.publish_product import publish_product
from server.services.brands.settings import set_contact
from server.services.staff import accounts
from server.settings import load_settings
from server.storage import migrate
from server.storage.engine import Database
from tests.postgres import Cluster
from tests.server.described import collect_undescribed
from tests.server.simulator import (
    CHEAP,
    CONTACT,
    PREFIX,
    PRODUCT,
    START,
    Brand,
    Clock,
    CompiledTemplates,
    MakeWorld,
    World,
)

_TEMPLATES = CompiledTemplates()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `both_databases` on both, except where a test names its own."""
    own = any(mark.args[0] == "database_kind" for mark in metafunc.definition.iter_markers("parametrize"))
    marked = metafunc.definition.get_closest_marker("both_databases") is not None
    if "database_kind" in metafunc.fixturenames and marked and not own:
        metafunc.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Passwords hashed at a cost that tests can afford; `test_accounts` tests the real one."""
    with pytest.MonkeyPatch.context() as patch:
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(accounts, "_HASHER", hasher)
        patch.setattr(accounts, "_DUMMY_HASH", hasher.hash("nobody"))
        yield


@pytest.fixture(scope="session")
def brand(tmp_path_factory: pytest.TempPathFactory) -> Brand:
    home = tmp_path_factory.mktemp("home")
    issuer = IssuerHome.create(
        home, brand="Example Tea", prefix=PREFIX, passphrase="issuer-pass", now=START, cost=CHEAP
    ).unlock("issuer-pass")
    issuer.new_code_key(profile=Profile.COMPACT, form=Form.SHORT, prefix=PREFIX, now=START)
    hooks.keyring_published(home, issuer.keyring.document, issuer.shared_keys(), lambda: "server-pass", cost=CHEAP)
    hooks.contact_chosen(home, "Example Tea", CONTACT)
    hooks.product_published(home, PRODUCT)
    return Brand(home=home, issuer=issuer, keys=open_server_keys(home, "server-pass"))


@pytest.fixture(scope="session")
def cheap() -> ScryptCost:
    """A cost that tests can afford."""
    return CHEAP


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """On which database a test's servers work."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session")
def template(brand: Brand, cluster: Cluster) -> Iterator[str]:
    """The session's brand in a PostgreSQL database, of which each test is given a copy."""
    with cluster.database() as name:
        db = Database(cluster.url(name))
        migrate.upgrade(db)
        keyring = brand.issuer.keyring
        publish_keyring(db, keyring.document, server_id=brand.issuer.server_id, now=START)
        set_contact(db, CONTACT, brand=None, actor="test", now=START)
        publish_product(db, keyring.keyring.brand_id, PRODUCT, now=START)
        db.close()
        yield name


@pytest.fixture(scope="session")
def photo_readers() -> Iterator[PhotoReaders]:
    """The processes that read pictures, for all servers of the run."""
    readers = PhotoReaders()
    yield readers
    readers.close()


@pytest.fixture
def make_world(
    brand: Brand, tmp_path: Path, database_kind: str, photo_readers: PhotoReaders, request: pytest.FixtureRequest
) -> Iterator[MakeWorld]:
    """Make servers: each has a copy of the database, and of the keys where pseudonyms are made."""
    opened = ExitStack()
    undescribed: list[str] = []

    def make(**changes: Any) -> World:
        home = tmp_path / secrets.token_hex(4)
        shutil.copytree(server_dir(brand.home), server_dir(home))
        if database_kind == "postgresql":
            cluster: Cluster = request.getfixturevalue("cluster")
            name = opened.enter_context(cluster.database(request.getfixturevalue("template")))
            (server_dir(home) / "authcode.db").unlink()
            (server_dir(home) / "server.toml").write_text(f'database_url = "{cluster.url(name)}"\n', encoding="utf-8")
        settings = load_settings(home, rate_limit="off", keyring_cache_s=0, **changes)
        keys = open_server_keys(home, "server-pass")
        db = Database(settings.database)
        opened.callback(db.close)
        clock = Clock()
        pseudonyms = Pseudonyms(keys.store)
        ctx = Context(
            db=db,
            settings=settings,
            keys=keys,
            keyrings=KeyringCache(db, keys, ttl_s=settings.keyring_cache_s),
            places=Places(settings.geoip_database),
            pseudonyms=pseudonyms,
            looks=create_look_counter(db, settings, pseudonyms, clock),
            look_limits=LookLimits.of(settings),
            photos=photo_readers,
            clock=clock,
            random=secrets.token_bytes,
        )
        ctx.keyrings()  # read once when a server starts, before a test puts its records out of reach

        def make_app() -> Flask:
            app = create_app(settings, context=ctx)
            app.jinja_env.bytecode_cache = _TEMPLATES
            collect_undescribed(app, undescribed)
            return app

        return World(brand=brand, ctx=ctx, clock=clock, settings=settings, make_app=make_app)

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
