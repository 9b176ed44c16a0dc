"""Stage 1, batch: what the server's part of a home does when the issuer's part publishes something.

These are the listeners behind the entry-point groups of `authcode.events`: the issuer announces, they take in.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from authcode.events import Touched
from authcode.order.products import Product, product_unknown
from keys.base.errors import HomeMissing, PassphraseMissing
from keys.base.home import server_dir
from keys.format.keyring import open_keyring
from keys.store.issuer import IssuerHome, SharedKeys
from keys.store.key_file import ScryptCost
from server.keystore import keep_shared_keys, lacks_shared_keys, make_server_keys
from server.runtime.actor import command_line_actor
from server.services.batches.register import knows_product, register_batch
from server.services.brands.keyring import publish_keyring
from server.services.brands.publish_product import publish_product
from server.services.brands.settings import set_contact
from server.services.brands.withdrawal_preview import preview_withdrawal
from server.settings import load_settings
from server.storage.engine import Database, open_database
from server.storage.migrate import is_current, upgrade


def keyring_published(
    home: Path,
    keyring: bytes,
    shared: SharedKeys,
    server_passphrase: Callable[[], str],
    *,
    cost: ScryptCost | None = None,
) -> str | None:
    """Make the server's part if there is none, and put keyring, serial and MAC keys into it.

    Without a server's part and without a passphrase for one, nothing is made: this machine only issues.
    """
    brand_id = open_keyring(keyring, root_fingerprint=None).keyring.brand_id
    if lacks_shared_keys(home, brand_id, shared):
        try:
            passphrase = server_passphrase()
        except PassphraseMissing:
            if server_dir(home).exists():
                raise
            return None
        keep_shared_keys(make_server_keys(home, passphrase, cost=cost), brand_id, shared)
    with closing(open_database(load_settings(home).database)) as db:
        upgrade(db)
        now, who = datetime.now(UTC), command_line_actor()
        published = publish_keyring(db, keyring, server_id=_server_id(home), now=now, by=who)
    return f"server: keyring version {published.version} of {published.brand} is in force"


def contact_chosen(home: Path, brand: str, contact: str) -> str | None:
    """Show shoppers whom they may ask; None where the home has no server's database."""
    db = _server_database(home)
    if db is None:
        return None
    with closing(db):
        set_contact(db, contact, brand=brand, actor=command_line_actor(), now=datetime.now(UTC))
    return f"server: shoppers of {brand} ask {contact}"


def batch_issued(home: Path, manifest: bytes) -> str | None:
    """Register an issued batch, inactive; None where the home has no server's database."""
    db = _server_database(home)
    if db is None:
        return None
    with closing(db):
        batch = register_batch(db, manifest, now=datetime.now(UTC))
        known = knows_product(db, batch)
    line = f"server: order {batch.order_name} is registered, inactive"
    return line if known else f"{line}; {product_unknown(batch.product_sku or '')}"


def product_published(home: Path, product: Product) -> str | None:
    """Show a product's new texts and picture; None where the home has no server's database."""
    db = _server_database(home)
    if db is None:
        return None
    with closing(db):
        brand_id = IssuerHome.open(home).keyring.keyring.brand_id
        publish_product(db, brand_id, product, now=datetime.now(UTC), actor=command_line_actor())
    return f"server: product {product.sku} is published"


def withdrawal_planned(home: Path, brand_id: bytes, key_id: str, since: datetime, now: datetime) -> Touched | None:
    """Count what withdrawing a key would touch; None where the home has no server's database."""
    db = _server_database(home)
    if db is None:
        return None
    with closing(db):
        return preview_withdrawal(db, brand_id, key_id, since=since, now=now)


def _server_database(home: Path) -> Database | None:
    if not server_dir(home).exists():
        return None
    db = open_database(load_settings(home).database)
    if is_current(db):
        return db
    db.close()
    return None


def _server_id(home: Path) -> str | None:
    try:
        return IssuerHome.open(home).server_id
    except HomeMissing:
        return None
