"""GET, HEAD and OPTIONS change nothing but look counters, on any route (docs/protocol.md §1)."""

import re
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from server.domain.batches.range_act import ActKind
from server.domain.staff.scope import Scope
from server.services.staff.api_tokens import TokenRequest, new_token
from server.storage import schema
from tests.server.simulator import World, both_databases

pytestmark = both_databases

LOOK_COUNTERS = {"look_count", "look_day"}
PASSWORD = "a password of its own"


def everything(world: World) -> dict[str, list[tuple[object, ...]]]:
    with world.ctx.db.read() as connection:
        return {
            name: [tuple(row) for row in connection.execute(sa.select(table)).all()]
            for name, table in schema.metadata.tables.items()
            if name not in LOOK_COUNTERS
        }


@pytest.fixture
def lively(world: World) -> World:
    """A server with a code in every state, an alert, and staff."""
    from server.services.staff.accounts import add_staff, authenticate, set_password

    world.issued = world.issue()
    world.act(world.issued, ActKind.VOID, "7", reason="waste")
    world.act(world.issued, ActKind.RECALL, "8", reason="leaks")
    world.act(world.issued, ActKind.SAMPLE, "9")
    world.dark = world.issue(activate=False)
    for claim in ("anna", "ben"):
        world.verdict(world.issued.text(0), claim)
    world.verdict(world.dark.text(0), "anna")
    db, now = world.ctx.db, world.clock.now
    add_staff(db, "anna@example.com", one_time="one-time-pass", actor="test", now=now)
    account = authenticate(db, "anna@example.com", "one-time-pass", now=now)
    set_password(db, account.id, old="one-time-pass", new=PASSWORD, now=now)
    return world


def logged_in(world: World) -> FlaskClient:
    staff = world.client
    token = staff.get("/staff/login").text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    form = {"email": "anna@example.com", "password": PASSWORD, "csrf_token": token}
    assert staff.post("/staff/login", data=form).status_code == 303
    assert staff.get("/staff/alerts").status_code == 200
    return staff


def paths(world: World) -> list[str]:
    """Every rule of the URL map with values that lead somewhere, and every code's own page."""
    unit = (world.issued.batch.row << 35) + 0
    values = {
        "code": "x",
        "gtin": "09506000134352",
        "serial": world.issued.codes[0].serial,
        "alert_id": "1",
        "row": str(world.issued.batch.row),
        "kind": "void",
        "unit_id": str(unit),
        "brand_id": world.brand.issuer.keyring.keyring.brand_id.hex(),
        "sku": "TEA-1",
        "filename": "consumer.css",
        "path": "x",
        "order": world.issued.batch.order_name,
    }
    found = [
        re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda match: quote(values.get(match.group(1), "x")), rule.rule)
        for rule in world.app.url_map.iter_rules()
    ]
    codes = [code.code for code in (*world.issued.codes, *world.dark.codes[:2])]
    return [*found, *("/" + code.partition("://")[2].partition("/")[2] for code in codes)]


def test_no_safe_request_changes_any_table_but_the_look_counters(lively: World) -> None:
    stranger, staff = lively.client, logged_in(lively)
    before = everything(lively)
    asked = paths(lively)
    assert len(asked) > 20
    statuses = set()
    for client in (stranger, staff):
        for path in asked:
            for method in ("GET", "HEAD", "OPTIONS"):
                for headers in ({}, {"Sec-Purpose": "prefetch"}):
                    answer = client.open(path, method=method, headers=headers)
                    statuses.add(answer.status_code)
                    assert answer.status_code < 500, (method, path, answer.text)
                    answer.close()
    lively.ctx.looks.flush()
    assert everything(lively) == before
    assert 200 in statuses
    with lively.ctx.db.read() as connection:
        looks = connection.execute(sa.select(schema.look_count)).all()
    # One GET of each code's page by the stranger was counted: no HEAD, no prefetch, no staff.
    counted = {row.unit: row.looks for row in looks}
    assert counted[(lively.issued.batch.row << 35) + 3] == 1
    assert {row.said for row in looks} >= {"unused", "void", "recalled", "sample", "not_activated", "already_verified"}


PREVIEWERS = (
    *("WhatsApp/2.24.6.77 A", "WhatsApp/2.2587.9 W", "TelegramBot (like TwitterBot)", "Twitterbot/1.0"),
    *("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Slack-ImgProxy (+https://api.slack.com/robots)"),
    *("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "facebookcatalog/1.0"),
    *(
        "meta-externalagent/1.1",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0)",
        "Discordbot/2.0",
        "SkypeUriPreview Preview/0.5",
    ),
    *("Mozilla/5.0 (compatible; Microsoft Office/16.0; Microsoft Outlook 16.0)", "Microsoft Office Excel 2014"),
    *(
        "Viber/22.1",
        "Line/13.4.0",
        "kakaotalk-scrap/1.0; +https://devtalk.kakao.com/",
        "facebookexternalhit/1.1;kakaotalk",
    ),
    *("MicroMessenger/8.0.47", "Signal-Android/7.2", "Mastodon/4.2 (http.rb/5.1; +https://social.example/) Bot"),
    *("Bluesky Cardyb/1.1", "Iframely/1.3.1 (+https://iframely.com/docs/about)", "redditbot/1.0", "Pinterestbot/1.0"),
    *("GoogleImageProxy", "Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)", "bingbot/2.0"),
    *("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "Barracuda Sentinel (EE)"),
    *("Mimecast URL Protect", "proofpoint-urldefense/1.0"),
)
"""Programs that open links for people: messengers, mail, social networks and the scanners of mail gateways."""


def test_thirty_two_kinds_of_previews_verify_nothing_and_leave_no_trace_but_counted_looks(lively: World) -> None:
    before = everything(lively)
    codes = [lively.issued.text(0), lively.issued.text(3), lively.dark.text(0)]
    headers = ({}, {"Range": "bytes=0-65535"}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"})
    assert len(set(PREVIEWERS)) == 32
    for number, agent in enumerate(PREVIEWERS):
        for code in codes:
            path = "/" + code.partition("://")[2].partition("/")[2]
            answer = lively.client.get(path, headers={"User-Agent": agent, **headers[number % len(headers)]})
            assert answer.status_code == 200, (agent, path)
    lively.ctx.looks.flush()
    assert everything(lively) == before


def test_a_token_changes_nothing_but_the_day_of_its_own_last_use(lively: World) -> None:
    token, facts = new_token(
        lively.ctx.db,
        TokenRequest(scopes=list(Scope), brand="Example Tea", label="press-1", days=30),
        actor="anna",
        now=lively.clock.now,
    )

    def ask(asked: list[str]) -> None:
        for path in asked:
            with lively.client.get(path, headers={"Authorization": f"Bearer {token}"}) as answer:
                assert answer.status_code < 500, (path, answer.text)

    asked = [path for path in paths(lively) if path.startswith(("/api/", "/metrics"))]
    order = f"/api/v1/batches/{lively.issued.batch.order_name}"
    assert {"/api/v1/batches", order} <= set(asked)
    before = everything(lively)
    ask(asked)
    after = everything(lively)
    assert {name for name in after if after[name] != before[name]} == {"api_token"}
    columns = list(schema.api_token.c.keys())
    (row,), (old,) = ([dict(zip(columns, row, strict=True)) for row in kept["api_token"]] for kept in (after, before))
    assert row["prefix"] == facts.prefix
    assert row | {"last_used_day": None} == old
    assert row["last_used_day"] == schema.day_number(lively.clock.now)
    ask(asked)
    assert everything(lively) == after


TOO_MUCH = ("9223372036854775808", "9" * 25)


def test_a_name_or_number_that_no_record_can_have_breaks_nothing(lively: World) -> None:
    staff, brand = lively.client, lively.brand.issuer.keyring.keyring.brand_id.hex()
    form = {
        "csrf_token": staff.get("/staff/login").text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    }
    refused = staff.post("/staff/login", data={**form, "email": "anna\0@example.com", "password": PASSWORD})
    assert refused.status_code in {400, 401}
    assert (
        staff.post("/staff/login", data={**form, "email": "anna@example.com", "password": PASSWORD}).status_code == 303
    )
    pages = [f"/staff/{kind}/{number}" for kind in ("alerts", "batches", "codes") for number in TOO_MUCH]
    pages += [f"/staff/batches/1?page={TOO_MUCH[1]}", f"/staff/alerts?page={TOO_MUCH[1]}", f"/picture/{brand}/%00"]
    for page in pages:
        assert staff.get(page).status_code < 500, page
    for text in ("\0:1", f"order:{TOO_MUCH[1]}"):
        assert staff.post("/staff/codes", data={**form, "code": text}).status_code < 500, text


NUMBERS = st.integers(min_value=0, max_value=10**30).map(str)
STAFF_PATHS = st.builds(str.format, st.sampled_from(["staff/alerts/{}", "staff/batches/{}", "staff/codes/{}"]), NUMBERS)


@given(
    method=st.sampled_from(["GET", "HEAD", "OPTIONS"]),
    path=STAFF_PATHS
    | st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"), max_size=40),
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=40),
)
@example(method="GET", path="/.", query="")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_no_odd_address_changes_anything_or_breaks_the_server(
    lively: World, method: str, path: str, query: str
) -> None:
    if not hasattr(lively, "staff"):
        lively.staff = logged_in(lively)
    before = everything(lively)
    for client in (lively.client, lively.staff):
        # As a WSGI server hands it over: the client's own parser would take `//` for a host.
        asked = {"PATH_INFO": f"/{path}", "QUERY_STRING": query}
        with client.open("/", method=method, environ_overrides=asked) as answer:
            assert answer.status_code < 500
    assert everything(lively) == before
