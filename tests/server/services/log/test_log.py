"""The log: no redemption without a leaf, no leaf without its act, and every head and proof holds for a stranger."""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from authcode.log.checkpoint import LogKey, open_head, read_head, read_log_key
from authcode.log.merkle import EMPTY_ROOT, LogProofRefused, leaf_hash
from authcode.log.proof import open_consistency, open_inclusion
from keys.base.home import server_keys_dir
from keys.format.records import Purpose
from keys.store.key_store import open_store
from server.domain.batches.range_act import ActKind
from server.keystore import lacks_own_keys, make_server_keys, open_server_keys
from server.services.codes.attempts import Visitor
from server.services.codes.redeem import verify
from server.services.log import entries, heads, proofs
from server.services.log.keeper import LogKeeper
from server.storage import log as rows
from server.storage import schema
from tests.server.simulator import CHEAP, MakeWorld, World, both_databases, claim_of, on_postgresql
from tests.server.storage.waits import until_somebody_waits

pytestmark = both_databases


def sign(world: World) -> str:
    return heads.sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now).note


def key_of(world: World) -> LogKey:
    return heads.log_key(world.ctx.db, world.ctx.keys.log_head)


def records(world: World) -> list[dict[str, object]]:
    """What stands in the log, waiting or placed, in order."""
    with world.ctx.db.read() as connection:
        placed = connection.execute(sa.select(schema.log_leaf.c.record).order_by(schema.log_leaf.c.number)).scalars()
        waiting = connection.execute(sa.select(schema.log_pending.c.record).order_by(schema.log_pending.c.id)).scalars()
        return [json.loads(record) for record in [*placed, *waiting] if record]


def fill(world: World, count: int) -> None:
    """Entries without a story, to make the tree grow."""
    with world.ctx.db.write() as connection:
        for number in range(count):
            rows.append(connection, rows.EntryKind.AUDIT, 10_000 + number, f'{{"n":{number}}}')


def test_a_first_verification_is_one_entry_and_nothing_else_is(world: World) -> None:
    issued = world.issue()
    before = len(records(world))
    assert world.verdict(issued.text(0), "anna") == "genuine"
    for claim in ("anna", "ben"):
        world.verdict(issued.text(0), claim)
    world.state(issued.text(1))
    world.ask("not a code", "anna")
    (record,) = records(world)[before:]
    assert record == {
        "at": "2026-11-21T12:00:00Z",
        "batch": issued.batch.number,
        "brand": world.brand.issuer.keyring.keyring.brand_id.hex(),
        "claim": record["claim"],
        "country": None,
        "format": 1,
        "holder": record["holder"],
        "kind": "redemption",
        "life": 0,
        "serial": issued.codes[0].serial,
    }


def test_every_staff_act_is_an_entry_with_its_details(world: World) -> None:
    issued = world.issue()
    world.act(issued, ActKind.VOID, "7-8", reason="waste")
    *_, registered, activated, voided = records(world)
    assert (registered["action"], activated["action"], voided["action"]) == (
        "batch.register",
        "batch.activate",
        "batch.void",
    )
    assert voided["actor"] == "anna@example.com"
    details = voided["details"]
    assert isinstance(details, dict)
    assert (details["first"], details["last"], details["reason"]) == (7, 8, "waste")
    with world.ctx.db.read() as connection:
        audited = connection.execute(sa.select(schema.audit.c.id)).scalars().all()
        entered = connection.execute(sa.select(schema.log_pending.c.subject)).scalars().all()
    assert set(audited) <= set(entered)


def test_an_act_that_fails_leaves_neither_row_nor_entry(world: World) -> None:
    issued = world.issue()
    before = records(world)

    def broken() -> None:
        with world.ctx.db.write() as connection:
            rows.append(connection, rows.EntryKind.AUDIT, 1, "{}")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert records(world) == before
    assert world.verdict(issued.text(0), "anna") == "genuine"


def test_a_leaf_is_the_hash_of_zero_a_fresh_salt_and_the_record(world: World) -> None:
    fill(world, 3)
    with world.ctx.db.read() as connection:
        found = connection.execute(sa.select(schema.log_pending)).all()
    assert len({row.salt for row in found}) == len(found)
    for row in found:
        assert len(row.salt) == 16
        assert row.leaf == leaf_hash(row.salt + row.record.encode())


def test_the_first_head_is_of_an_empty_tree_and_a_head_is_signed_once_for_a_size(world: World) -> None:
    with world.ctx.db.write() as connection:
        connection.execute(schema.log_pending.delete())
    head = open_head(sign(world), key_of(world))
    assert (head.size, head.root) == (0, EMPTY_ROOT)
    world.clock.forward(minutes=1)
    assert sign(world) == sign(world)
    with world.ctx.db.read() as connection:
        assert len(connection.execute(sa.select(schema.log_head)).all()) == 1


@pytest.mark.parametrize("sizes", [(1, 2, 3), (255, 1, 1), (256, 256, 1), (700, 13), (1, 1023)])
def test_heads_and_proofs_hold_whatever_was_added_at_a_time(world: World, sizes: tuple[int, ...]) -> None:
    key = key_of(world)
    notes = [sign(world)]
    for count in sizes:
        fill(world, count)
        notes.append(sign(world))
    newest = open_head(notes[-1], key)
    with world.ctx.db.read() as connection:
        leaves = connection.execute(sa.select(schema.log_leaf).order_by(schema.log_leaf.c.number)).all()
    assert [row.number for row in leaves] == list(range(newest.size))
    # The root, computed anew from all leaves, without a node that was kept.
    from authcode.log.merkle import perfect_root, root_hash

    hashes = [row.leaf for row in leaves]
    assert newest.root == root_hash(newest.size, lambda level, n: perfect_root(hashes[n << level : (n + 1) << level]))
    for note in notes:
        kept = open_head(note, key)
        assert open_consistency(proofs.prove_growth(world.ctx.db, kept.size).text, key, kept=kept) == newest
    for number in {0, 1, newest.size // 2, newest.size - 2, newest.size - 1, 254, 255, 256} & set(range(newest.size)):
        found = open_inclusion(proofs.prove_leaf(world.ctx.db, number).text, key)
        assert (found.index, found.leaf) == (number, leaves[number].leaf)


def test_a_proof_from_a_large_tree_reads_some_hundred_rows(world: World) -> None:
    size = 66_000  # above 256 * 256, so that nodes of two levels take part
    with world.ctx.db.write() as connection:
        values = [
            {"kind": "audit", "subject": n, "leaf": leaf_hash(b"%d" % n), "salt": b"", "record": ""}
            for n in range(size)
        ]
        connection.execute(schema.log_pending.insert(), values)
        while rows.integrate(connection):
            pass
    sign(world)
    statements = 0

    def count(*_details: object) -> None:
        nonlocal statements
        statements += 1

    sa.event.listen(world.ctx.db.engine, "after_cursor_execute", count)
    for number in (0, 12_345, 65_535):
        proof = proofs.prove_leaf(world.ctx.db, number)
        assert len(proof.path) >= 16
    proofs.prove_growth(world.ctx.db, 54_321)
    assert statements <= 4 * 10  # each reads one row, or one tile of at most 256


@on_postgresql
def test_two_who_give_places_at_once_take_turns_and_give_each_place_once(world: World) -> None:
    """Whoever is second sees the places that the first gave, and takes only what came in meanwhile."""
    issued = world.issue()
    for index in range(3):
        world.verdict(issued.text(index), "anna")
    with world.ctx.db.read() as connection:
        _, before = rows.tree_name_and_size(connection)

    def place() -> int:
        with world.ctx.db.engine.connect() as connection, connection.begin():
            return rows.integrate(connection)

    with ThreadPoolExecutor(1) as pool:
        with world.ctx.db.engine.connect() as connection, connection.begin():
            first = rows.integrate(connection)
            second = pool.submit(place)
            until_somebody_waits(world)
            world.verdict(issued.text(3), "anna")
        assert (first >= 3, second.result()) == (True, 1)
    assert read_head(sign(world)).size == before + first + 1
    with world.ctx.db.read() as connection:
        numbers = connection.execute(sa.select(schema.log_leaf.c.number).order_by("number")).scalars().all()
    assert numbers == list(range(before + first + 1))


def test_the_log_is_read_over_http_by_anybody_and_checked_with_the_key_alone(world: World) -> None:
    issued = world.issue()
    assert world.client.get("/log/head").status_code == 404
    old = read_head(sign(world))
    world.verdict(issued.text(0), "anna")
    stale = world.client.get("/log/head").text
    assert read_head(stale) == old  # reading signs nothing
    proof = world.client.post("/api/v1/log/proof", json={"code": issued.text(0), "claim": claim_of("anna")}).get_json()
    key = read_log_key(world.client.get("/log/key").text)
    head = open_head(world.client.get("/log/head").text, key)
    shown = open_inclusion(proof["proof"], key)
    assert shown.head == head
    assert shown.leaf.hex() == proof["leaf"]
    assert shown.entry is not None
    assert shown.entry.facts == proof["record"]
    assert proof["record"]["serial"] == issued.codes[0].serial
    bare = world.client.get(f"/log/proof?leaf={proof['leaf']}")
    assert bare.content_type == "text/plain; charset=utf-8"
    assert "extra" not in bare.text
    assert open_inclusion(bare.text, key, leaf=shown.leaf).index == proof["index"]
    growth = world.client.get(f"/log/consistency?old={old.size}")
    assert open_consistency(growth.text, key, kept=old) == head


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/log/proof", 400, "request_invalid"),
        ("/log/proof?leaf=00", 400, "request_invalid"),
        (f"/log/proof?leaf={'0' * 63}g", 400, "request_invalid"),
        (f"/log/proof?leaf={'0' * 64}", 404, "log_entry_unknown"),
        ("/log/consistency", 400, "request_invalid"),
        ("/log/consistency?old=-1", 400, "request_invalid"),
        ("/log/consistency?old=01", 400, "request_invalid"),
        ("/log/consistency?old=1" + "0" * 30, 400, "request_invalid"),
        ("/log/consistency?old=999999", 404, "log_size_unknown"),
    ],
)
def test_what_the_log_cannot_prove_is_said_with_a_code(world: World, path: str, status: int, code: str) -> None:
    sign(world)
    answer = world.client.get(path)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_nobody_but_the_holder_is_shown_a_redemption_and_nobody_learns_whether_there_is_one(world: World) -> None:
    issued = world.issue()
    world.verdict(issued.text(0), "anna")

    def ask(code: str, claim: str) -> tuple[int, str]:
        answer = world.client.post(
            "/api/v1/log/proof", json={"code": code, "claim": claim_of(claim) if claim else claim}
        )
        body = answer.get_json()
        return answer.status_code, body.get("detail", "")

    told = {ask(issued.text(0), "ben"), ask(issued.text(1), "ben"), ask("no code", "ben")}
    assert len(told) == 1
    assert told.pop()[0] == 404
    assert ask(issued.text(0), "anna")[0] == 200
    assert world.client.post("/api/v1/log/proof", json={"code": issued.text(0), "claim": ""}).status_code == 400


def test_a_row_that_was_changed_below_a_head_stops_all_signing(world: World) -> None:
    fill(world, 20)
    sign(world)
    with world.ctx.db.write() as connection:
        connection.execute(schema.log_leaf.update().where(schema.log_leaf.c.number == 3).values(leaf=bytes(32)))
    fill(world, 1)
    with pytest.raises(heads.LogBroken):
        sign(world)
    issued = world.issue()
    assert world.verdict(issued.text(0), "anna") == "genuine"  # who verifies is answered, and the entry waits


@pytest.mark.parametrize("gone", [0, 5, 19])
def test_a_leaf_that_was_removed_stops_all_signing(world: World, gone: int) -> None:
    fill(world, 20)
    sign(world)
    with world.ctx.db.write() as connection:
        connection.execute(schema.log_leaf.delete().where(schema.log_leaf.c.number == gone))
    fill(world, 1)
    with pytest.raises(heads.LogBroken):
        sign(world)


def test_a_log_that_was_rewritten_and_signed_again_is_found_by_whoever_kept_a_head(world: World) -> None:
    fill(world, 20)
    key = key_of(world)
    kept = open_head(sign(world), key)
    with world.ctx.db.write() as connection:  # an operator who owns everything: other leaf, other heads
        connection.execute(schema.log_leaf.update().where(schema.log_leaf.c.number == 3).values(leaf=bytes(32)))
        connection.execute(schema.log_head.delete())
    fill(world, 5)
    open_head(sign(world), key)
    with pytest.raises(LogProofRefused, match="rewritten"):
        open_consistency(proofs.prove_growth(world.ctx.db, kept.size).text, key, kept=kept)


def test_erasure_forgets_salt_and_record_and_the_tree_stays_as_it_was(world: World) -> None:
    issued = world.issue()
    world.verdict(issued.text(0), "anna")
    note = sign(world)
    body = {"code": issued.text(0), "claim": claim_of("anna")}
    proof = world.client.post("/api/v1/log/proof", json=body).get_json()
    entries.erase_entry(world.ctx.db, proof["index"], actor="anna@example.com", now=world.clock.now)
    assert records(world)[-1]["action"] == "log.erase"
    key = key_of(world)
    # What somebody kept still holds, and the bare leaf is still proved; the record is nowhere any more.
    assert open_inclusion(proof["proof"], key).index == proof["index"]
    after = world.client.post("/api/v1/log/proof", json=body).get_json()
    assert (after["record"], after["leaf"]) == (None, None)
    leaf = bytes.fromhex(proof["leaf"])
    assert open_inclusion(after["proof"], key, leaf=leaf).entry is None
    assert open_consistency(proofs.prove_growth(world.ctx.db, read_head(note).size).text, key, kept=read_head(note))
    with world.ctx.db.read() as connection:
        row = connection.execute(sa.select(schema.log_leaf).where(schema.log_leaf.c.leaf == leaf)).one()
    assert (row.salt, row.record) == (None, None)
    with pytest.raises(entries.LogEntryUnknown):
        entries.erase_entry(world.ctx.db, proof["index"], actor="anna@example.com", now=world.clock.now)


def test_a_head_is_signed_in_the_background_and_trouble_does_not_end_that(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = LogKeeper(world.ctx)
    fill(world, 5)
    keeper.keep()
    assert read_head(world.client.get("/log/head").text).size >= 5
    with world.ctx.db.write() as connection:
        connection.execute(schema.log_leaf.delete().where(schema.log_leaf.c.number == 2))
    fill(world, 1)
    keeper.keep()
    assert "[log_broken]" in caplog.text


def test_two_keepers_and_many_buyers_at_once_give_each_entry_one_place(make_world: MakeWorld) -> None:
    world = make_world(log_head_s=0.01)
    issued = world.issue(count=60)
    keepers = [LogKeeper(world.ctx), LogKeeper(world.ctx)]
    for keeper in keepers:
        keeper.start()

    def buy(part: int) -> None:
        for number in range(part, 60, 4):
            verify(world.ctx, issued.text(number), claim=claim_of("anna"), visitor=Visitor())

    buyers = [threading.Thread(target=buy, args=(part,)) for part in range(4)]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()
    for keeper in keepers:
        keeper.stop()
    head = open_head(sign(world), key_of(world))
    serials = [record["serial"] for record in records(world) if record["kind"] == "redemption"]
    assert sorted(serials) == sorted(code.serial for code in issued.codes)
    with world.ctx.db.read() as connection:
        heads = connection.execute(sa.select(schema.log_head)).all()
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.log_leaf)).scalar_one() == head.size
    for row in heads:
        kept = open_head(row.note, key_of(world))
        assert open_consistency(proofs.prove_growth(world.ctx.db, kept.size).text, key_of(world), kept=kept) == head


def test_the_log_key_signs_heads_and_is_no_key_of_a_brand(world: World) -> None:
    public = key_of(world).public_key
    keyring = world.brand.issuer.keyring.keyring
    assert public not in {key.public_key for key in (*keyring.code_keys, *keyring.office_keys)}
    assert base64.b64encode(public).decode() not in world.client.get("/.well-known/authcode-keys.json").text


def test_own_keys_whose_making_was_interrupted_are_completed(world: World) -> None:
    home = world.settings.home
    store = open_store(server_keys_dir(home)).unlock("server-pass")
    store.remove(Purpose.LOG_HEAD, "1")
    assert lacks_own_keys(home)
    before = world.ctx.keys.session
    make_server_keys(home, "server-pass", cost=CHEAP)
    assert not lacks_own_keys(home)
    assert open_server_keys(home, "server-pass").session == before


def test_the_operator_signs_proves_lists_and_erases_at_the_command_line(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: "object"
) -> None:
    from pathlib import Path

    from authcode.commands.log import check
    from server.commands import log as commands

    folder = Path(str(tmp_path))
    monkeypatch.setenv("AUTHCODE_HOME", str(world.settings.home))
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "server-pass")
    runner = CliRunner()
    issued = world.issue()

    def run(command: object, *words: str) -> str:
        result = runner.invoke(command, words)  # type: ignore[arg-type]
        assert result.exit_code == 0, result.output
        return result.output

    run(commands.head, "--out", str(folder / "kept"))
    world.verdict(issued.text(3), "anna")
    run(commands.key, "--out", str(folder / "key"))
    run(commands.prove, f"{issued.batch.order_name}:3", "--out", str(folder / "proof"))
    kept = read_head((folder / "kept").read_text(encoding="utf-8"))
    run(commands.prove, "--old", str(kept.size), "--out", str(folder / "growth"))
    (folder / "head").write_text(run(commands.head), encoding="utf-8")
    files = [str(folder / name) for name in ("head", "proof", "growth")]
    said = run(check, "--key", str(folder / "key"), "--kept", str(folder / "kept"), *files)
    assert said.count("holds") == 3
    assert issued.codes[3].serial in said
    last = json.loads(run(commands.list_entries, "--last", "1", "--json"))
    assert last["record"]["serial"] == issued.codes[3].serial
    run(commands.prove, "--index", str(last["index"]))
    assert "erased" in run(commands.erase, str(last["index"]))
    assert "(erased)" in run(commands.list_entries)
    assert "log.erase" in run(commands.list_entries)
    assert runner.invoke(commands.prove, []).exit_code == 2


def test_a_server_without_new_entries_signs_its_head_without_writing(world: World) -> None:
    world.issue()
    head, statements = sign(world), []
    sa.event.listen(world.ctx.db.engine, "before_cursor_execute", lambda *event: statements.append(event[2]))
    assert sign(world) == head
    assert statements
    assert all(one.startswith(("BEGIN", "SELECT")) for one in statements)
    assert not any("IMMEDIATE" in one or "pg_advisory" in one for one in statements)
