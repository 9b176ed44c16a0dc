"""A throw-away home with one brand and its server: what the benchmarks of verifying measure on."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from authcode.code.serial import SerialCipher
from authcode.code.sign import CodeSigner
from authcode.order.issue import issue_batch
from authcode.order.manifest import Manifest, sign_manifest
from authcode.order.order import DrawnBy, Order, Placement, Tiers
from keys.format.records import Form, Profile
from keys.store.issuer import IssuerHome, UnlockedIssuer
from keys.store.key_file import ScryptCost
from server import listeners as hooks
from server.domain.batches.range_act import ActDetails, ActKind, ActRequest
from server.services.batches.range_acts import act_on_range
from server.services.batches.register import register_batch
from server.storage.engine import Database
from tests import postgres, postgres_keeper

PREFIX = "HTTPS://V.EXAMPLE.COM/"
_CHEAP = ScryptCost(n=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The home's issuer part, opened, and the passphrase of its server part."""

    home: Path
    issuer: UnlockedIssuer
    server_passphrase: str

    @classmethod
    def build(cls, home: Path) -> "House":
        """Make the brand and its server's keys. The server's database is the one that the home's settings name."""
        issuer_passphrase, server_passphrase = secrets.token_hex(8), secrets.token_hex(8)
        made = IssuerHome.create(
            home, brand="Bench", prefix=PREFIX, passphrase=issuer_passphrase, now=_now(), cost=_CHEAP
        )
        issuer = made.unlock(issuer_passphrase)
        hooks.keyring_published(
            home, issuer.keyring.document, issuer.shared_keys(), lambda: server_passphrase, cost=_CHEAP
        )
        hooks.contact_chosen(home, "Bench", "bench@example.com")
        return cls(home=home, issuer=issuer, server_passphrase=server_passphrase)

    def issue(self, database: Database, *, number: int, count: int) -> list[str]:
        """The codes of a new order, registered and activated."""
        order = Order(name=f"order-{number}", count=count, placement=Placement.INSIDE)
        keyring = self.issuer.keyring.keyring
        key = keyring.key_for(form=Form.SHORT, profile=Profile.SIGNED)
        manifest = Manifest(
            server_id=self.issuer.server_id,
            brand_id=keyring.brand_id,
            batch_number=number,
            order=order.name,
            product=None,
            count=count,
            tiers=Tiers.SINGLE,
            profile=order.profile,
            form=order.form,
            gtin=None,
            key_id=key.key_id,
            placement=order.placement,
            drawn_by=DrawnBy.AUTHCODE,
            issued_at=_now(),
            checksums={},
        )
        register_batch(database, sign_manifest(manifest, self.issuer.office_key()), now=_now())
        activated = ActDetails(lot="L1")
        wanted = ActRequest(order=order.name, kind=ActKind.ACTIVATE, details=activated, actor="bench")
        act_on_range(database, wanted, now=_now())
        signer = CodeSigner(keyring.brand_id, key, self.issuer.code_secret(key.key_id))
        cipher = SerialCipher(self.issuer.serial_key(key.serial_key), keyring.brand_id)
        return [code.code for code in issue_batch(order, batch_number=number, signer=signer, cipher=cipher)]


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """The addresses of an empty database of each kind by its name, PostgreSQL's commits waiting for the disk."""
    postgres_folder = postgres.new_folder()
    keeper = postgres_keeper.keep(postgres_folder)
    try:
        cluster = postgres.Cluster(postgres.start(postgres_folder, durable=True))
        with cluster.database() as name:
            yield {"SQLite": f"sqlite:///{folder}/authcode.db", "PostgreSQL": cluster.url(name)}
    finally:
        postgres_keeper.release(keeper)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
