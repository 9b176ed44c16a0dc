"""Registration by signed manifest, keyrings, products and range acts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from authcode.order.manifest import ManifestInvalid, ManifestSignatureInvalid, sign_manifest
from authcode.order.products import Product
from keys.base.errors import KeyIdTaken, KeyringInvalid, KeyringRollback, KeyringSignatureInvalid, RootChanged
from keys.format.keyring import sign_keyring
from keys.format.records import CodeKey, Purpose
from keys.primitives import SigningKey
from keys.store.issuer import IssuerHome
from server import listeners as hooks
from server.domain.batches.range_act import ActKind, ActRequest, RangeInvalid
from server.services.batches.range_acts import ActivationRefused, OrderAmbiguous, OrderUnknown, act_on_range
from server.services.batches.register import BatchConflict, ManifestForOtherServer, register_batch
from server.services.brands.keyring import (
    EXPIRY_WARNING,
    KeyringUnknown,
    ageing_keyrings,
    publish_keyring,
    published_keyring,
)
from server.services.brands.publish_product import product_picture, publish_product
from server.storage import schema
from server.storage.brands import BrandUnknown
from tests.server.simulator import Brand, MakeWorld, World, both_databases

pytestmark = [pytest.mark.filterwarnings("error"), both_databases]


def everything(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with world.ctx.db.read() as connection:
        return {
            name: [tuple(row) for row in connection.execute(sa.select(table)).all()]
            for name, table in schema.metadata.tables.items()
        }


def test_a_batch_is_one_row_whatever_its_size_and_starts_inactive(world: World) -> None:
    _manifest, document = world.manifest(count=1_000_000)
    before = {name: len(rows) for name, rows in everything(world).items()}
    batch = register_batch(world.ctx.db, document, now=world.clock.now)
    after = {name: len(rows) for name, rows in everything(world).items()}
    assert batch.count == 1_000_000
    assert {name for name in after if after[name] != before[name]} == {"batch", "audit", "log_pending"}


def test_the_same_bytes_again_change_nothing(world: World) -> None:
    issued = world.issue()
    before = everything(world)
    world.clock.forward(days=1)
    assert register_batch(world.ctx.db, issued.document, now=world.clock.now) == issued.batch
    assert everything(world) == before


def test_other_bytes_for_a_known_order_or_number_are_refused_and_change_nothing(world: World) -> None:
    issued = world.issue()
    before = everything(world)
    for changes in (
        {"order": issued.batch.order_name},
        {"batch_number": issued.batch.number, "order": "another"},
        {"batch_number": issued.batch.number, "order": issued.batch.order_name, "count": 11},
    ):
        _manifest, document = world.manifest(**changes)
        with pytest.raises(BatchConflict) as refused:
            register_batch(world.ctx.db, document, now=world.clock.now)
        assert (refused.value.code, refused.value.http_status) == ("batch_conflict", 409)
        assert refused.value.registered_at == issued.batch.registered_at
    assert everything(world) == before


def test_a_keyring_of_the_future_is_refused(world: World, brand: Brand) -> None:
    opened = brand.issuer.keyring
    store = brand.issuer._store  # noqa: SLF001 - as below
    root = SigningKey(store.get(Purpose.ROOT, opened.root_fingerprint.removeprefix("sha256:")[:16]))
    for ahead, taken in ((timedelta(days=1), True), (timedelta(days=1, seconds=1), False)):
        issued = world.clock.now.replace(microsecond=0) + ahead
        newer = replace(
            opened.keyring,
            version=world.ctx.keyrings().keyrings[0].version + (1 if taken else 2),
            issued=issued,
            expires=issued + timedelta(days=30),
        )
        if taken:
            publish_keyring(world.ctx.db, sign_keyring(newer, root), server_id=None, now=world.clock.now)
        else:
            with pytest.raises(KeyringInvalid, match="still to come"):
                publish_keyring(world.ctx.db, sign_keyring(newer, root), server_id=None, now=world.clock.now)


def test_a_key_list_is_spoken_of_from_a_week_before_its_end_on(world: World) -> None:
    (known,) = world.ctx.keyrings().keyrings
    assert ageing_keyrings(world.ctx.db, now=known.expires - EXPIRY_WARNING) == []
    for late in (known.expires - EXPIRY_WARNING + timedelta(seconds=1), known.expires + timedelta(days=400)):
        assert ageing_keyrings(world.ctx.db, now=late) == [known]


def test_a_manifest_that_no_office_key_signed_is_refused(world: World) -> None:
    manifest, document = world.manifest()
    before = everything(world)
    forged = sign_manifest(manifest, SigningKey.generate())
    changed = document.replace(b"order-1", b"order-2")
    for bad, refusal in (
        (forged, ManifestSignatureInvalid),
        (changed, ManifestSignatureInvalid),
        (document[:-20], ManifestInvalid),
        (b"", ManifestInvalid),
        (world.brand.issuer.keyring.document, ManifestInvalid),
    ):
        with pytest.raises(refusal):
            register_batch(world.ctx.db, bad, now=world.clock.now)
    assert everything(world) == before


def test_a_manifest_for_another_server_is_refused(world: World) -> None:
    _manifest, document = world.manifest(server_id="ab" * 16)
    with pytest.raises(ManifestForOtherServer):
        register_batch(world.ctx.db, document, now=world.clock.now)


def test_a_keyring_pins_its_root_and_only_grows(world: World, brand: Brand) -> None:
    opened = brand.issuer.keyring
    db, now = world.ctx.db, world.clock.now
    before = everything(world)
    assert publish_keyring(db, opened.document, server_id=None, now=now) == opened.keyring
    assert everything(world) == before
    store = brand.issuer._store  # noqa: SLF001 - the root is not handed out, and this test forges with it
    root = SigningKey(store.get(Purpose.ROOT, opened.root_fingerprint.removeprefix("sha256:")[:16]))
    older = replace(opened.keyring, version=opened.keyring.version - 1)
    with pytest.raises(KeyringRollback):
        publish_keyring(db, sign_keyring(older, root), server_id=None, now=now)
    newer = replace(opened.keyring, version=opened.keyring.version + 1)
    with pytest.raises(RootChanged):
        publish_keyring(db, sign_keyring(newer, SigningKey.generate()), server_id=None, now=now)
    with pytest.raises(KeyringSignatureInvalid):
        publish_keyring(db, sign_keyring(newer, root).replace(b"Example Tea", b"Exemple Tea"), server_id=None, now=now)
    assert publish_keyring(db, sign_keyring(newer, root), server_id=None, now=now).version == newer.version
    assert world.state(world.issue().text(0)) == "unused"
    thief = replace(newer, brand_id=b"x" * 16, brand="Thief")
    with pytest.raises(KeyIdTaken):
        publish_keyring(db, sign_keyring(thief, SigningKey.generate()), server_id=None, now=now)


def test_two_brands_share_a_server_and_order_names(world: World, brand: Brand, other_brand: IssuerHome) -> None:
    issued, other = world.issue(), other_brand
    manifest, _document = world.manifest()
    key = other.keyring.keyring.code_keys[0]
    theirs = replace(
        manifest, brand_id=other.keyring.keyring.brand_id, key_id=key.key_id, order=issued.batch.order_name
    )
    document = sign_manifest(theirs, other.unlock("x").office_key())
    batch = register_batch(world.ctx.db, document, now=world.clock.now)
    assert batch.row != issued.batch.row
    with pytest.raises(OrderAmbiguous):
        world.act(issued, ActKind.SAMPLE)
    wanted = ActRequest(
        order=issued.batch.order_name, kind=ActKind.SAMPLE, indices="0", actor="anna", brand_id=theirs.brand_id
    )
    act_on_range(world.ctx.db, wanted, now=world.clock.now)
    assert world.state(issued.text(0)) == "unused"
    client = world.client
    assert client.get("/.well-known/authcode-keys.json").status_code == 404
    by_host = client.get("/.well-known/authcode-keys.json", headers={"Host": "v.other.example"})
    assert by_host.data == other.keyring.document
    by_id = client.get(f"/.well-known/authcode-keys.json?brand={brand.issuer.keyring.keyring.brand_id.hex()}")
    assert by_id.data == brand.issuer.keyring.document


def test_the_only_keyring_is_served_as_it_was_published(world: World, brand: Brand) -> None:
    assert world.client.get("/.well-known/authcode-keys.json").data == brand.issuer.keyring.document
    with pytest.raises(KeyringUnknown):
        published_keyring(world.ctx, brand_id="zz", host="")


def test_a_withdrawn_key_locks_what_was_in_the_world_and_is_not_ours_for_the_rest(world: World, brand: Brand) -> None:
    from keys.format.records import KeyState

    sold, unsold = world.issue(), world.issue(activate=False)
    manifest, _document = world.manifest()
    unknown = world.codes(manifest)[0].code
    world.verdict(sold.text(1), "anna")
    opened = brand.issuer.keyring
    keys = tuple(
        replace(key, state=KeyState.WITHDRAWN, since=world.clock.now + timedelta(hours=1), reason="leaked")
        if key.key_id == sold.batch.key_id
        else key
        for key in opened.keyring.code_keys
    )
    store = brand.issuer._store  # noqa: SLF001 - as above
    root = SigningKey(store.get(Purpose.ROOT, opened.root_fingerprint.removeprefix("sha256:")[:16]))
    newer = replace(opened.keyring, version=opened.keyring.version + 1, code_keys=keys)
    publish_keyring(world.ctx.db, sign_keyring(newer, root), server_id=None, now=world.clock.now)
    world.clock.forward(days=1)
    told = world.ask(sold.text(0), "anna").get_json()
    assert (told["verdict"], told["locked_reason"]) == ("locked", "key_withdrawn")
    told = world.ask(sold.text(1), "anna").get_json()
    assert (told["verdict"], told["was_yours"]) == ("locked", True)
    assert world.verdict(unsold.text(0), "anna") == world.verdict(unknown, "anna") == "not_ours"


def _publish_changed(world: World, brand: Brand, change: Callable[[CodeKey], CodeKey | None]) -> None:
    """Publish the brand's keyring again with its code keys changed, signed by its root."""
    opened = brand.issuer.keyring
    keys = tuple(key for key in map(change, opened.keyring.code_keys) if key is not None)
    store = brand.issuer._store  # noqa: SLF001 - as above
    root = SigningKey(store.get(Purpose.ROOT, opened.root_fingerprint.removeprefix("sha256:")[:16]))
    newer = replace(opened.keyring, version=opened.keyring.version + 1, code_keys=keys)
    publish_keyring(world.ctx.db, sign_keyring(newer, root), server_id=None, now=world.clock.now)


def test_goods_stay_in_the_world_when_their_lot_is_corrected_after_a_withdrawal(world: World, brand: Brand) -> None:
    from keys.format.records import KeyState

    sold, late = world.issue(), world.issue(activate=False)
    since = world.clock.now + timedelta(hours=1)
    _publish_changed(world, brand, lambda key: replace(key, state=KeyState.WITHDRAWN, since=since, reason="leaked"))
    world.clock.forward(days=1)
    world.act(sold, ActKind.ACTIVATE, lot="L2-corrected")
    with pytest.raises(ActivationRefused):
        world.act(late, ActKind.ACTIVATE, lot="L2-corrected")
    told = world.ask(sold.text(0), "anna").get_json()
    assert (told["verdict"], told["lot"]) == ("locked", "L2-corrected")
    assert world.verdict(late.text(0), "anna") == "not_ours"


def test_a_keyring_that_drops_a_key_or_gives_its_id_to_another_is_refused(world: World, brand: Brand) -> None:
    known = brand.issuer.keyring.keyring.code_keys[0]
    other = SigningKey.generate().public_key
    with pytest.raises(KeyringInvalid, match="never dropped"):
        _publish_changed(world, brand, lambda key: None if key == known else key)
    with pytest.raises(KeyIdTaken):
        _publish_changed(world, brand, lambda key: replace(key, public_key=other) if key == known else key)
    assert world.client.get("/.well-known/authcode-keys.json").data == brand.issuer.keyring.document


def test_a_server_without_the_keys_of_a_code_does_not_judge_it(make_world: MakeWorld, brand: Brand) -> None:
    world = make_world()
    from keys.format.records import Form, Profile

    short = world.issue().text(0)
    compact = world.issue(profile=Profile.COMPACT, form=Form.SHORT).text(0)
    keyring = brand.issuer.keyring.keyring
    mac_key = next(key.key_id for key in keyring.code_keys if key.profile is Profile.COMPACT)
    world.ctx.keys.store.remove(Purpose.MAC, mac_key)
    assert world.state(compact) == "not_ours"
    world.ctx.keys.store.remove(Purpose.SERIAL, f"{keyring.brand_id.hex()}-1")
    answer = world.client.post("/api/v1/look", json={"code": short})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "serial_key_missing")


def test_acts_name_a_registered_order_and_a_range_in_it(world: World) -> None:
    issued = world.issue()
    before = everything(world)
    with pytest.raises(RangeInvalid):
        world.act(issued, ActKind.VOID, "5-10")
    with pytest.raises(RangeInvalid):
        world.act(issued, ActKind.ACTIVATE, markets=("Korea",))
    unknown = replace(issued, batch=replace(issued.batch, order_name="nothing"))
    with pytest.raises(OrderUnknown):
        world.act(unknown, ActKind.VOID)
    assert everything(world) == before
    act = world.act(issued, ActKind.VOID, "5-9", reason="waste")
    assert (act.first, act.last, act.actor, act.at) == (5, 9, "anna@example.com", world.clock.now)
    after = everything(world)
    changed = {name: len(after[name]) - len(before[name]) for name in after if after[name] != before[name]}
    assert changed == {"range_act": 1, "audit": 1, "log_pending": 1}


def test_a_product_is_replaced_by_its_sku_and_its_picture_is_served_from_the_database(
    world: World, brand: Brand
) -> None:
    brand_id = brand.issuer.keyring.keyring.brand_id
    picture, kind = product_picture(world.ctx.db, brand_id.hex(), "TEA-1")
    assert (picture[:4], kind) == (b"\x89PNG", "image/png")
    publish_product(world.ctx.db, brand_id, Product(sku="TEA-1", name="Summer Tea"), now=world.clock.now)
    assert product_picture(world.ctx.db, brand_id.hex(), "TEA-1") is None
    assert product_picture(world.ctx.db, "no hex", "TEA-1") is None
    assert product_picture(world.ctx.db, "00" * 16, "TEA-1") is None
    told = world.client.post("/api/v1/look", json={"code": world.issue().text(0)}).get_json()
    assert told["product"]["name"] == "Summer Tea"
    with pytest.raises(BrandUnknown):
        publish_product(world.ctx.db, b"x" * 16, Product(sku="TEA-1", name="Tea"), now=world.clock.now)


def test_hooks_of_a_home_without_a_server_do_nothing(tmp_path: Path, brand: Brand, world: World) -> None:
    from keys.base.errors import PassphraseMissing

    def nobody_there() -> str:
        raise PassphraseMissing("server", "nobody is there")

    shared = brand.issuer.shared_keys()
    document = brand.issuer.keyring.document
    assert hooks.keyring_published(tmp_path, document, shared, nobody_there) is None
    assert hooks.batch_issued(tmp_path, world.manifest()[1]) is None
    assert hooks.product_published(tmp_path, Product(sku="A", name="B")) is None
    (tmp_path / "server").mkdir()
    assert hooks.batch_issued(tmp_path, world.manifest()[1]) is None
    with pytest.raises(PassphraseMissing):
        hooks.keyring_published(tmp_path, document, shared, nobody_there)


def test_hooks_register_at_once_and_ask_for_no_passphrase_where_nothing_is_new(
    brand: Brand, make_world: MakeWorld
) -> None:
    world = make_world()
    asked: list[str] = []
    shared = brand.issuer.shared_keys()
    home = world.settings.home
    told = hooks.keyring_published(home, brand.issuer.keyring.document, shared, lambda: asked.append("x") or "x")
    assert "is in force" in told
    assert asked == []
    _manifest, document = world.manifest()
    assert hooks.batch_issued(home, document) == "server: order order-1 is registered, inactive"
    assert hooks.batch_issued(home, document) == "server: order order-1 is registered, inactive"
