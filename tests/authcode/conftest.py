"""A brand of three keys made from fixed seeds, a home of it on disk, and nobody who listens."""

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from authcode.code.serial import SerialCipher, SerialUnit, Tier
from authcode.code.sign import CodeSigner
from authcode.verifier.single_file import build
from keys.format.keyring import Keyring, KeyringSet, OpenedKeyring, sign_keyring
from keys.format.records import CodeKey, Form, KeyState, OfficeKey, Profile
from keys.primitives import SigningKey
from keys.store.issuer import IssuerHome, UnlockedIssuer
from keys.store.key_file import ScryptCost

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
PREFIX = "HTTPS://V.EXAMPLE.COM/"
GTIN = "09506000134352"
PASSPHRASE = "correct horse battery staple"
SECRETS = {"K1": b"\x01" * 32, "K2": b"\x02" * 32, "K3": b"\x03" * 32}


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand in memory: K1 signed short, K2 signed link, K3 compact."""

    keyring: Keyring
    root: SigningKey
    office: SigningKey
    cipher: SerialCipher

    @property
    def keyrings(self) -> KeyringSet:
        return KeyringSet([self.keyring])

    @property
    def mac_keys(self) -> dict[str, bytes]:
        return {"K3": SECRETS["K3"]}

    @property
    def opened(self) -> OpenedKeyring:
        return OpenedKeyring(
            keyring=self.keyring,
            root_fingerprint=self.root.fingerprint,
            document=sign_keyring(self.keyring, self.root),
        )

    def signer(self, key_id: str) -> CodeSigner:
        return CodeSigner(self.keyring.brand_id, self.keyring.code_key(key_id), SECRETS[key_id])

    def code(self, key_id: str, *, batch: int = 7, index: int = 0, tier: Tier = Tier.SINGLE) -> str:
        serial = self.cipher.serial(SerialUnit(batch=batch, index=index, tier=tier))
        signer = self.signer(key_id)
        return signer.code(serial, GTIN) if signer.key.form is Form.GS1 else signer.code(serial)


def make_key(key_id: str, profile: Profile, form: Form, **changes: object) -> CodeKey:
    values: dict[str, object] = {
        "key_id": key_id,
        "profile": profile,
        "form": form,
        "prefix": PREFIX,
        "serial_key": 1,
        "state": KeyState.ACTIVE,
        "since": NOW,
        "public_key": SigningKey(SECRETS[key_id]).public_key if profile is Profile.SIGNED else None,
    }
    return CodeKey(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def brand() -> Brand:
    root, office = SigningKey(b"\x11" * 32), SigningKey(b"\x12" * 32)
    brand_id = bytes(range(16))
    keyring = Keyring(
        brand_id=brand_id,
        brand="Example Tea",
        version=1,
        issued=NOW,
        expires=NOW + timedelta(days=30),
        prefixes=(PREFIX,),
        code_keys=(
            make_key("K1", Profile.SIGNED, Form.SHORT),
            make_key("K2", Profile.SIGNED, Form.GS1),
            make_key("K3", Profile.COMPACT, Form.SHORT),
        ),
        office_keys=(
            OfficeKey(fingerprint=office.fingerprint, public_key=office.public_key, state=KeyState.ACTIVE, since=NOW),
        ),
    )
    return Brand(keyring, root, office, SerialCipher(b"\x04" * 32, brand_id))


@pytest.fixture(scope="session")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The verifier in one file, alone in a folder."""
    path = tmp_path_factory.mktemp("standalone") / "authcode_verify.py"
    path.write_text(build(), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def single_file(standalone: Path) -> ModuleType:
    """The same, imported."""
    spec = importlib.util.spec_from_file_location("authcode_verify", standalone)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def key_record() -> Callable[..., CodeKey]:
    return make_key


@pytest.fixture(autouse=True)
def _nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the installed server out; the tests of announcements install listeners of their own."""
    monkeypatch.setattr("authcode.events.entry_points", lambda **_group: ())


@pytest.fixture(scope="session")
def _fresh_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("issuer") / "home"
    cheap = ScryptCost(n=2, r=1, p=1)
    made = IssuerHome.create(
        home, brand="Example Tea", prefix="https://v.example.com", passphrase=PASSPHRASE, now=NOW, cost=cheap
    )
    made.unlock(PASSPHRASE).new_code_key(profile=Profile.COMPACT, form=Form.SHORT, prefix=PREFIX, now=NOW)
    return home


@pytest.fixture
def home(_fresh_home: Path, tmp_path: Path) -> Path:
    """Give a home of one brand with a signed key for each form and a compact key; its passphrase costs nothing."""
    return Path(shutil.copytree(_fresh_home, tmp_path / "home"))


@pytest.fixture
def issuer(home: Path) -> UnlockedIssuer:
    return IssuerHome.open(home).unlock(PASSPHRASE)
