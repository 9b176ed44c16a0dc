"""Stage 5, verify, and Stage 6, redeem: look, photos, verify and proofs for programs (docs/protocol.md §2 rule 10).

The first three answer 200 with a verdict for any text, `not_ours` included; a 4xx means that the request is unusable.
"""

from flask import Blueprint

from keys.proof import ProofRefused, proof_in
from scanner.errors import PhotoError, PhotoNotFound, PhotosBusy
from server.domain.codes.claim import ClaimInvalid, ClaimTooWeak, ClaimTriesSpent
from server.domain.codes.holder_acts import ActNotNow, HandOnLimit, HolderAct, HolderUnknown, UndoOver
from server.domain.codes.keep_code import KeepCodeInvalid, KeepCodeTriesSpent
from server.domain.codes.proof_id import ProofUnknown
from server.services.codes import redeem
from server.services.codes.attempts import Channel
from server.services.codes.look import look as look_at_code
from server.services.codes.photo import read_photo
from server.services.codes.receipts import check_proof, proof_status
from server.services.codes.resolve import SerialKeyMissing
from server.services.holders.act_request import ActAnswer, HolderCredentials
from server.services.holders.acts import act_for_program
from server.services.holders.keep_codes import prove, unit_of_keep_code
from server.services.holders.take_gift import GIFT_REFUSALS, take_for_program
from server.services.log.entries import LogEntryUnknown
from server.services.log.heads import sign_newest_head
from server.services.log.proofs import prove_leaf, unit_of_claim
from server.web.api import answers
from server.web.api.bodies import AttemptBody, CodeBody, GiftBody, HolderBody, PhotoBody, ProofBody
from server.web.api.operations import operation
from server.web.metrics import count_answer
from server.web.visit import context, program

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

_KEEP_CODE = (KeepCodeInvalid, KeepCodeTriesSpent)
PICTURE_REFUSALS = (*(error for error in PhotoError.__subclasses__() if error is not PhotoNotFound), PhotosBusy)
_CLAIM = (ClaimInvalid, ClaimTooWeak)
_HOLDER = (*_CLAIM, *_KEEP_CODE, SerialKeyMissing)


@operation(blueprint, "POST /look", SerialKeyMissing)
def look(body: CodeBody) -> answers.Look:
    """Look at a code: its state and what is known; nothing changes."""
    found = look_at_code(context(), body.code, program(), Channel.API)
    count_answer("look", found.state, foreign=found.foreign)
    return answers.Look.of(found)


@operation(blueprint, "POST /verify", *_CLAIM, *_KEEP_CODE, SerialKeyMissing)
def verify(body: AttemptBody) -> answers.Answer:
    """Verify a code once.

    The same claim is answered alike within the repeat window. A script that has a code can use it up: nothing here
    stops malice.
    """
    if body.keep_code is None:
        answer = redeem.verify(context(), body.code, claim=body.claim or "", visitor=program())
    else:
        answer = prove(context(), body.code, keep_code=body.keep_code, visitor=program()) or _looked(body.code)
    count_answer("verify", answer.verdict, foreign=answer.foreign)
    return answers.Answer.of(answer)


def _looked(code: str) -> redeem.Answer:
    """The answer to a wrong keep-code: that of a look, under its limits."""
    found = look_at_code(context(), code, program(), Channel.API)
    return redeem.Answer(verdict=found.state, facts=found.facts)


@operation(blueprint, "POST /undo", *_HOLDER, HolderUnknown, ClaimTriesSpent, ActNotNow, UndoOver)
def undo(body: HolderBody) -> answers.Held:
    """Return a code to unused, within the window and once; its answers show the return for good."""
    return _acted(HolderAct.UNDO, body)


@operation(blueprint, "POST /hand-on", *_HOLDER, HolderUnknown, ClaimTriesSpent, ActNotNow, HandOnLimit)
def hand_on(body: HolderBody) -> answers.Held:
    """Hand a verification on: the next owner's keep-code, the old one dead."""
    return _acted(HolderAct.HAND_ON, body)


@operation(blueprint, "POST /give", *_HOLDER, HolderUnknown, ClaimTriesSpent, ActNotNow, HandOnLimit)
def give(body: HolderBody) -> answers.Given:
    """Make the link of a gift: who takes it first is the next holder. A link that was open is withdrawn."""
    answer = _act(HolderAct.GIVE, body)
    return answers.Given.of(answer, link=answer.gift and answer.gift.link, until=answer.gift and answer.gift.until)


@operation(blueprint, "POST /withdraw", *_HOLDER, HolderUnknown, ClaimTriesSpent)
def withdraw(body: HolderBody) -> answers.Held:
    """Withdraw the open link of a gift, if there is one; it is not taken any more."""
    return _acted(HolderAct.WITHDRAW, body)


@operation(blueprint, "POST /take", *_CLAIM, ClaimTriesSpent, SerialKeyMissing, *GIFT_REFUSALS)
def take(body: GiftBody) -> answers.Taken:
    """Take a gift over: the claim is its holder's from then on, and the giver's receipt and keep-code are dead."""
    token = body.gift.rpartition("/")[2]
    return answers.Taken.of(take_for_program(context(), token, claim=body.claim, visitor=program()))


@operation(blueprint, "POST /erase", *_HOLDER, HolderUnknown, ClaimTriesSpent)
def erase(body: HolderBody) -> answers.Held:
    """Forget who verified a code and where; it stays used. Explain this to your user and ask first."""
    return _acted(HolderAct.ERASE, body)


def _acted(act: HolderAct, body: HolderBody) -> answers.Held:
    answer = _act(act, body)
    return answers.Held.of(answer, **({"hop": answer.receipt.hop} if answer.receipt else {}))


def _act(act: HolderAct, body: HolderBody) -> ActAnswer:
    holder = HolderCredentials(visitor=program(), claim=body.claim, keep_code=body.keep_code)
    return act_for_program(context(), body.code, act, holder)


@operation(blueprint, "POST /proofs", ProofRefused, SerialKeyMissing)
def check(body: ProofBody) -> answers.Proof:
    """Check a proof; it gives no rights."""
    checked = check_proof(context(), proof_in(body.proof))
    return answers.Proof.of(checked.status, proof=checked.proof.claims())


@operation(blueprint, "GET /proofs/<number>", ProofUnknown, SerialKeyMissing)
def status(number: str) -> answers.ProofStatus:
    """The present record of the proof with this number (its jti)."""
    return answers.ProofStatus.of(proof_status(context(), number))


@operation(blueprint, "POST /photos", *PICTURE_REFUSALS, SerialKeyMissing)
def photos(body: PhotoBody) -> answers.Photo:
    """Look at every code in a picture: JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP, TIFF or PDF."""
    found = read_photo(context(), body.photo, program())
    for symbol in found.symbols:
        count_answer("photo", symbol.look.state, foreign=symbol.look.foreign)
    advice = found.advice and {"code": found.advice.code, **found.advice.facts}
    return answers.Photo.of(found, symbols=tuple(map(answers.Symbol.of, found.symbols)), advice=advice)


@operation(blueprint, "POST /log/proof", *_HOLDER, LogEntryUnknown)
def log_proof(body: HolderBody) -> answers.LogProof:
    """Prove to the holder of a code, by claim or keep_code, that its verification is in the log.

    404 for anybody else. The public side of the log is text: GET /log/key, /log/head, /log/proof?leaf= and
    /log/consistency?old=.
    """
    ctx = context()
    if body.keep_code is None:
        unit = unit_of_claim(ctx, body.code, claim=body.claim or "")
    else:
        unit = unit_of_keep_code(ctx, body.code, keep_code=body.keep_code, visitor=program())
    sign_newest_head(ctx.db, ctx.keys.log_head, now=ctx.clock())
    found = prove_leaf(ctx.db, unit)
    entry = found.entry
    leaf, record = (None, None) if entry is None else (entry.leaf.hex(), entry.facts)
    return answers.LogProof.of(found, leaf=leaf, record=record)
