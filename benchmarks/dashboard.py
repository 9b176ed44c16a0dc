"""The dashboard's pages on a history of a million attempts, and what attempts and the writing of looks cost.

    python -m benchmarks.dashboard [--scans N] [--alerts N] [--batches N] [--acts N] [--times N]

The history is made by SQL, in a new home with a SQLite file: half of all attempts
are on one unit, each by another asker, and stand behind one alert; a quarter are first verifications in the same batch,
one in ten of which staff took back; a quarter are spread over the other batches and alerts. There is a row of looks for
each attempt, a line of the audit for every second one, and 5,000 products. Every time is the median of what the page's
service takes, or of the whole page where its address is named; `questions` are SQL statements. SQLite works within this
process, so that its CPU time holds the queries whatever else the machine is doing.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import sqlalchemy as sa

from authcode.code.serial import SerialCipher
from authcode.code.sign import CodeSigner
from authcode.order.issue import issue_batch
from authcode.order.order import Order, Placement
from keys.format.records import Form, Profile
from keys.store.issuer import IssuerHome
from keys.store.key_file import ScryptCost
from server import listeners as hooks
from server.app import create_app, create_context
from server.domain.alerts.alert import AlertFilter, Severity
from server.domain.alerts.triage import Pile
from server.domain.batches.range_act import ActDetails, ActKind, RangeAct
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.keystore import open_server_keys
from server.runtime.context import Context
from server.runtime.looks import MAX_WAITING
from server.services.batches.find import find_code
from server.services.codes.attempts import Visitor
from server.services.codes.redeem import verify
from server.services.queries import alert as alert_query
from server.services.queries import alerts as alert_queries
from server.services.queries import batches as batch_queries
from server.services.queries import codes as code_queries
from server.services.queries.alerts import budget, counted_views, news, quiet_week, rule_records
from server.services.queries.audit import audit_page
from server.services.queries.products import product_list
from server.services.staff.accounts import add_staff, set_password
from server.settings import Settings
from server.storage.batches import add_act, add_batch
from server.storage.engine import Connection, Database

_CLAIM = "benchmark-0123456789abcdef"
NOW = datetime.now(UTC)
YEAR = timedelta(days=365)
COUNT = 2_000_000  # units of each batch
HOT = Unit(row=1, index=7)
ATTEMPTS = 200  # timed first verifications
BAR_MS = 100.0

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :scans)"
_AT = ":start + i * (:span / :scans)"
_COUNTRY = "substr('KRJPVNDEUSFRGBIT', 1 + 2 * (i % 8), 2)"
_OTHER = "(2 + (i / 4) % (:batches - 1))"
_ROW = f"CASE WHEN i % 4 < 3 THEN 1 ELSE {_OTHER} END"
_INDEX = "CASE WHEN i % 2 = 0 THEN 7 ELSE 8 + i END"
_ALERT = "CASE WHEN i % 2 = 0 THEN 1 ELSE 2 + (i / 4) % (:alerts - 1) END"
HISTORY = (
    f"""
    INSERT INTO scan (id, at, brand, unit, batch_row, batch_number, unit_index, tier, key_id, serial, channel, said,
        burned, own, staff, mark, country)
    {_NUMBERS} SELECT i, {_AT}, 1, (({_ROW}) << 35) + ({_INDEX}), {_ROW}, {_ROW}, {_INDEX}, 0, 'K1', '0000000000000',
        'page', CASE WHEN i % 2 = 0 THEN 'already_verified' WHEN i % 4 = 1 THEN 'genuine' ELSE 'not_activated' END,
        i % 4 = 1, i % 4 = 1, 0, CAST(substr('0000000000000000' || i, -16) AS BLOB), {_COUNTRY} FROM n
    """,
    f"""
    INSERT INTO redemption (unit, at, claim_hash, holder_hash, hop)
    {_NUMBERS} SELECT (1 << 35) + 8 + i, {_AT}, x'00', x'00', 0 FROM n WHERE i % 4 = 1
    """,
    f"""
    INSERT INTO alert (id, brand, rule, subject, severity, batch_row, unit, first_at, last_at, count, claims, places)
    {_NUMBERS} SELECT i, 1, CASE WHEN i = 1 THEN 'duplicate' ELSE 'not_activated' END, 'made:' || i, i % 3,
        CASE WHEN i = 1 THEN 1 ELSE 2 + i % (:batches - 1) END, CASE WHEN i = 1 THEN (1 << 35) + 7 END,
        :start, :start + i, 0, 0, 8 FROM n WHERE i <= :alerts
    """,
    f"INSERT INTO alert_scan (alert, scan) {_NUMBERS} SELECT {_ALERT}, i FROM n WHERE i % 4 <> 1",
    "INSERT INTO alert_claim (alert, mark) SELECT alert, mark FROM alert_scan JOIN scan ON scan.id = scan",
    "UPDATE alert SET count = (SELECT count(*) FROM alert_scan WHERE alert = alert.id)",
    "UPDATE alert SET claims = count",
    f"""
    INSERT INTO audit (at, actor, action, subject)
    {_NUMBERS} SELECT {_AT}, 'person-' || (i % 9), CASE WHEN i % 4 = 1 THEN 'batch.void' ELSE 'staff.login' END, 'made'
        FROM n WHERE i % 4 < 2
    """,
    f"""
    INSERT INTO product (brand, sku, name, features, updated_at)
    {_NUMBERS} SELECT 1, 'made-' || i, 'Product ' || i, '[]', :start FROM n WHERE i <= 5000
    """,
    f"""
    INSERT INTO look_count (unit, hour, place, said, looks)
    {_NUMBERS} SELECT (({_ROW}) << 35) + 8 + i, ({_AT}) / 3600000000 * 3600000000, {_COUNTRY}, 'unused', 1 FROM n
    """,
)
COUNTED = (
    """
    CREATE TEMPORARY TABLE askers AS SELECT unit, mark, row_number() OVER (PARTITION BY unit ORDER BY min(id)) AS person
        FROM scan GROUP BY unit, mark
    """,
    "CREATE INDEX askers_by_mark ON askers (unit, mark)",
    "UPDATE scan SET person = (SELECT a.person FROM askers a WHERE a.unit = scan.unit AND a.mark = scan.mark)",
    """
    INSERT INTO attempt_day (batch_row, day, said, slot, attempts, burned)
        SELECT batch_row, at / 86400000000, said, unit_index % 8, count(*), sum(burned) FROM scan GROUP BY 1, 2, 3, 4
    """,
    """
    INSERT INTO attempt_place (batch_row, said, country, slot, attempts, burned)
        SELECT batch_row, said, country, unit_index % 8, count(*), sum(burned) FROM scan GROUP BY 1, 2, 3, 4
    """,
    """
    INSERT INTO alert_day (alert, day, said, attempts)
        SELECT alert, at / 86400000000, said, count(*) FROM alert_scan JOIN scan ON scan.id = scan GROUP BY 1, 2, 3
    """,
    """
    INSERT INTO alert_place (alert, place, attempts)
        SELECT alert, country, count(*) FROM alert_scan JOIN scan ON scan.id = scan GROUP BY 1, 2
    """,
    """
    INSERT INTO look_day (batch_row, day, said, looks)
        SELECT (unit >> 35) & 33554431, hour / 86400000000, said, sum(looks) FROM look_count GROUP BY 1, 2, 3
    """,
    "UPDATE alert SET loud_at = last_at",
    f"""
    INSERT INTO undo (unit, at, "by", reason)
    {_NUMBERS} SELECT (1 << 35) + 8 + i, {_AT}, 'staff', 'made' FROM n WHERE i % 40 = 1
    """,
)
"""The counters over that history, as its transactions would have kept them."""


def main() -> None:
    """Make the history, then print a line for each page and each thing that is written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=1_000_000)
    parser.add_argument("--alerts", type=int, default=1_000)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--acts", type=int, default=2_000, help="acts on the batch that has most attempts")
    parser.add_argument("--times", type=int, default=5)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ctx, codes = _home(Path(folder), wanted.batches, wanted.acts)
        _history(ctx.db, wanted)
        _pages(ctx, wanted.times)
        _writing(ctx, codes)
        ctx.db.close()


def _home(home: Path, batches: int, acts: int) -> tuple[Context, list[str]]:
    """A server with its batches and their acts; the codes of the last one."""
    issuer = IssuerHome.create(
        home, brand="Bench", prefix="HTTPS://V.EXAMPLE.COM/", passphrase="issuer", now=NOW, cost=ScryptCost(n=2)
    ).unlock("issuer")
    hooks.keyring_published(home, issuer.keyring.document, issuer.shared_keys(), lambda: "server", cost=ScryptCost(n=2))
    ctx = create_context(Settings(home=home, rate_limit="off"), open_server_keys(home, "server"))
    keyring = issuer.keyring.keyring
    key = keyring.key_for(form=Form.SHORT, profile=Profile.SIGNED)
    with ctx.db.write() as connection:
        for number in range(1, batches + 1):
            _batch(connection, number, key.key_id)
        for number in range(acts):
            kind, first = (ActKind.ACTIVATE, 500 * number) if number % 3 else (ActKind.SAMPLE, COUNT - 1 - number)
            _act(connection, 1, kind, first, min(first + 800, COUNT - 1))
        _act(connection, batches, ActKind.ACTIVATE, 0, COUNT - 1)
    signer = CodeSigner(keyring.brand_id, key, issuer.code_secret(key.key_id))
    cipher = SerialCipher(issuer.serial_key(key.serial_key), keyring.brand_id)
    order = Order(name="bench", count=ATTEMPTS, placement=Placement.INSIDE)
    return ctx, [code.code for code in issue_batch(order, batch_number=batches, signer=signer, cipher=cipher)]


def _batch(connection: Connection, number: int, key_id: str) -> None:
    add_batch(
        connection,
        manifest=b"",
        brand=1,
        number=number,
        order_name=f"order-{number}",
        count=COUNT,
        tiers="single",
        profile="signed",
        form="short",
        key_id=key_id,
        placement="inside",
        drawn_by="authcode",
        issued_at=NOW,
        registered_at=NOW,
    )


def _act(connection: Connection, row: int, kind: ActKind, first: int, last: int) -> None:
    act = RangeAct(kind=kind, first=first, last=last, actor="bench", at=NOW, details=ActDetails())
    add_act(connection, row, act)


def _history(db: Database, wanted: argparse.Namespace) -> None:
    started = time.perf_counter()
    values = {
        "scans": wanted.scans,
        "alerts": wanted.alerts,
        "batches": wanted.batches,
        "start": int((NOW - YEAR).timestamp()) * 1_000_000,
        "span": YEAR // timedelta(microseconds=1),
    }
    with db.write() as connection:
        _fill(connection, HISTORY + COUNTED, values)
    made_s = time.perf_counter() - started
    print(f"{wanted.scans:,} attempts, as many looks, {wanted.alerts:,} alerts made and counted in {made_s:.0f} s\n")


def _fill(connection: Connection, statements: Sequence[str], values: Mapping[str, int]) -> None:
    for statement in statements:
        named = sa.text(statement)
        connection.execute(named, {name: values[name] for name in named.compile().params})


def _pages(ctx: Context, times: int) -> None:
    last = 10**9
    opened = AlertFilter(pile=Pile.OPEN, severity=Severity.ALERT, ranked=True)
    pages: dict[str, Callable[[], object]] = {
        "alerts": lambda: alert_queries.alerts(ctx, AlertFilter()),
        "alerts, last page": lambda: alert_queries.alerts(ctx, AlertFilter(), page=last),
        "alerts, ranked": lambda: alert_queries.alerts(ctx, opened),
        "alerts, counted views": lambda: counted_views(ctx, [opened] * 6),
        "alerts, budget": lambda: budget(ctx),
        "alerts, all of them news": lambda: news(ctx, opened, after=NOW - YEAR),
        "alerts, no news": lambda: news(ctx, opened, after=NOW),
        "alerts, nothing to act on": lambda: quiet_week(ctx),
        "how good each rule is": lambda: rule_records(ctx),
        "alert, largest": lambda: alert_query.alert(ctx, 1),
        "alert, largest, last page": lambda: alert_query.alert(ctx, 1, page=last),
        "alert, small": lambda: alert_query.alert(ctx, 2),
        "batches": lambda: batch_queries.batch_list(ctx.db, now=NOW),
        "batches, last page": lambda: batch_queries.batch_list(ctx.db, now=NOW, page=last),
        "batch, largest": lambda: batch_queries.batch_page(ctx, 1),
        "batch, largest, one country": lambda: batch_queries.batch_page(ctx, 1, country="KR"),
        "batch, largest, a country that has none": lambda: batch_queries.batch_page(ctx, 1, country="XX"),
        "batch, empty": lambda: batch_queries.batch_page(ctx, _empty(ctx)),
        "act on the largest batch": lambda: batch_queries.batch_to_act_on(ctx.db, 1, now=NOW),
        "batch of an order": lambda: batch_queries.batch_of_order(ctx.db, "order-2", now=NOW),
        "code, most asked": lambda: code_queries.code_history(ctx, HOT),
        "code, most asked, last page": lambda: code_queries.code_history(ctx, HOT, page=last),
        "find a code by its index": lambda: find_code(ctx, "order-1:7"),
        "find an order": lambda: batch_queries.find_batch(ctx.db, "order-7"),
        "audit": lambda: audit_page(ctx.db),
        "audit, one person": lambda: audit_page(ctx.db, actor="person-3"),
        "audit, one kind": lambda: audit_page(ctx.db, kind="batch"),
        "audit, a kind that is rare": lambda: audit_page(ctx.db, kind="product"),
        "audit, far back": lambda: audit_page(ctx.db, before=1_000),
        "products": lambda: product_list(ctx.db),
        "products, last page": lambda: product_list(ctx.db, page=last),
    }
    pages |= _whole_pages(ctx)
    questions = [0]
    sa.event.listen(ctx.db.engine, "before_cursor_execute", lambda *_: questions.__setitem__(0, questions[0] + 1))
    print(f"{'page':<42}{'ms':>8}{'CPU ms':>9}{'questions':>11}   bar {BAR_MS:.0f} ms of CPU")
    for name, read in pages.items():
        read()
        questions[0] = 0
        read()
        asked, (took, cpu) = questions[0], _milliseconds(read, times)
        print(f"{name:<42}{took:>8.1f}{cpu:>9.1f}{asked:>11}   {'within' if cpu <= BAR_MS else 'BEYOND'}")


def _whole_pages(ctx: Context) -> dict[str, Callable[[], object]]:
    """Pages as a browser asks for them: login, questions and rendering together."""
    app = create_app(ctx.settings, context=ctx)
    add_staff(ctx.db, "bench@example.com", one_time="one-time password", actor="bench", now=NOW)
    with ctx.db.read() as connection:
        number = int(connection.execute(sa.text("SELECT max(id) FROM staff")).scalar_one())
    set_password(ctx.db, number, old="one-time password", new="the password of a bench", now=NOW)
    client, address = app.test_client(), "https://v.example.com"
    page = client.get("/staff/login", base_url=address).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "email": "bench@example.com", "password": "the password of a bench"}
    client.post("/staff/login", data=form, base_url=address, headers={"Referer": f"{address}/"})

    def opened(path: str) -> Callable[[], object]:
        def ask() -> object:
            answer = client.get(path, base_url=address)
            assert answer.status_code == HTTPStatus.OK, (path, answer.status_code)  # noqa: S101 - a bench that fails
            return answer

        return ask

    paths = (
        *("alerts", "alerts?view=notes", "alerts?view=closed", "alerts/1", "batches", "batches/1", "batches/1/void"),
        *(f"codes/{HOT.id}", "rules", "audit", "products", "settings"),
    )
    return {f"page /staff/{path}": opened(f"/staff/{path}") for path in paths}


def _empty(ctx: Context) -> int:
    """A batch without attempts: the last one, until the attempts below."""
    with ctx.db.read() as connection:
        return int(connection.execute(sa.text("SELECT max(row) FROM batch")).scalar_one())


def _writing(ctx: Context, codes: list[str]) -> None:
    took = [_milliseconds(lambda code=code: verify(ctx, code, claim=_CLAIM, visitor=Visitor()), 1)[0] for code in codes]
    print(f"\nfirst verification: median {statistics.median(took):.1f} ms, slowest {max(took):.1f} ms")
    for index in range(MAX_WAITING):
        ctx.looks.count(Unit(row=1, index=index), "KR", Verdict.UNUSED, now=NOW)
    held: list[float] = []
    begun = [0.0]
    sa.event.listen(ctx.db.engine, "begin", lambda _: begun.__setitem__(0, time.perf_counter()))
    sa.event.listen(ctx.db.engine, "commit", lambda _: held.append(time.perf_counter() - begun[0]))
    flush, _cpu = _milliseconds(ctx.looks.flush, 1)
    print(
        f"{MAX_WAITING:,} looks written in {flush / 1000:.1f} s; the writer's turn was held for "
        f"{1000 * statistics.median(held):.1f} ms at a time, {1000 * max(held):.1f} ms at most"
    )


def _milliseconds(work: Callable[[], object], times: int) -> tuple[float, float]:
    """The median of what it takes: on the clock, and of this process's own time, whatever else the machine does."""
    wall, cpu = [], []
    for _ in range(times):
        started, began = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - began)
    return 1000 * statistics.median(wall), 1000 * statistics.median(cpu)


if __name__ == "__main__":
    main()
