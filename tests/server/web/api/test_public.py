"""The interface for programs: any text gets a verdict, an unusable request gets a problem document."""

import io
import json
import logging
import re
from dataclasses import replace

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from werkzeug.test import TestResponse

from scanner.confine.readers import PhotoReaders, ReadingLimits
from server.app import create_app
from server.domain.batches.range_act import ActKind
from server.domain.codes.verdict import Verdict
from server.settings import RateLimit
from server.web.api.answers import PublishedProduct
from tests.server.simulator import MakeWorld, World, claim_of
from tests.server.web.api.conforms import conforms

ANY_TEXT = st.one_of(st.text(max_size=700), st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
WITH_WORLD = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)


def png(size: tuple[int, int] = (200, 200)) -> bytes:
    stream = io.BytesIO()
    Image.new("L", size, 128).save(stream, "PNG")
    return stream.getvalue()


def symbol_png(text: str) -> bytes:
    import qrcode

    stream = io.BytesIO()
    qrcode.make(text).save(stream, "PNG")
    return stream.getvalue()


def photo(world: World, data: bytes) -> TestResponse:
    return world.client.post("/api/v1/photos", data={"photo": (io.BytesIO(data), "photo.png")})


@given(text=ANY_TEXT)
@WITH_WORLD
def test_any_text_gets_a_verdict(world: World, text: str) -> None:
    for path, body, field in (
        ("/api/v1/look", {"code": text}, "state"),
        ("/api/v1/verify", {"code": text, "claim": claim_of("anna")}, "verdict"),
    ):
        answer = world.client.post(path, json=body)
        assert (answer.status_code, answer.get_json()[field]) == (200, "not_ours")


def spoiled(code: str) -> dict[str, str]:
    last = "8" if code[-1] != "8" else "G"
    return {
        "forged": code[:-1] + last,
        "truncated": code[:-10],
        "longer": code + "0",
        "percent": code.replace(code[30], f"%{ord(code[30]):02X}", 1),
        "newline": code + "\n",
        "space": f" {code}",
        "another serial": code[:24] + ("0" if code[24] != "0" else "1") + code[25:],
        "unknown key": code[:22] + ("00" if code[22:24] != "00" else "01") + code[24:],
        "credentials": code.replace("HTTPS://", "HTTPS://EVIL.COM\\@", 1),
        "another scheme": code.replace("HTTPS", "HTTP", 1),
        "look-alike": code.replace("E", "\N{GREEK CAPITAL LETTER EPSILON}", 1),
        "over-long": code + "A" * 600,
    }


def test_forged_and_unknown_codes_are_told_the_same_bytes_and_cost_no_row(world: World) -> None:
    code = world.issue().text(0)
    answers = {}
    for name, text in spoiled(code).items():
        answer = world.ask(text, "anna")
        assert answer.get_json()["verdict"] == "not_ours", name
        answers[name] = answer.data
    for name in ("forged", "truncated", "longer", "another serial", "unknown key"):
        assert answers[name] == answers["forged"]
    assert world.verdict(code, "anna") == "genuine"


def test_the_case_of_a_short_code_does_not_matter(world: World) -> None:
    code = world.issue().text(0)
    assert world.verdict(code.lower(), "anna") == "genuine"
    assert world.verdict(code, "ben") == "already_verified"


def test_a_foreign_code_is_named_with_its_host_and_shortened(world: World) -> None:
    text = "https://shop.example.org/" + "x" * 100
    told = world.client.post("/api/v1/look", json={"code": text}).get_json()
    assert told["state"] == "not_ours"
    assert told["foreign"]["host"] == "shop.example.org"
    assert len(told["foreign"]["text"]) == 40
    told = world.client.post("/api/v1/look", json={"code": "https://v.example.com/x"}).get_json()
    assert told["foreign"] is None


@pytest.mark.parametrize("claim", ["", "x" * 65, "with space", "é", "\x00"])
def test_an_unusable_claim_is_a_problem_and_burns_nothing(world: World, claim: str) -> None:
    code = world.issue().text(0)
    answer = world.client.post("/api/v1/verify", json={"code": code, "claim": claim})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "claim_invalid")
    assert answer.mimetype == "application/problem+json"
    assert world.state(code) == "unused"


@pytest.mark.parametrize(
    ("body", "mimetype"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'"text"', "application/json"),
        (b"{}", "application/json"),
        (b'{"code": 5, "claim": "anna"}', "application/json"),
        (b'{"code": null, "claim": "anna"}', "application/json"),
        (b'{"code": "x"}', "application/json"),
        (b'{"code": "x", "claim": 5}', "application/json"),
        (b"[" * 30_000, "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"code=x&claim=anna", "application/x-www-form-urlencoded"),
        (b'{"code": "x", "claim": "anna"}', "text/plain"),
    ],
)
def test_a_request_that_cannot_be_read_is_a_problem_that_echoes_nothing(
    world: World, body: bytes, mimetype: str
) -> None:
    answer = world.client.post("/api/v1/verify", data=body, content_type=mimetype)
    problem = answer.get_json()
    assert (answer.status_code, problem["code"], answer.mimetype) == (
        400,
        "request_invalid",
        "application/problem+json",
    )
    assert set(problem) == {"type", "title", "status", "code", "detail"}
    assert "anna" not in answer.text


def test_a_body_beyond_its_limit_is_refused(make_world: MakeWorld) -> None:
    world = make_world(max_upload_bytes=64 * 1024)
    long = world.client.post("/api/v1/look", json={"code": "x" * 70_000})
    assert (long.status_code, long.get_json()["code"]) == (413, "request_too_large")
    big = photo(world, bytes(80_000))
    assert (big.status_code, big.get_json()["code"]) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/verify", 405, "method_not_allowed"),
        ("POST", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/a/b/c/d/e", 404, "not_found"),
        ("POST", "/api/v1/photos", 400, "request_invalid"),
    ],
)
def test_wrong_addresses_and_methods_are_problems(world: World, method: str, path: str, status: int, code: str) -> None:
    answer = world.client.open(path, method=method)
    assert answer.status_code == status
    if answer.mimetype == "application/problem+json":
        assert answer.get_json()["code"] == code
    assert answer.mimetype == "application/problem+json" or not path.startswith("/api/")
    if status == 405:
        assert "POST" in answer.headers["Allow"]


def test_a_photo_of_codes_is_answered_with_a_look_at_each(world: World) -> None:
    code = world.issue().text(0)
    world.ask(code, "anna")
    told = photo(world, symbol_png(code)).get_json()
    (symbol,) = told["symbols"]
    assert (symbol["text"], symbol["ours"], symbol["state"]) == (code, True, "already_verified")
    assert symbol["product"]["name"] == "Spring Tea 50 g"
    assert len(symbol["corners"]) == 4
    assert told["advice"] is None
    (foreign,) = photo(world, symbol_png("https://shop.example.org/")).get_json()["symbols"]
    assert (foreign["ours"], foreign["state"], foreign["host"]) == (False, "not_ours", "shop.example.org")


def test_a_photo_never_burns(world: World) -> None:
    code = world.issue().text(0)
    for _ in range(2):
        assert photo(world, symbol_png(code)).get_json()["symbols"][0]["state"] == "unused"


def test_a_picture_without_a_code_is_answered_with_advice(world: World) -> None:
    told = photo(world, png()).get_json()
    assert told["symbols"] == []
    assert isinstance(told["advice"]["code"], str)


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "photo_empty"), (b"just text", "photo_unreadable"), (png()[:60], None)]
)
def test_what_is_no_picture_is_a_problem(world: World, data: bytes, code: str | None) -> None:
    answer = photo(world, data)
    assert 400 <= answer.status_code < 500
    assert answer.mimetype == "application/problem+json"
    assert code in (None, answer.get_json()["code"])


# the description


def test_the_description_names_every_route_of_the_interface_and_no_other(world: World) -> None:
    document = world.client.get("/api/v1/openapi.json").get_json()
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method)
        for rule in world.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    assert described == served
    assert document["openapi"].startswith("3.1")
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert references <= set(document["components"]["schemas"])
    assert set(document["components"]["schemas"]["Look"]["properties"]["state"]["enum"]) == {v.value for v in Verdict}


def test_real_answers_are_as_described(world: World) -> None:
    document = world.client.get("/api/v1/openapi.json").get_json()
    schemas = document["components"]["schemas"]
    issued = world.issue()
    world.act(issued, ActKind.RECALL, "3", reason="leaks")
    texts = [issued.text(0), issued.text(3), "https://shop.example.org/", "x"]
    for text in texts:
        for claim in ("anna", "ben", "anna"):
            conforms(world.ask(text, claim).get_json(), schemas["Answer"], document)
        world.clock.forward(hours=1)
        conforms(world.ask(text, "anna").get_json(), schemas["Answer"], document)
        conforms(world.client.post("/api/v1/look", json={"code": text}).get_json(), schemas["Look"], document)
        conforms(photo(world, symbol_png(text)).get_json(), schemas["Photo"], document)
    conforms(photo(world, png()).get_json(), schemas["Photo"], document)
    held = world.ask(texts[0], "anna").get_json()
    for text, keep_code in ((texts[0], held["keep_code"]), (texts[0], "0000-0000-0000"), ("x", "0000-0000-0000")):
        body = {"code": text, "keep_code": keep_code}
        conforms(world.client.post("/api/v1/verify", json=body).get_json(), schemas["Answer"], document)
    checked = world.client.post("/api/v1/proofs", json={"proof": held["proof"]}).get_json()
    conforms(checked, schemas["Proof"], document)
    status = world.client.get(f"/api/v1/proofs/{checked['proof']['jti']}").get_json()
    conforms(status, schemas["ProofStatus"], document)
    conforms(world.client.post("/api/v1/look", data=b"x").get_json(), schemas["Problem"], document)


def test_an_answer_that_differs_from_its_declaration_is_not_sent() -> None:
    known = {"sku": "TEA-1", "name": "Tea", "picture_type": None}
    assert PublishedProduct.of(None, **known).model_dump() == known
    for wrong in ({**known, "sku": 5}, {**known, "price": "1"}, {"sku": "TEA-1"}):
        with pytest.raises(ValidationError):
            PublishedProduct.of(None, **wrong)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "the body is not JSON"),
        (b"[]", "the body must be an object"),
        (b"{}", "code must be a text"),
        (b'{"code": "x"}', "claim must be a text"),
        (b'{"code": "x", "claim": null}', "claim must be a text"),
        (b'{"code": "x", "claim": "a", "keep_code": "b"}', "send a claim or a keep_code, not both"),
    ],
)
def test_a_request_that_cannot_be_read_hears_what_is_needed(world: World, body: bytes, sentence: str) -> None:
    answer = world.client.post("/api/v1/verify", data=body, content_type="application/json")
    assert answer.get_json()["detail"].startswith(f"The request cannot be read: {sentence};")


def test_a_text_that_is_no_valid_unicode_is_answered_as_any_other(world: World) -> None:
    for path, field in (("look", "state"), ("verify", "verdict")):
        answer = world.client.post(f"/api/v1/{path}", json={"code": "\ud800", "claim": claim_of("anna")})
        assert (answer.status_code, answer.get_json()[field]) == (200, "not_ours")


# headers, limits, health, errors


def test_every_answer_carries_the_headers_that_keep_a_code_secret(world: World) -> None:
    code = world.issue().text(0)
    for answer in (
        world.client.get("/" + code.rpartition("/")[2]),
        world.client.get("/healthz"),
        world.client.post("/api/v1/look", json={"code": code}),
        world.client.get("/a/b/c/d"),
    ):
        headers = answer.headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Robots-Tag"] == "noindex"
        assert headers["Referrer-Policy"] == "strict-origin"
        policy = headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} <= set(policy)
        assert "Access-Control-Allow-Origin" not in headers


def test_limits_count_networks_and_can_be_lifted(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.web import limits

    monkeypatch.setattr(limits, "REQUESTS", {"api.look": (4, "minute")})
    world = make_world(workers=2)
    limited = make_world(workers=2)
    limited.app = _with_limits(limited)

    def statuses(app: Flask, address: str) -> list[int]:
        client = app.test_client()
        return [
            client.post("/api/v1/look", json={"code": "x"}, environ_base={"REMOTE_ADDR": address}).status_code
            for _ in range(3)
        ]

    assert statuses(world.app, "203.0.113.1") == [200, 200, 200]
    assert statuses(limited.app, "203.0.113.1") == [200, 200, 429]
    assert statuses(limited.app, "203.0.113.2") == [429, 429, 429]
    assert statuses(limited.app, "198.51.100.1") == [200, 200, 429]
    answer = limited.app.test_client().post(
        "/api/v1/look", json={"code": "x"}, environ_base={"REMOTE_ADDR": "203.0.113.1"}
    )
    assert answer.get_json()["code"] == "too_many_requests"
    assert 1 <= int(answer.headers["Retry-After"]) <= 61


def test_the_limit_of_one_address_counts_for_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.web import limits

    monkeypatch.setattr(limits, "REQUESTS", {"api.look": (100, "minute"), "api.undo": (2, "minute")})
    client = create_app(
        world.settings.model_copy(update={"rate_limit": RateLimit.ON, "workers": 1}), context=world.ctx
    ).test_client()
    body = {"code": "x", "claim": claim_of("anna")}
    assert [client.post("/api/v1/undo", json=body).status_code for _ in range(3)] == [404, 404, 429]
    assert [client.post("/api/v1/look", json=body).status_code for _ in range(4)] == [200] * 4


def _with_limits(world: World) -> Flask:
    from dataclasses import replace

    from server.app import create_app
    from server.settings import RateLimit

    settings_ = world.settings.model_copy(update={"rate_limit": RateLimit.ON})
    return create_app(settings_, context=replace(world.ctx, settings=settings_))


def test_forwarded_addresses_count_only_behind_a_trusted_proxy(make_world: MakeWorld) -> None:
    import sqlalchemy as sa

    from server.storage import schema

    marks = {}
    for proxies in (0, 1):
        world = make_world(trusted_proxies=proxies)
        issued = world.issue()
        for index, address in enumerate(("203.0.113.1", "198.51.100.1")):
            body = {"code": issued.text(index), "claim": claim_of("anna")}
            world.client.post("/api/v1/verify", json=body, headers={"X-Forwarded-For": address})
        with world.ctx.db.read() as connection:
            marks[proxies] = len(set(connection.execute(sa.select(schema.scan.c.network_day)).scalars()))
    assert marks == {0: 1, 1: 2}


def test_why_a_code_was_withdrawn_stays_with_the_brand(world: World) -> None:
    issued = world.issue()
    world.act(issued, ActKind.VOID, "0", reason="stolen from dock 4", link="https://intern.example.com/")
    world.act(issued, ActKind.RECALL, "1", reason="a seal may leak")
    for answer in (world.ask(issued.text(0), "anna"), world.client.post("/api/v1/look", json={"code": issued.text(0)})):
        assert set(answer.get_json()["void"]) == {"at"}
        assert "stolen" not in answer.text
        assert "intern" not in answer.text
    assert world.ask(issued.text(1), "anna").get_json()["recall"]["reason"] == "a seal may leak"


def test_host_is_where_a_code_leads_whoever_it_belongs_to(world: World) -> None:
    def host(text: str) -> str | None:
        told = world.client.post("/api/v1/look", json={"code": text}).get_json()
        assert told["host"] == world.ask(text, "anna").get_json()["host"]
        found: str | None = told["host"]
        return found

    assert host(world.issue().text(0)) == "v.example.com"
    assert host("https://shop.example.org/x") == "shop.example.org"
    assert host("HTTPS://EVIL.EXAMPLE\\@V.EXAMPLE.COM/") is None
    assert host("WIFI:T:WPA;S:cafe;;") is None


def test_programs_are_known_by_their_claim_and_never_by_a_cookie(world: World) -> None:
    from server.domain.codes.claim import holder_of_claim
    from server.web.visit import HOLDER_COOKIE

    issued = world.issue()
    assert world.verdict(issued.text(0), "anna") == "genuine"
    browser = world.client
    browser.set_cookie(HOLDER_COOKIE, holder_of_claim("anna", key=world.ctx.keys.holder), domain="localhost")
    told = browser.post("/api/v1/look", json={"code": issued.text(0)}).get_json()
    assert (told["state"], told["was_yours"]) == ("already_verified", False)
    assert world.ask(issued.text(0), "ben", browser).get_json()["verdict"] == "already_verified"


def test_health_and_readiness_tell_a_living_process_from_a_working_one(world: World) -> None:
    import sqlalchemy as sa

    assert world.client.get("/healthz").get_json() == {"status": "ok"}
    assert world.client.get("/readyz").get_json() == {"status": "ready", "warnings": []}
    with world.ctx.db.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'older'"))
    answer = world.client.get("/readyz")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "database_outdated")
    assert world.client.get("/healthz").status_code == 200


def test_records_out_of_reach_are_no_verdict(world: World) -> None:
    import sqlalchemy as sa

    code = world.issue().text(0)
    world.state(code)
    with world.ctx.db.write() as connection:
        connection.execute(sa.text("ALTER TABLE redemption RENAME TO elsewhere"))
    for answer in (world.ask(code, "anna"), world.client.post("/api/v1/look", json={"code": code})):
        assert (answer.status_code, answer.get_json()["code"]) == (503, "records_unreachable")
        assert "redemption" not in answer.text


def test_an_unexpected_fault_is_told_and_logged_without_its_input(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    code = world.issue().text(0)

    def broken(*_arguments: object) -> None:
        raise RuntimeError(f"cannot work with {code}")

    for module in ("look", "redeem"):
        monkeypatch.setattr(f"server.services.codes.{module}.resolve", broken)
    with caplog.at_level(logging.DEBUG):
        answer = world.ask(code, "anna")
        page = world.client.get("/" + code.rpartition("/")[2])
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal_error")
    assert page.status_code == 500
    assert "RuntimeError at POST /api/v1/verify" in caplog.text
    for secret in (code, code[-40:], code.lower()[-40:]):
        assert secret not in caplog.text
        assert secret not in answer.text + page.text


@pytest.mark.parametrize("name", ["waitress", "waitress.queue", "flask-limiter"])
@pytest.mark.parametrize("arguments", [("Exception while serving /K1SECRET",), ("said %s", "/K1SECRET"), ("K1SECRET",)])
def test_foreign_loggers_name_what_happened_and_no_path(
    world: World, caplog: pytest.LogCaptureFixture, name: str, arguments: tuple[str, ...]
) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger(name).error(*arguments, exc_info=ValueError("K1SECRET"))
    assert "(test_public:" in caplog.text
    assert "ValueError" in caplog.text
    assert "K1SECRET" not in caplog.text
    assert world.app


def test_a_fault_while_a_fault_is_answered_is_logged_by_route(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    code = world.issue().text(0)

    def broken(*_arguments: object, **_named: object) -> None:
        raise RuntimeError(f"cannot work with {code}")

    monkeypatch.setattr("server.web.consumer.blueprint.look_at_page", broken)
    monkeypatch.setattr("server.web.consumer.problems.problem_page", broken)
    with caplog.at_level(logging.DEBUG), pytest.raises(RuntimeError):
        world.client.get("/" + code.rpartition("/")[2])
    assert "RuntimeError at GET /<code>" in caplog.text
    assert code[-40:] not in caplog.text


def test_a_text_that_no_encoding_can_write_is_answered_like_any_other(world: World) -> None:
    for text in ("\\ud800", "https://shop.example.org/\\udfff"):
        body = f'{{"code": "{text}", "claim": "{claim_of("anna")}"}}'
        answer = world.client.post("/api/v1/verify", data=body, content_type="application/json")
        assert (answer.status_code, answer.get_json()["verdict"]) == (200, "not_ours")


def test_the_verdict_stands_first_in_its_answer(world: World) -> None:
    assert world.ask(world.issue().text(0), "anna").data.startswith(b'{"verdict": "genuine", "brand": "Example Tea"')


def test_pictures_that_find_no_place_in_the_queue_are_told_when_to_come_again(world: World) -> None:
    full = PhotoReaders(ReadingLimits(readers=0, waiting=0))
    app = create_app(world.settings, context=replace(world.ctx, photos=full))
    answer = app.test_client().post("/api/v1/photos", data={"photo": (io.BytesIO(png()), "photo.png")})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "photos_busy")
    assert int(answer.headers["Retry-After"]) > 0
    for address in ("/check/photo", "/proof"):
        page = app.test_client().post(address, data={"photo": (io.BytesIO(png()), "photo.png")})
        assert page.status_code == 503
        assert "Many pictures are waiting" in page.text
        assert int(page.headers["Retry-After"]) > 0


def test_one_network_fills_one_place_of_the_readers_and_leaves_the_others(world: World) -> None:
    asked: list[int] = []
    readers = PhotoReaders(ReadingLimits(readers=1, waiting=3))
    limited = world.settings.model_copy(update={"rate_limit": RateLimit.ON})
    app = create_app(limited, context=replace(world.ctx, settings=limited, photos=readers))

    def send(address: str) -> int:
        body = {"photo": (io.BytesIO(png()), "photo.png")}
        client = app.test_client()
        return client.post("/api/v1/photos", data=body, environ_base={"REMOTE_ADDR": address}).status_code

    def meanwhile(_text: str) -> bool:
        asked.extend([send("203.0.113.99"), send("203.0.113.7")])
        return True

    try:
        readers.scan(symbol_png("any"), accept=meanwhile, sender="network 203.0.113.0/24")
        assert asked == [503, 503]
        assert send("203.0.113.7") == 200
        assert send("198.51.100.7") == 200
    finally:
        readers.close()


def test_a_picture_of_two_kilobytes_and_fifty_megapixels_is_refused(world: World) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (8000, 6200), "white").save(stream, "WEBP", lossless=True)
    answer = photo(world, stream.getvalue())
    assert (answer.status_code, answer.get_json()["code"]) == (413, "photo_too_many_pixels")
