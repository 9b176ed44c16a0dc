# ruff: noqa: ANN401 - answers of the test client
"""What a print station does over the network: publish, register, act, ask; and each way in which it is refused."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from authcode.order.manifest import sign_manifest
from authcode.order.products import Product, product_document
from keys.format.keyring import sign_keyring
from keys.format.records import Form, KeyState, Profile, Purpose
from keys.primitives import SigningKey
from keys.store.issuer import IssuerHome
from keys.store.key_file import ScryptCost
from server.app import create_app
from server.domain.batches.range_act import ActKind
from server.domain.staff.scope import Scope
from server.services.brands.keyring import publish_keyring
from server.services.staff.api_tokens import revoke_token
from server.settings import RateLimit
from server.storage import schema
from tests.server.simulator import GTIN, World
from tests.server.web.api.calls import JSON, everything, made, refusal, send
from tests.server.web.api.conforms import conforms


def _png(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(stream, "PNG")
    return stream.getvalue()


ADDRESSES = [
    ("PUT", "/keyring", Scope.KEYS),
    ("PUT", "/products/TEA-1", Scope.PRODUCT),
    ("POST", "/batches", Scope.REGISTER),
    ("GET", "/batches", Scope.READ),
    ("GET", "/batches/order-1", Scope.READ),
    ("POST", "/batches/order-1/acts", Scope.ACT),
]


@pytest.mark.parametrize(("method", "path", "scope"), ADDRESSES)
def test_every_address_of_a_station_needs_a_token_with_its_own_scope(
    world: World, method: str, path: str, scope: Scope
) -> None:
    before = everything(world)
    missing = send(world, method, path, None, b"{}")
    assert refusal(missing) == (401, "token_missing")
    assert missing.headers["WWW-Authenticate"] == 'Bearer realm="authcode"'
    lacking = made(world, *(other for other in Scope if other is not scope))
    expired, revoked = made(world, scope, days=1), made(world, scope)
    before = everything(world)
    other = send(world, method, path, lacking, b"{}")
    assert refusal(other) == (403, "token_scope_missing")
    assert other.headers["WWW-Authenticate"] == f'Bearer realm="authcode", error="insufficient_scope", scope="{scope}"'
    assert scope in other.get_json()["detail"]
    assert everything(world) == before
    revoke_token(world.ctx.db, revoked, actor="anna", now=world.clock.now)
    world.clock.forward(days=1)
    for token, code in ((expired, "token_expired"), (revoked, "token_revoked"), (lacking[:-1], "token_unknown")):
        answer = send(world, method, path, token, b"{}")
        assert refusal(answer) == (401, code)
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authcode", error="invalid_token"'
        assert token not in answer.text
    for header in ("Basic YTpi", "Bearer", f"bearer  {lacking[:-1]}", "Bearer é"):
        answer = send(world, method, path, None, b"{}", headers={"Authorization": header})
        assert answer.status_code == 401


def test_a_token_counts_in_the_authorization_header_alone(world: World) -> None:
    token = made(world, Scope.READ)
    assert send(world, "GET", "/batches", token).status_code == 200
    assert refusal(send(world, "GET", f"/batches?access_token={token}", None)) == (401, "token_missing")


def test_a_manifest_is_registered_once_and_answered_alike_ever_after(world: World) -> None:
    token = made(world, Scope.REGISTER)
    _manifest, document = world.manifest(count=12)
    first = send(world, "POST", "/batches", token, document)
    assert first.status_code == 200, first.text
    told = first.get_json()
    assert (told["order"], told["batch_number"], told["count"]) == ("order-1", 1, 12)
    assert told["manifest_sha256"] == hashlib.sha256(document).hexdigest()
    before = everything(world)
    world.clock.forward(days=3)
    again = send(world, "POST", "/batches", token, document)
    assert (again.status_code, again.data) == (200, first.data)
    assert everything(world) == before
    with world.ctx.db.read() as connection:
        (actor,) = connection.execute(
            sa.select(schema.audit.c.actor).where(schema.audit.c.action == "batch.register")
        ).scalars()
    assert actor == f"token {token[9:17]} (press-1)"


def test_an_answer_to_a_manifest_says_whether_its_product_is_published_here(world: World) -> None:
    token = made(world, Scope.REGISTER, Scope.PRODUCT)
    _manifest, document = world.manifest(product="TEA-9")
    first = send(world, "POST", "/batches", token, document).get_json()
    assert (first["product"], first["product_known"]) == ("TEA-9", False)
    product = product_document(Product(sku="TEA-9", name="Ninth tea"))
    assert send(world, "PUT", "/products/TEA-9", token, product).status_code == 200
    assert send(world, "POST", "/batches", token, document).get_json() == first | {"product_known": True}
    _manifest, other = world.manifest(product=None)
    assert send(world, "POST", "/batches", token, other).get_json()["product_known"] is True


def test_a_manifest_sent_by_many_at_once_is_one_batch_and_one_answer(world: World) -> None:
    token = made(world, Scope.REGISTER)
    _manifest, document = world.manifest()
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda _turn: send(world, "POST", "/batches", token, document), range(8)))
    assert [answer.status_code for answer in sent] == [200] * 8
    assert len({answer.data for answer in sent}) == 1
    assert len(everything(world)["batch"]) == 1


def test_other_bytes_under_a_known_order_or_number_are_a_conflict(world: World) -> None:
    token = made(world, Scope.REGISTER)
    _manifest, document = world.manifest()
    assert send(world, "POST", "/batches", token, document).status_code == 200
    before = everything(world)
    for changes in ({"order": "order-1"}, {"batch_number": 1, "order": "another"}):
        _manifest, other = world.manifest(**changes)
        assert refusal(send(world, "POST", "/batches", token, other)) == (409, "batch_conflict")
    assert everything(world) == before


def test_a_manifest_that_is_not_this_servers_or_not_signed_is_refused(world: World) -> None:
    token = made(world, Scope.REGISTER)
    manifest, document = world.manifest()
    _elsewhere, foreign = world.manifest(server_id="ab" * 16)
    before = everything(world)
    for body, expected in (
        (foreign, (409, "manifest_for_other_server")),
        (sign_manifest(manifest, SigningKey.generate()), (403, "manifest_signature_invalid")),
        (document.replace(b"order-1", b"order-9"), (403, "manifest_signature_invalid")),
        (b"{}", (400, "manifest_invalid")),
        (b"", (400, "manifest_invalid")),
        (b"\xff" * 100, (400, "manifest_invalid")),
        (document + b" " * 70_000, (413, "request_too_large")),
    ):
        assert refusal(send(world, "POST", "/batches", token, body)) == expected
    assert refusal(send(world, "POST", "/batches", token, document, content_type="text/plain")) == (
        400,
        "request_invalid",
    )
    assert everything(world) == before


@pytest.fixture
def another(world: World, tmp_path: Path, cheap: ScryptCost) -> IssuerHome:
    """A second brand on the same server."""
    home = IssuerHome.create(
        tmp_path / "another",
        brand="Other Tea",
        prefix="HTTPS://W.EXAMPLE.COM/",
        passphrase="issuer-pass",
        now=world.clock.now,
        cost=cheap,
    )
    publish_keyring(world.ctx.db, home.keyring.document, server_id=home.server_id, now=world.clock.now)
    return home


def test_a_token_acts_for_its_own_brand_alone(world: World, another: IssuerHome) -> None:
    issued = world.issue(activate=False)
    theirs = made(world, brand="Other Tea")
    _manifest, document = world.manifest()
    before = everything(world)
    assert refusal(send(world, "POST", "/batches", theirs, document)) == (403, "token_for_other_brand")
    assert refusal(send(world, "POST", "/batches", theirs, issued.document)) == (403, "token_for_other_brand")
    keyring = world.brand.issuer.keyring.document
    assert refusal(send(world, "PUT", "/keyring", theirs, keyring)) == (403, "token_for_other_brand")
    path = f"/batches/{issued.batch.order_name}"
    assert refusal(send(world, "GET", path, theirs)) == (404, "order_unknown")
    assert refusal(send(world, "POST", f"{path}/acts", theirs, {"kind": "activate", "range": "all"})) == (
        404,
        "order_unknown",
    )
    assert send(world, "GET", "/batches", theirs).get_json()["batches"] == []
    assert everything(world) == before
    assert send(world, "GET", path, made(world)).get_json()["order"] == issued.batch.order_name
    product = Product(sku="TEA-1", name="Not yours")
    assert send(world, "PUT", "/products/TEA-1", theirs, product_document(product)).status_code == 200
    world.act(issued, ActKind.ACTIVATE)  # until then strangers learn of no product
    assert world.client.post("/api/v1/look", json={"code": issued.text(0)}).get_json()["product"]["name"] == (
        "Spring Tea 50 g"
    )
    assert another.keyring.keyring.brand == "Other Tea"


def test_a_token_that_acts_locks_and_unlocks(world: World) -> None:
    token, issued = made(world, Scope.ACT, Scope.READ), world.issue()
    path = f"/batches/{issued.batch.order_name}"
    for body in (
        {"kind": "lock", "range": "1-2", "reason": "copies"},
        {"kind": "unlock", "range": "2", "reason": "no"},
    ):
        told = send(world, "POST", f"{path}/acts", token, body)
        assert (told.status_code, told.get_json()["kind"]) == (200, body["kind"])
    assert [world.state(issued.text(index)) for index in range(3)] == ["unused", "locked", "unused"]
    assert send(world, "GET", path, token).get_json()["states"] == {"unused": 9, "locked": 1}
    for body in ({"kind": "lock"}, {"kind": "unlock", "range": "1"}, {"kind": "lock", "reason": "x", "link": "x"}):
        assert refusal(send(world, "POST", f"{path}/acts", token, body)) == (400, "request_invalid")
    reader = made(world, Scope.READ)
    lock = {"kind": "lock", "reason": "copies"}
    assert refusal(send(world, "POST", f"{path}/acts", reader, lock)) == (403, "token_scope_missing")


def test_a_range_goes_into_the_world_and_out_of_it(world: World) -> None:
    token, issued = made(world, Scope.ACT, Scope.READ), world.issue(activate=False)
    path = f"/batches/{issued.batch.order_name}"
    details = {"range": "0-8", "lot": "L1", "expires": "2028-03-31", "markets": ["KR", "jp"]}
    told = send(world, "POST", f"{path}/acts", token, {"kind": "activate", **details})
    assert told.status_code == 200, told.text
    assert {name: told.get_json()[name] for name in ("order", "kind", "first", "last", "actor")} == {
        "order": issued.batch.order_name,
        "kind": "activate",
        "first": 0,
        "last": 8,
        "actor": f"token {token[9:17]} (press-1)",
    }
    for body in (
        {"kind": "void", "range": "1", "reason": "misprint"},
        {"kind": "recall", "range": "2", "reason": "leaks", "link": "https://example.com/recall"},
        {"kind": "sample", "range": "3"},
    ):
        assert send(world, "POST", f"{path}/acts", token, body).status_code == 200
    assert [world.state(issued.text(index)) for index in (0, 1, 2, 3, 9)] == [
        "unused",
        "void",
        "recalled",
        "sample",
        "not_activated",
    ]
    status = send(world, "GET", path, token).get_json()
    assert status["states"] == {"unused": 6, "void": 1, "recalled": 1, "sample": 1, "not_activated": 1}
    page = send(world, "GET", "/batches", token).get_json()
    assert (page["batches"], page["total"], page["pages"]) == ([status], 1, 1)
    assert world.verdict(issued.text(0), "anna") == "genuine"


def test_the_latest_act_sent_again_is_the_same_row_and_an_older_one_a_new(world: World) -> None:
    token, issued = made(world, Scope.ACT), world.issue(activate=False)
    path = f"/batches/{issued.batch.order_name}/acts"
    body = {"kind": "activate", "range": "0-4", "lot": "L1", "expires": "2028-03-31", "markets": ["KR"]}
    first = send(world, "POST", path, token, body)
    before = everything(world)
    world.clock.forward(minutes=5)
    assert send(world, "POST", path, token, body).data == first.data
    assert everything(world) == before
    other = send(world, "POST", path, token, {**body, "lot": "L2"})
    world.clock.forward(minutes=5)
    third = send(world, "POST", path, token, body)
    assert len({first.data, other.data, third.data}) == 3
    colleague = made(world, Scope.ACT, label="press-2")
    assert send(world, "POST", path, colleague, body).get_json()["actor"].endswith("(press-2)")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "request_invalid"),
        ({"kind": "burn"}, "request_invalid"),
        ({"kind": "void", "range": "all"}, "request_invalid"),
        ({"kind": "recall", "range": "all", "reason": ""}, "request_invalid"),
        ({"kind": "void", "range": "all", "reason": " \t"}, "request_invalid"),
        ({"kind": "void", "reason": "misprint"}, "request_invalid"),
        ({"kind": "recall", "range": None, "reason": "leaks"}, "request_invalid"),
        ({"kind": "activate", "range": ""}, "range_invalid"),
        ({"kind": "void", "reason": "x", "lot": "L1"}, "request_invalid"),
        ({"kind": "sample", "reason": "x"}, "request_invalid"),
        ({"kind": "activate", "colour": "red"}, "request_invalid"),
        ({"kind": "activate", "markets": "KR"}, "request_invalid"),
        ({"kind": "activate", "markets": [1]}, "request_invalid"),
        ({"kind": "activate", "expires": "soon"}, "request_invalid"),
        ({"kind": "activate", "range": 5}, "request_invalid"),
        ({"kind": "activate", "range": "5-99"}, "range_invalid"),
        ({"kind": "activate", "range": "all", "markets": ["Korea"]}, "range_invalid"),
        ({"kind": "recall", "range": "all", "reason": "x", "link": "javascript:alert(1)"}, "range_invalid"),
        ([], "request_invalid"),
    ],
)
def test_an_act_out_of_form_changes_nothing(world: World, body: object, code: str) -> None:
    token, issued = made(world, Scope.ACT), world.issue(activate=False)
    before = everything(world)
    assert refusal(send(world, "POST", f"/batches/{issued.batch.order_name}/acts", token, body)) == (400, code)
    assert everything(world) == before


def test_names_that_no_order_has_are_not_echoed(world: World) -> None:
    token = made(world)
    answer = send(world, "GET", "/batches/%3Cscript%3E", token)
    assert refusal(answer) == (400, "request_invalid")
    assert "script" not in answer.text
    assert refusal(send(world, "GET", "/batches/nothing", token)) == (404, "order_unknown")
    for page in ("0", "-1", "x", "²", "9" * 30):
        assert refusal(send(world, "GET", f"/batches?page={page}", token)) == (400, "request_invalid")


def test_a_newer_keyring_is_published_and_an_older_one_refused(world: World) -> None:
    token, opened = made(world, Scope.KEYS), world.brand.issuer.keyring
    store = world.brand.issuer._store  # noqa: SLF001 - the root is not handed out, and this test forges with it
    root = SigningKey(store.get(Purpose.ROOT, opened.root_fingerprint.removeprefix("sha256:")[:16]))
    newer = replace(opened.keyring, version=opened.keyring.version + 1)
    document = sign_keyring(newer, root)
    before = everything(world)
    for body, expected in (
        (sign_keyring(newer, SigningKey.generate()), (409, "root_changed")),
        (document.replace(b"Example Tea", b"Exemple Tea"), (400, "keyring_signature_invalid")),
        (b"{}", (400, "document_invalid")),
        (b" " * (2 << 20), (413, "request_too_large")),
    ):
        assert refusal(send(world, "PUT", "/keyring", token, body)) == expected
    assert everything(world) == before
    for _twice in range(2):
        told = send(world, "PUT", "/keyring", token, document)
        assert (told.status_code, told.get_json()["version"], told.get_json()["keys_not_here"]) == (
            200,
            newer.version,
            [],
        )
    assert refusal(send(world, "PUT", "/keyring", token, opened.document)) == (409, "keyring_rollback")
    assert world.client.get("/.well-known/authcode-keys.json").data == document
    with world.ctx.db.read() as connection:
        noted = connection.execute(sa.select(schema.audit).where(schema.audit.c.action == "keys.publish")).all()
    assert [row.subject for row in noted][-1:] == [f"version {newer.version}"]
    assert sum("command line" not in row.actor for row in noted) == 1


def test_a_keyring_that_does_not_follow_is_refused_by_the_name_of_its_fault(world: World) -> None:
    token, opened = made(world, Scope.KEYS), world.brand.issuer.keyring
    store = world.brand.issuer._store  # noqa: SLF001 - the root is not handed out, and this test forges with it
    root = SigningKey(store.get(Purpose.ROOT, opened.root_fingerprint.removeprefix("sha256:")[:16]))
    key, *others = opened.keyring.code_keys
    retired = replace(opened.keyring, version=90, code_keys=(replace(key, state=KeyState.RETIRED), *others))
    assert send(world, "PUT", "/keyring", token, sign_keyring(retired, root)).status_code == 200
    active_again = replace(opened.keyring, version=91)
    other_key = replace(retired, version=91, code_keys=(replace(key, public_key=root.public_key), *others))
    document = sign_keyring(active_again, root)
    for body, expected in (
        (document, (409, "key_state_refused")),
        (sign_keyring(other_key, root), (409, "key_id_taken")),
        (document.replace(root.public_key.hex().encode(), b"0" * 64), (400, "public_key_invalid")),
    ):
        assert refusal(send(world, "PUT", "/keyring", token, body)) == expected


def test_a_keyring_with_keys_that_were_never_sent_is_taken_and_says_so(world: World, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(world.brand.home / "issuer", tmp_path / "station" / "issuer")
    issuer = IssuerHome.open(tmp_path / "station").unlock("issuer-pass")
    key = issuer.new_code_key(
        profile=Profile.COMPACT, form=Form.SHORT, prefix="HTTPS://V.EXAMPLE.COM/", now=world.clock.now
    )
    told = send(world, "PUT", "/keyring", made(world, Scope.KEYS), issuer.keyring.document).get_json()
    assert told["keys_not_here"] == [key.key_id]


def test_a_product_whose_picture_cannot_be_opened_is_refused(world: World) -> None:
    product = product_document(Product(sku="TEA-1", name="Summer Tea", picture=_png(20, 20)[:40]))
    token, before = made(world, Scope.PRODUCT), everything(world)
    assert refusal(send(world, "PUT", "/products/TEA-1", token, product)) == (400, "photo_truncated")
    assert everything(world) == before


def test_a_product_with_its_picture_is_published(world: World) -> None:
    token, issued = made(world, Scope.PRODUCT), world.issue()
    picture = _png(2000, 500) + b"<script>trailing</script>"
    product = Product(sku="TEA-1", name="Summer Tea", gtin=GTIN, picture=picture)
    told = send(world, "PUT", "/products/TEA-1", token, product_document(product))
    assert (told.status_code, told.get_json()) == (
        200,
        {"sku": "TEA-1", "name": "Summer Tea", "picture_type": "image/jpeg"},
    )
    assert (
        world.client.post("/api/v1/look", json={"code": issued.text(0)}).get_json()["product"]["name"] == "Summer Tea"
    )
    brand_id = world.brand.issuer.keyring.keyring.brand_id.hex()
    from server.services.brands.publish_product import product_picture

    kept = product_picture(world.ctx.db, brand_id, "TEA-1")
    assert kept is not None
    assert (kept[1], b"script" in kept[0]) == ("image/jpeg", False)
    with Image.open(io.BytesIO(kept[0])) as shown:
        assert (shown.format, shown.size) == ("JPEG", (1200, 300))
    before = everything(world)
    document = product_document(product)
    for body, expected in (
        (b"{}", (400, "product_invalid")),
        (document.replace(b"Summer Tea", b"Summer\\u0007Tea"), (400, "product_invalid")),
        (document.replace(b"352", b"353"), (400, "product_invalid")),
        (document.replace(b'"sku": "TEA-1"', b'"sku": "TEA-2"'), (400, "product_invalid")),
        (b" " * (5 << 20), (413, "request_too_large")),
    ):
        refused = send(world, "PUT", "/products/TEA-1", token, body)
        assert refusal(refused) == expected
        assert "353" not in refused.text
    assert everything(world) == before


def test_answers_to_stations_are_as_described(world: World) -> None:
    token = made(world)
    document = world.client.get("/api/v1/openapi.json").get_json()
    _manifest, manifest = world.manifest()
    product = product_document(Product(sku="TEA-1", name="Summer Tea"))
    asked = [
        ("PUT", "/keyring", world.brand.issuer.keyring.document, "/keyring"),
        ("PUT", "/products/TEA-1", product, "/products/{sku}"),
        ("POST", "/batches", manifest, "/batches"),
        ("GET", "/batches", None, "/batches"),
        ("GET", "/batches/order-1", None, "/batches/{order}"),
        ("POST", "/batches/order-1/acts", {"kind": "activate", "range": "all"}, "/batches/{order}/acts"),
    ]
    for method, path, body, template in asked:
        answer = send(world, method, path, token, body)
        assert answer.status_code == 200, answer.text
        described = document["paths"][f"/api/v1{template}"][method.lower()]
        schema_ = described["responses"]["200"]["content"][JSON]["schema"]
        conforms(answer.get_json(), schema_, document)
        assert described["security"][0]["token"][0] in set(Scope)
    assert {one for methods in document["paths"].values() for one in methods} <= {"get", "post", "put"}


def with_limits(world: World) -> Flask:
    settings = world.settings.model_copy(update={"rate_limit": RateLimit.ON})
    return create_app(settings, context=replace(world.ctx, settings=settings))


def test_wrong_tokens_of_one_network_are_limited_and_right_ones_are_not(world: World) -> None:
    good = made(world, Scope.READ)
    limited = replace(world, make_app=partial(with_limits, world))
    near, far = {"REMOTE_ADDR": "198.51.100.7"}, {"REMOTE_ADDR": "203.0.113.1"}

    def ask(token: str, network: dict[str, str]) -> Any:
        return send(limited, "GET", "/batches", token, environ_base=network)

    wrong = [ask(good[:-1], near) for _ in range(31)]
    assert [answer.status_code for answer in wrong] == [401] * 30 + [429]
    assert 1 <= int(wrong[-1].headers["Retry-After"]) <= 61
    assert refusal(wrong[-1]) == (429, "too_many_requests")
    assert ask(good, near).status_code == 200
    assert ask(good[:-1], far).status_code == 401


def test_a_token_stands_in_no_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    import logging

    token = made(world)
    with caplog.at_level(logging.DEBUG):
        send(world, "GET", "/batches", token)
        send(world, "GET", "/batches", token[:-1])
    assert "GET /api/v1/batches" in caplog.text
    assert token[-20:-1] not in caplog.text
