"""What a buyer keeps: a proof that anybody can check, and that gives no rights."""

import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from authcode.code.serial import Tier
from authcode.log.checkpoint import read_head, read_log_key, read_named_head
from authcode.log.merkle import LogProofRefused
from authcode.log.proof import open_consistency
from authcode.order.order import Tiers
from keys.format.records import Form, Purpose
from keys.proof import MAX_PROOF_CHARS, ProofKeys, open_proof, public_keys_of
from server.domain.batches.range_act import ActKind
from server.domain.codes.keep_code import read_keep_code
from server.domain.codes.proof_id import ProofUnknown, proof_id, read_proof_id
from server.domain.codes.unit import Unit
from server.keystore import ServerKeys
from server.services.log.heads import sign_newest_head
from server.storage import schema
from tests.server.simulator import GTIN, START, World

UNITS = st.builds(Unit, row=st.integers(0, 2**25 - 1), index=st.integers(0, 2**35 - 1), life=st.integers(0, 3))


def genuine(world: World, text: str, claim: str = "anna") -> dict[str, object]:
    answer = world.ask(text, claim).get_json()
    assert answer["verdict"] == "genuine"
    return dict(answer)


def proof_of(world: World, text: str, claim: str = "anna") -> str:
    return str(genuine(world, text, claim)["proof"])


def check(world: World, proof: str) -> dict[str, object]:
    answer = world.client.post("/api/v1/proofs", json={"proof": proof})
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def test_the_first_success_carries_a_proof_and_a_keep_code_and_a_repeat_both_byte_for_byte(world: World) -> None:
    code = world.issue().text(0)
    first = world.ask(code, "anna")
    world.clock.forward(minutes=5)
    assert world.ask(code, "anna").data == first.data
    world.clock.forward(hours=1)
    later = world.ask(code, "anna").get_json()
    assert later["verdict"] == "verified_by_you"
    assert (later["proof"], later["keep_code"]) == (first.get_json()["proof"], first.get_json()["keep_code"])


def test_nobody_else_is_given_either(world: World) -> None:
    issued = world.issue()
    genuine(world, issued.text(0))
    for answer in (
        world.ask(issued.text(0), "ben"),
        world.client.post("/api/v1/look", json={"code": issued.text(0)}),
        world.ask("x", "anna"),
    ):
        body = answer.get_json()
        assert body.get("proof") is None
        assert body.get("keep_code") is None


def test_the_proof_says_who_when_and_what_and_is_checked_with_the_published_keys_alone(world: World) -> None:
    issued = world.issue(form=Form.GS1)
    world.clock.forward(milliseconds=700)
    text = proof_of(world, issued.text(3))
    document = world.client.get("/.well-known/authcode-proof-keys.json")
    assert document.mimetype == "application/jwk-set+json"
    proof = open_proof(text, public_keys_of(json.loads(document.data)))
    assert (proof.issuer, proof.gtin, proof.serial) == ("https://v.example.com", GTIN, issued.codes[3].serial)
    assert (proof.at, proof.life, proof.hop, proof.log_head) == (START, 0, 0, None)
    assert proof.brand == world.brand.issuer.keyring.keyring.brand_id.hex()


def test_a_proof_holds_nothing_that_verifies_a_code(world: World) -> None:
    code = world.issue().text(0)
    answer = genuine(world, code)
    said = json.dumps(check(world, str(answer["proof"])))
    tag = code.rpartition("/")[2][15:]
    for secret in (tag, tag[:20], str(answer["keep_code"]), read_keep_code(answer["keep_code"])):
        assert secret not in said
        assert secret not in str(answer["proof"])


def test_what_is_on_record_is_told_live_and_changes_nothing(world: World) -> None:
    issued = world.issue()
    proof = proof_of(world, issued.text(0))
    told = check(world, proof)
    assert (told["on_record"], told["since"], told["brand"]) == (True, None, "Example Tea")
    assert (told["first_verified_at"], told["was_yours"]) == ("2026-11-21", False)
    world.act(issued, ActKind.RECALL, "0", reason="leaks")
    number = told["proof"]["jti"]
    status = world.client.get(f"/api/v1/proofs/{number}").get_json()
    assert (status["on_record"], status["since"], status["recall"]["reason"]) == (True, "recalled", "leaks")
    with world.ctx.db.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.scan)).scalar_one() == 1


def test_a_proof_shown_as_if_it_gave_rights_gives_none(world: World) -> None:
    """Neither the proof nor its number is a claim or a keep-code: whoever was shown it stays a stranger."""
    issued = world.issue()
    proof = proof_of(world, issued.text(0))
    number = str(check(world, proof)["proof"]["jti"])
    for claim in (number, proof[:64], proof[-64:], proof.split(".")[2][:64]):
        assert world.verdict(issued.text(0), claim) == "already_verified"
    for keep_code in (number[:12], proof[:12], proof):
        answer = world.client.post("/api/v1/verify", json={"code": issued.text(0), "keep_code": keep_code})
        assert answer.get_json().get("verdict") in (None, "already_verified")
    for answer in (check(world, proof), world.client.get(f"/api/v1/proofs/{number}").get_json()):
        assert answer["was_yours"] is False
        assert "keep_code" not in answer


def test_a_verification_that_is_gone_is_no_longer_on_record(world: World) -> None:
    proof = proof_of(world, world.issue().text(0))
    number = check(world, proof)["proof"]["jti"]
    with world.ctx.db.write() as connection:
        connection.execute(schema.redemption.update().values(hop=1))
    assert (check(world, proof)["on_record"], check(world, proof)["brand"]) == (False, None)
    with world.ctx.db.write() as connection:
        connection.execute(schema.redemption.update().values(hop=0, at=START + timedelta(days=1)))
    assert check(world, proof)["on_record"] is False
    with world.ctx.db.write() as connection:
        connection.execute(schema.redemption.delete())
    assert check(world, proof)["on_record"] is False
    assert world.client.get(f"/api/v1/proofs/{number}").get_json()["on_record"] is False


def test_a_refused_proof_has_its_code_and_is_not_echoed(world: World) -> None:
    proof = proof_of(world, world.issue().text(0))
    foreign = ProofKeys([b"f" * 32]).sign(world.ctx.keys.proofs.open(proof))
    for text, code in (
        (proof[:-3], "proof_incomplete"),
        (proof + proof[-20:], "proof_incomplete"),
        (proof.replace(".", ".A", 1), "proof_altered"),
        ("eyJhbGciOiJub25lIn0.e30.", "proof_algorithm_refused"),
        (foreign, "proof_from_elsewhere"),
        ("K1SECRET", "proof_unreadable"),
        ("a" * (MAX_PROOF_CHARS + 1), "proof_unreadable"),
    ):
        answer = world.client.post("/api/v1/proofs", json={"proof": text})
        assert (answer.status_code, answer.get_json()["code"]) == (400, code)
        assert text not in answer.text
    for number in ("0" * 21, "x", "U" * 21):
        answer = world.client.get(f"/api/v1/proofs/{number}")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "proof_unknown")


def test_a_page_token_key_or_code_key_signs_no_proof(world: World) -> None:
    """Keys of other purposes are not among the proof keys."""
    proof = world.ctx.keys.proofs.open(proof_of(world, world.issue().text(0)))
    for secret in (world.ctx.keys.page_token, world.ctx.keys.keep_code, world.ctx.keys.proof_id):
        answer = world.client.post("/api/v1/proofs", json={"proof": ProofKeys([secret]).sign(proof)})
        assert answer.get_json()["code"] == "proof_from_elsewhere"


def test_an_outer_code_shows_no_receipt_even_to_its_holder(world: World) -> None:
    issued = world.issue(tiers=Tiers.PAIR)
    genuine(world, issued.text(0, Tier.INNER))
    outer = world.ask(issued.text(0, Tier.OUTER), "anna").get_json()
    assert (outer["was_yours"], outer["proof"], outer["keep_code"]) == (True, None, None)


def test_a_newer_proof_key_signs_and_the_older_one_still_checks(world: World) -> None:
    old = proof_of(world, world.issue().text(0))
    world.ctx.keys.store.put(Purpose.PROOF, "2", None, b"n" * 32)
    renewed = ServerKeys(world.ctx.keys.store)
    assert renewed.proofs.open(old).life == 0
    assert renewed.proofs.sign(renewed.proofs.open(old)) != old
    assert len(renewed.proofs.document()["keys"]) == 2


@given(unit=UNITS, hop=st.integers(0, 1023))
def test_a_proofs_number_is_its_unit_life_and_hop_and_shows_none_of_them(unit: Unit, hop: int) -> None:
    number = proof_id(unit, hop, key=b"k" * 32)
    assert read_proof_id(number, key=b"k" * 32) == (unit, hop)
    with pytest.raises(ProofUnknown):
        read_proof_id(number, key=b"j" * 32)


@given(number=st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=21, max_size=21) | st.text(max_size=30))
def test_a_number_that_was_guessed_names_nothing(number: str) -> None:
    with pytest.raises(ProofUnknown):
        read_proof_id(number, key=b"k" * 32)


def test_no_log_holds_a_proof_or_a_keep_code(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        code = world.issue().text(0)
        answer = genuine(world, code)
        proof, keep_code = str(answer["proof"]), str(answer["keep_code"])
        number = check(world, proof)["proof"]["jti"]
        world.client.get(f"/api/v1/proofs/{number}")
        for typed in (keep_code, "0000-0000-0000", "nonsense"):
            world.client.post("/api/v1/verify", json={"code": code, "keep_code": typed})
    assert caplog.text
    for secret in (proof, proof[-40:], keep_code, read_keep_code(keep_code), number, code[-40:]):
        assert secret not in caplog.text


# the log's last head before it


def named_now(world: World) -> str:
    """Sign a head, and name it as a proof does."""
    head = sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    return read_head(head.note).named


def test_a_proof_names_the_logs_last_head_before_it_and_never_another(world: World) -> None:
    """A repeat after further heads, and the next day, gives the same bytes."""
    issued = world.issue()
    head = named_now(world)
    first = world.ask(issued.text(0), "anna")
    proof = str(first.get_json()["proof"])
    assert world.ctx.keys.proofs.open(proof).log_head == head
    assert check(world, proof)["proof"]["log"] == head
    later = named_now(world)
    assert later != head
    assert world.ask(issued.text(0), "anna").data == first.data
    world.clock.forward(days=1)
    assert world.ask(issued.text(0), "anna").get_json()["proof"] == proof
    assert world.ctx.keys.proofs.open(proof_of(world, issued.text(1))).log_head == later


def test_a_log_that_was_begun_anew_does_not_continue_the_head_of_a_proof(world: World) -> None:
    """Whoever was given a proof holds a head of the log: it is kept like any other."""
    issued = world.issue()
    named_now(world)
    proof = world.ctx.keys.proofs.open(proof_of(world, issued.text(0)))
    assert proof.log_head is not None
    kept = read_named_head(proof.log_head)
    named_now(world)
    growth = world.client.get(f"/log/consistency?old={kept.size}").text
    key = read_log_key(world.client.get("/log/key").text)
    assert open_consistency(growth, key, kept=kept).size > kept.size
    with pytest.raises(LogProofRefused):
        open_consistency(growth, key, kept=replace(kept, root=bytes(32)))


def test_a_verification_of_before_heads_were_named_keeps_the_proof_it_has(world: World) -> None:
    code = world.issue().text(0)
    named_now(world)
    with_head = proof_of(world, code)
    with world.ctx.db.write() as connection:
        connection.execute(schema.redemption.update().values(log_size=None))
    without = proof_of(world, code)
    assert world.ctx.keys.proofs.open(without).log_head is None
    assert (check(world, without)["on_record"], check(world, with_head)["on_record"]) == (True, False)
