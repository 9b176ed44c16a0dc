"""A brand, a clock that stands, and key stores that cost nothing to open."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from keys.format.keyring import Keyring
from keys.format.records import CodeKey, Form, KeyState, OfficeKey, Profile
from keys.primitives import SigningKey
from keys.store.issuer import IssuerHome
from keys.store.key_file import ScryptCost

# The machine may be busy: how long an example takes says nothing about what it shows.
settings.register_profile("keys")
settings.load_profile("keys")

PREFIX = "HTTPS://V.EXAMPLE.COM/"
PASSPHRASE = "correct horse battery staple"
NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
CHEAP = ScryptCost(n=2, r=1, p=1)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def cheap() -> ScryptCost:
    return CHEAP


@pytest.fixture
def passphrase() -> str:
    return PASSPHRASE


@pytest.fixture
def root() -> SigningKey:
    return SigningKey(bytes(range(32)))


@pytest.fixture
def code_key() -> Callable[..., CodeKey]:
    """Make a signed, active, short key K1; whatever is named is different."""

    def make(**changes: object) -> CodeKey:
        values: dict[str, object] = {
            "key_id": "K1",
            "profile": Profile.SIGNED,
            "form": Form.SHORT,
            "prefix": PREFIX,
            "serial_key": 1,
            "state": KeyState.ACTIVE,
            "since": NOW,
            "public_key": SigningKey(b"\x01" * 32).public_key,
        }
        return CodeKey(**{**values, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def keyring(code_key: Callable[..., CodeKey]) -> Callable[..., Keyring]:
    """Make a keyring with one code key and one office key; whatever is named is different."""
    office = SigningKey(b"\x02" * 32)

    def make(**changes: object) -> Keyring:
        values: dict[str, object] = {
            "brand_id": b"\x0b" * 16,
            "brand": "Blue Stars",
            "version": 1,
            "issued": NOW,
            "expires": NOW + timedelta(days=30),
            "prefixes": (PREFIX,),
            "lookalike_domains": ("v-example.com",),
            "partner_domains": ("example.org",),
            "code_keys": (code_key(),),
            "office_keys": (
                OfficeKey(
                    fingerprint=office.fingerprint, public_key=office.public_key, state=KeyState.ACTIVE, since=NOW
                ),
            ),
        }
        return Keyring(**{**values, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home made once; tests take copies of it."""
    home = tmp_path_factory.mktemp("made") / "home"
    IssuerHome.create(home, brand="Blue Stars", prefix=PREFIX, passphrase=PASSPHRASE, now=NOW, cost=CHEAP)
    return home


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_home, tmp_path / "home"))


@pytest.fixture
def issuer(home: Path) -> IssuerHome:
    return IssuerHome.open(home)
