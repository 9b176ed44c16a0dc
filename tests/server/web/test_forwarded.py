"""Addresses behind proxies: every form is read, and visitors without one share no limit."""

import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from scanner import PhotoScan
from scanner.confine.readers import PhotoReaders
from server.app import create_app
from server.domain.network_limits import (
    FREE_LOGINS,
    FREE_LOGINS_OF_NETWORK,
    LOOKS_BY_SERIAL,
    WRONG_KEEP_CODES_HERE,
    WRONG_KEEP_CODES_OF_UNIT,
)
from server.domain.staff.scope import Scope
from server.runtime.look_limits import LookLimits
from server.services.staff.accounts import LoginRefused, LoginSlowed, add_staff, authenticate
from server.settings import RateLimit
from server.web.forwarded import WATCHED_REQUESTS, Unread, read_forwarded, read_node
from tests.server.processes import serving
from tests.server.services.holders.guesses import wrong
from tests.server.simulator import MakeWorld, World, both_databases
from tests.server.web.metrics import sample, token

UNREAD = Unread.UNREADABLE


def behind(world: World) -> World:
    """The same server with its limits in force."""
    settings = world.settings.model_copy(update={"rate_limit": RateLimit.ON})
    world.ctx = replace(world.ctx, settings=settings, look_limits=LookLimits.of(settings))
    world.app = create_app(settings, context=world.ctx)
    return world


@pytest.fixture
def proxied(make_world: MakeWorld) -> World:
    return behind(make_world(trusted_proxies=1))


def warnings(client: FlaskClient) -> list[str]:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    found: list[str] = answer.get_json()["warnings"]
    return found


def state(client: FlaskClient, text: str, headers: Mapping[str, str] | None = None) -> str:
    answer = client.post("/api/v1/look", json={"code": text}, headers=dict(headers or {}))
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["state"])


@pytest.mark.parametrize(
    ("node", "address"),
    [
        ("198.18.7.7", "198.18.7.7"),
        ("198.18.7.7:40007", "198.18.7.7"),
        ("  198.18.7.7 ", "198.18.7.7"),
        ('"198.18.7.7:40007"', "198.18.7.7"),
        ("198.18.7.7:_port", "198.18.7.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:40007", "2001:db8::7"),
        ('"[2001:db8::7]:40007"', "2001:db8::7"),
        ("::ffff:198.18.7.7", "198.18.7.7"),
        ("[::ffff:198.18.7.7]:40007", "198.18.7.7"),
        ("::FFFF:c612:707", "198.18.7.7"),
        ("fe80::7%eth0", "fe80::7"),
        ("[fe80::7%25eth0]:40007", "fe80::7"),
        ("unknown", Unread.HIDDEN),
        ("Unknown", Unread.HIDDEN),
        ('"_hidden"', Unread.HIDDEN),
        ("", UNREAD),
        ("-", UNREAD),
        ("198.18.7", UNREAD),
        ("198.18.7.256", UNREAD),
        ("198.18.7.7:1:2", UNREAD),
        ("[198.18.7.7", UNREAD),
        ("[2001:db8::7]40007", UNREAD),
        ("2001:db8::g", UNREAD),
        ("v.example.com", UNREAD),
        ("198.18.7.\u0667", UNREAD),
    ],
)
def test_every_form_in_which_proxies_write_an_address_is_read(node: str, address: str) -> None:
    assert read_node(node) == address


@given(node=st.text(max_size=60))
def test_no_text_but_an_address_is_taken_for_one(node: str) -> None:
    found = read_node(node)
    assert isinstance(found, Unread) or read_node(found) == found


@pytest.mark.parametrize(
    ("headers", "proxies", "address"),
    [
        ({"X_FORWARDED_FOR": "10.9.9.9, 198.18.7.7:1"}, 1, "198.18.7.7"),
        ({"X_FORWARDED_FOR": "10.9.9.9, 198.18.7.7:1, 192.0.2.1"}, 2, "198.18.7.7"),
        ({"X_FORWARDED_FOR": "198.18.7.7"}, 2, Unread.MISSING),
        ({"X_FORWARDED_FOR": ""}, 1, Unread.MISSING),
        ({"X_FORWARDED_FOR": " , "}, 1, Unread.MISSING),
        ({}, 1, Unread.MISSING),
        ({"FORWARDED": "for=198.18.7.7"}, 1, "198.18.7.7"),
        ({"FORWARDED": 'For="[2001:db8::7]:4711";proto=https;by=203.0.113.43'}, 1, "2001:db8::7"),
        ({"FORWARDED": "for=10.9.9.9, proto=http; for=198.18.7.7"}, 1, "198.18.7.7"),
        ({"FORWARDED": "for=198.18.7.7, for=192.0.2.1"}, 2, "198.18.7.7"),
        ({"FORWARDED": "for=unknown"}, 1, Unread.HIDDEN),
        ({"FORWARDED": "proto=https"}, 1, Unread.MISSING),
        ({"FORWARDED": "for=198.18.7.7", "X_FORWARDED_FOR": "198.18.8.8"}, 1, "198.18.8.8"),
    ],
)
def test_the_element_of_the_outermost_trusted_proxy_is_read(
    headers: Mapping[str, str], proxies: int, address: str
) -> None:
    environ = {f"HTTP_{name}": value for name, value in headers.items()}
    assert read_forwarded(environ, proxies)[0] == address


@pytest.mark.parametrize("header", ["X_FORWARDED_FOR", "FORWARDED"])
@pytest.mark.parametrize("mine", ['for="', '"', "for=10.9.9.9;", "\\", "a,b,c", "10.9.9.9," * 3_000, "x" * 30_000])
def test_whatever_a_client_writes_the_proxys_own_element_counts(header: str, mine: str) -> None:
    own = "198.18.7.7:40007" if header == "X_FORWARDED_FOR" else 'for="198.18.7.7:40007"'
    assert read_forwarded({f"HTTP_{header}": f"{mine}, {own}"}, 1)[0] == "198.18.7.7"


def test_an_element_longer_than_any_address_is_not_read() -> None:
    assert read_forwarded({"HTTP_X_FORWARDED_FOR": "198.18.7.7" + " " * 30_000}, 1)[0] is UNREAD


def test_shoppers_behind_a_proxy_that_writes_ports_are_networks_of_their_own(proxied: World) -> None:
    """The case seen: X-Forwarded-For: 198.18.N.7:4000N, 38 units; then at a limit that one network would meet."""
    issued = proxied.issue(count=38)
    proxied.ctx = replace(
        proxied.ctx, look_limits=LookLimits(looks_per_unit=20, units_per_network=1, units_per_cookie=30)
    )
    proxied.app = create_app(proxied.ctx.settings, context=proxied.ctx)
    client = proxied.client
    states = [
        state(client, issued.text(number), {"X-Forwarded-For": f"198.18.{number}.7:4000{number}"})
        for number in range(38)
    ]
    assert states == ["unused"] * 38
    assert warnings(client) == []


class Readers(PhotoReaders):
    """Readers of pictures that note who sent each."""

    def __init__(self) -> None:
        super().__init__()
        self.senders: list[str | None] = []

    def scan(self, data: bytes, *, accept: Callable[[str], bool], sender: str | None = None) -> PhotoScan:
        self.senders.append(sender)
        return super().scan(data, accept=accept, sender=sender)


@pytest.mark.parametrize(("address", "different"), [("198.18.{}.7:40007", 4), ("198.18.7.7:4000{}", 1)])
def test_a_picture_waits_for_those_of_its_own_network_alone(proxied: World, address: str, different: int) -> None:
    senders = senders_of_photos(proxied, [address.format(number) for number in range(4)])
    assert (len(senders), len(set(senders)), None in senders) == (4, different, False)


def test_pictures_from_unknown_addresses_wait_for_nobody(proxied: World) -> None:
    assert senders_of_photos(proxied, ["unknown", "", "-"]) == [None] * 3


def senders_of_photos(world: World, addresses: list[str]) -> list[str | None]:
    readers = Readers()
    client = create_app(world.ctx.settings, context=replace(world.ctx, photos=readers)).test_client()
    for address in addresses:
        photo = (BytesIO(b"no picture"), "photo.jpg")
        answer = client.post("/check/photo", data={"photo": photo}, headers={"X-Forwarded-For": address})
        assert answer.status_code == 415
    readers.close()
    return readers.senders


def test_an_address_that_cannot_be_read_shares_no_limit_and_is_counted_logged_once_and_warned_of(
    proxied: World, caplog: pytest.LogCaptureFixture
) -> None:
    client, issued = proxied.client, proxied.issue(count=40)
    metrics = {"Authorization": f"Bearer {token(proxied.ctx.db, Scope.METRICS)}", "X-Forwarded-For": "192.0.2.1"}
    before = client.get("/metrics", headers=metrics).text
    hidden = {"X-Forwarded-For": "unknown"}
    with caplog.at_level(logging.WARNING, "authcode.proxies"):
        for number in range(2 * LOOKS_BY_SERIAL):
            answer = client.post("/check/serial", data={"serial": "x"}, headers=hidden)
            assert answer.status_code == 400
            state(client, issued.text(number % 40), hidden)
        assert client.post("/api/v1/look", json={"code": "x"}).status_code == 200
    assert warnings(client) == ["address_unreadable"]
    assert [record.getMessage().count("[address_unreadable]") for record in caplog.records] == [1]
    after = client.get("/metrics", headers=metrics).text
    name = "authcode_addresses_unread_total"
    assert sample(after, name, why="hidden") - sample(before, name, why="hidden") == 4 * LOOKS_BY_SERIAL
    assert sample(after, name, why="missing") - sample(before, name, why="missing") == 1
    proxied.clock.forward(hours=1)
    assert warnings(client) == []


def test_known_networks_keep_their_limits_behind_the_same_proxy(proxied: World) -> None:
    client, here = proxied.client, {"X-Forwarded-For": "198.18.7.7:40007"}
    for _ in range(LOOKS_BY_SERIAL):
        assert client.post("/check/serial", data={"serial": "x"}, headers=here).status_code == 400
    assert client.post("/check/serial", data={"serial": "x"}, headers=here).status_code == 429
    garbage = {"X-Forwarded-For": "garbage, 198.18.7.9"}
    assert client.post("/check/serial", data={"serial": "x"}, headers=garbage).status_code == 429


def test_a_proxy_that_no_setting_names_is_warned_of_when_most_requests_come_through_one(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    client = world.client

    def ask(forwarded: int) -> list[str]:
        for number in range(WATCHED_REQUESTS):
            headers = {"X-Forwarded-For": "198.18.7.7"} if number < forwarded else {}
            client.get("/robots.txt", headers=headers)
        return warnings(client)

    with caplog.at_level(logging.WARNING, "authcode.proxies"):
        assert ask(WATCHED_REQUESTS // 2) == []
        assert ask(WATCHED_REQUESTS // 2 + 1) == ["proxy_not_configured"]
        assert ask(WATCHED_REQUESTS) == ["proxy_not_configured"]
        assert ask(0) == []
    assert [record.getMessage().count("[proxy_not_configured]") for record in caplog.records] == [1]


def test_the_web_server_hands_every_line_of_the_header_over(make_world: MakeWorld) -> None:
    world = make_world()
    issued = world.issue()
    with serving(world.settings.home, workers=1, trusted_proxies="1") as running:
        host, port = running.address.removeprefix("http://").split(":")
        asked = "".join(f"X-Forwarded-For: {value}\r\n" for value in ("10.9.9.9", '"[2001:db8::7]:1"'))
        path = "/" + issued.text(0).split("/", 3)[3]
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            request = f"GET {path} HTTP/1.1\r\nHost: v.example.com\r\n{asked}Connection: close\r\n\r\n"
            connection.sendall(request.encode())
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 200")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: v.example.com\r\nConnection: close\r\n\r\n")
            ready = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert b'"warnings":[]' in ready


def test_wrong_keep_codes_of_unknown_addresses_are_limited_by_the_unit_alone(world: World) -> None:
    text, nowhere = world.issue().text(0), {"REMOTE_ADDR": "unknown"}
    keep_code = world.ask(text, "the-buyer-of-this-pack").get_json()["keep_code"]

    def entered(typed: str) -> int:
        body = {"code": text, "keep_code": typed}
        return world.client.post("/api/v1/verify", json=body, environ_base=nowhere).status_code

    assert [entered(wrong(number)) for number in range(2 * WRONG_KEEP_CODES_HERE)] == [200] * 2 * WRONG_KEEP_CODES_HERE
    assert entered(keep_code) == 200
    left = WRONG_KEEP_CODES_OF_UNIT - 2 * WRONG_KEEP_CODES_HERE
    assert [entered(wrong(number)) for number in range(left + 1)] == [200] * left + [429]


@both_databases
def test_refused_logins_of_unknown_addresses_slow_down_the_account_alone(world: World) -> None:
    for email in ("anna@example.com", "ben@example.com"):
        add_staff(world.ctx.db, email, now=world.clock.now, one_time="one-time-pass-word", actor="test")

    def log_in(email: str, password: str) -> None:
        authenticate(world.ctx.db, email, password, network=None, now=world.clock.now)

    for number in range(2 * FREE_LOGINS_OF_NETWORK):
        with pytest.raises(LoginRefused):
            log_in(f"somebody-{number}@example.com", "x")
    for _ in range(FREE_LOGINS):
        with pytest.raises(LoginRefused):
            log_in("anna@example.com", "x")
    with pytest.raises(LoginSlowed):
        log_in("anna@example.com", "one-time-pass-word")
    log_in("ben@example.com", "one-time-pass-word")
