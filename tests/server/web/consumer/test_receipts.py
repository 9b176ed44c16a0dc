"""What a buyer keeps, over HTTP: the receipt card, its files, "it was me", and the pages of proofs."""

import io
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from authcode.print import fonts
from keys.base.typed_text import MAX_PLAIN_CHARACTERS
from keys.proof import ProofKeys, linked_proof, proof_in
from keys.store.issuer import IssuerHome
from scanner import read_symbols
from server.domain.alerts.alert import AlertFilter
from server.domain.alerts.rules.keep_code_shared import KEEP_CODE_USES
from server.domain.batches.range_act import ActKind
from server.domain.network_limits import WRONG_KEEP_CODES_HERE
from server.services.brands.keyring import publish_keyring
from server.services.brands.publish_product import publish_product
from server.services.queries.alerts import alerts
from server.web.consumer.pages import PageMaker
from server.web.consumer.receipt_pdf import ReceiptSheet, proof_symbol, receipt_pdf
from tests.server.services.holders.guesses import wrong
from tests.server.simulator import PRODUCT, Issued, World
from tests.server.web.consumer.receipts import BEFORE, KEEP, MINE, keep_code_on, proof_on, words_of
from tests.server.web.pages import Browser, heading, target


@pytest.fixture
def issued(world: World) -> Issued:
    return world.issue()


@pytest.fixture
def page(issued: Issued) -> str:
    return target(issued.text(0))


def stranger(world: World) -> Browser:
    return Browser(world.client)


def picture_of(pdf: bytes, scale: float = 2.0) -> Image.Image:
    document = pypdfium2.PdfDocument(pdf)
    picture = document[0].render(scale=scale).to_pil().convert("RGB")
    document.close()
    return picture


FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
PASTED_PROOFS = {
    "a newline": lambda proof: proof + "\n",
    "lines of 76": lambda proof: "\r\n".join(re.findall(".{1,76}", proof)),
    "a quoted mail": lambda proof: "\n".join(f"> {part}" for part in re.findall(".{1,76}", proof)),
    "a mail quoted twice": lambda proof: "\n".join(f">> {part} " for part in re.findall(".{1,60}", proof)),
    "a full stop": lambda proof: proof + ".",
    "angle brackets": lambda proof: f"<{proof}>",
    "smart quotes": lambda proof: f"\u201c{proof}\u201d,",
    "a byte order mark": lambda proof: "\ufeff" + proof,
    "full-width forms": lambda proof: proof.translate(FULL_WIDTH),
    "a link in brackets": lambda proof: f"(see <https://v.example.com/proof/{proof}>.)",
    "a link with a full stop": lambda proof: f"https://v.example.com/proof/{proof}.",
}
"""What happens to a proof on its way, by what it is."""


class TestTheCard:
    def test_the_first_is_given_a_keep_code_a_proof_and_ways_to_keep_them(self, shopper: Browser, page: str) -> None:
        html = shopper.verify(page).text
        steps = html[html.index('class="steps"') : html.index("</ol>", html.index('class="steps"'))]
        assert f"Keep your receipt: <strong>{keep_code_on(html)}</strong>" in steps.split("</li>")[0]
        assert 'href="#receipt"' in steps
        assert 'name="receipt" value="save"' in html
        assert 'name="receipt" value="print" formtarget="_blank"' in html

    def test_a_repeat_and_a_later_visit_show_the_same_receipt(self, world: World, shopper: Browser, page: str) -> None:
        first = shopper.verify(page).text
        again = shopper.open(page).text
        world.clock.forward(hours=1)
        later = shopper.open(page).text
        assert heading(later) == MINE
        assert "Show or save your receipt" in later
        assert keep_code_on(first) == keep_code_on(again) == keep_code_on(later)
        assert proof_on(first) == proof_on(later)

    def test_nobody_else_sees_any_of_it(self, world: World, shopper: Browser, page: str) -> None:
        mine = shopper.verify(page).text
        for html in (stranger(world).open(page).text, stranger(world).verify(page).text):
            assert heading(html) == BEFORE
            assert keep_code_on(mine) not in html
            assert "/proof/" not in html

    @pytest.mark.parametrize("how", ["save", "print"])
    def test_the_file_holds_proof_and_keep_code_and_its_own_symbol(
        self, shopper: Browser, page: str, issued: Issued, how: str
    ) -> None:
        html = shopper.verify(page).text
        file = shopper.send(page, {"receipt": how})
        assert file.mimetype == "application/pdf"
        shown = "attachment" if how == "save" else "inline"
        assert file.headers["Content-Disposition"] == f'{shown}; filename="receipt-{issued.codes[0].serial}.pdf"'
        assert file.headers["Cache-Control"] == "no-store"
        words = words_of(file.data)
        assert keep_code_on(html) in words.replace("\ufffe", "-")
        assert "Spring Tea 50 g" in words
        import numpy as np

        (symbol,) = read_symbols(np.asarray(picture_of(file.data))[:, :, ::-1].copy())
        assert symbol.text == f"https://v.example.com/proof/{proof_on(html)}"

    def test_without_cookies_the_pages_own_claim_gets_the_file(self, world: World, page: str) -> None:
        """Every request from a browser that keeps nothing."""
        look = stranger(world).open(page).text
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', look))
        html = stranger(world).send(page, dict(fields)).text
        card = html[html.index('id="receipt"') :]
        claim = re.search(r'name="claim" value="([^"]+)"', card)
        assert claim is not None
        assert claim.group(1) == fields["claim"]
        assert stranger(world).send(page, {"receipt": "save", "claim": claim.group(1)}).mimetype == "application/pdf"

    @pytest.mark.parametrize("form", [{"receipt": "save"}, {"receipt": "save", "claim": "00" * 16}, {"receipt": "x"}])
    def test_a_stranger_is_given_no_file(
        self, world: World, shopper: Browser, page: str, form: dict[str, object]
    ) -> None:
        shopper.verify(page)
        answer = stranger(world).send(page, dict(form))
        assert (answer.status_code, answer.mimetype) == (409, "text/html")
        assert heading(answer.text) == BEFORE

    def test_a_receipt_of_a_code_that_is_unused_or_no_code_is_its_page_again(
        self, world: World, shopper: Browser, page: str
    ) -> None:
        assert shopper.send(page, {"receipt": "save"}).status_code == 409
        assert shopper.send("/K1NONSENSE", {"receipt": "save"}).status_code == 404
        assert world.state(world.issue().text(0)) == "unused"

    def test_a_recalled_products_buyer_keeps_the_receipt(
        self, world: World, shopper: Browser, page: str, issued: Issued
    ) -> None:
        shopper.verify(page)
        world.act(issued, ActKind.RECALL, "0", reason="leaks")
        html = shopper.open(page).text
        assert "recalled" in heading(html)
        assert keep_code_on(html)


class TestItWasMe:
    def test_any_browser_with_code_and_keep_code_is_answered_verified_by_you(
        self, world: World, shopper: Browser, page: str
    ) -> None:
        keep_code = keep_code_on(shopper.verify(page).text)
        other = stranger(world)
        look = other.open(page).text
        assert "It was me: enter the keep-code" in look
        assert 'id="keep"' in look
        html = other.send(page, {"keep_code": keep_code.lower().replace("-", " ")}).text
        assert heading(html) == MINE
        assert keep_code_on(html) == keep_code
        assert 'id="keep"' not in html
        file = stranger(world).send(page, {"keep_code": keep_code, "receipt": "save"})
        assert file.mimetype == "application/pdf"

    def test_it_sets_no_cookie_and_raises_no_duplicate(self, world: World, shopper: Browser, page: str) -> None:
        keep_code = keep_code_on(shopper.verify(page).text)
        answer = stranger(world).send(page, {"keep_code": keep_code})
        assert "Set-Cookie" not in answer.headers
        assert alerts(world.ctx, AlertFilter()).rows == ()

    def test_a_wrong_and_a_mistyped_one_are_told_apart_and_offered_again(
        self, world: World, shopper: Browser, page: str, issued: Issued
    ) -> None:
        shopper.verify(page)
        other = keep_code_on(shopper.verify(target(issued.text(1))).text)
        wrong_one = stranger(world).send(page, {"keep_code": other})
        assert (wrong_one.status_code, heading(wrong_one.text)) == (200, BEFORE)
        assert "or it was handed on" in wrong_one.text
        mistyped = stranger(world).send(page, {"keep_code": other[:-1] + ("0" if other[-1] != "0" else "1")})
        assert mistyped.status_code == 400
        assert "no try was counted" in mistyped.text
        for html in (wrong_one.text, mistyped.text):
            assert 'id="keep"' in html
            assert other not in html

    def test_guesses_end_with_a_page_that_says_when_to_come_back(
        self, world: World, shopper: Browser, page: str
    ) -> None:
        shopper.verify(page)
        for number in range(WRONG_KEEP_CODES_HERE):
            assert stranger(world).send(page, {"keep_code": wrong(number)}).status_code == 200
        spent = stranger(world).send(page, {"keep_code": wrong(99)})
        assert (spent.status_code, heading(spent.text)) == (429, "Please try again tomorrow")

    @pytest.mark.parametrize("form", [{"keep_code": "KEEP"}, {"receipt": "save"}])
    def test_a_form_of_another_site_neither_asks_nor_takes(
        self, world: World, shopper: Browser, page: str, issued: Issued, form: dict[str, object]
    ) -> None:
        keep_code = keep_code_on(shopper.verify(page).text)
        sent = {name: keep_code if value == "KEEP" else value for name, value in form.items()}
        answer = shopper.send(page, sent, Sec_Fetch_Site="cross-site")
        assert (answer.status_code, answer.mimetype) == (409, "text/html")
        with world.ctx.db.read() as connection:
            from server.services.batches.find import find_code
            from server.storage.scans import keep_code_uses

            assert keep_code_uses(connection, find_code(world.ctx, issued.text(0)).id, limit=1) == []

    def test_on_an_unused_code_it_is_the_look_page_again(self, world: World, page: str, issued: Issued) -> None:
        answer = stranger(world).send(page, {"keep_code": wrong(1)})
        assert (answer.status_code, heading(answer.text)) == (200, "Example Tea&#39;s code, unused so far")
        assert "or it was handed on" in answer.text
        assert world.state(issued.text(0)) == "unused"

    def test_a_link_that_lost_its_signature_offers_no_form(self, world: World, shopper: Browser) -> None:
        from keys.format.records import Form

        link = target(world.issue(form=Form.GS1).text(0))
        shopper.verify(link)
        assert 'id="keep"' in stranger(world).open(link).text
        assert 'id="keep"' not in stranger(world).open(link.partition("?")[0]).text

    def test_one_keep_code_for_many_copies_is_an_alert(self, world: World, shopper: Browser, page: str) -> None:
        keep_code = keep_code_on(shopper.verify(page).text)
        for _ in range(KEEP_CODE_USES):
            stranger(world).send(page, {"keep_code": keep_code})
        (alert,) = alerts(world.ctx, AlertFilter()).rows
        assert (alert.rule, alert.people) == ("keep_code_shared", KEEP_CODE_USES)


class TestAProof:
    @pytest.fixture
    def proof(self, shopper: Browser, page: str) -> str:
        return proof_on(shopper.verify(page).text)

    def test_anybody_sees_what_it_says_and_that_it_gives_no_rights(self, world: World, proof: str, page: str) -> None:
        answer = stranger(world).open(f"/proof/{proof}")
        assert (answer.status_code, heading(answer.text)) == (200, "This receipt holds")
        assert "21 November 2026, 12:00 UTC" in answer.text
        assert "It gives no rights" in answer.text
        assert "Set-Cookie" not in answer.headers
        assert KEEP.search(answer.text) is None
        assert page.rpartition("/")[2][-40:] not in answer.text
        assert heading(stranger(world).open(page).text) == BEFORE

    def test_the_proofs_page_sends_nobody_to_the_code_as_its_holder(self, world: World, proof: str, page: str) -> None:
        """Shown as if it gave rights: no form of a code's page takes a proof."""
        visitor = stranger(world)
        visitor.open(f"/proof/{proof}")
        for form in ({"keep_code": proof}, {"keep_code": proof[:12]}, {"receipt": "save", "claim": proof[:64]}):
            answer = visitor.send(page, dict(form))
            assert answer.mimetype == "text/html"
            assert heading(answer.text) == BEFORE
        assert heading(visitor.verify(page).text) == BEFORE

    def test_its_symbol_on_the_page_leads_back_to_it(self, world: World, proof: str) -> None:
        html = stranger(world).open(f"/proof/{proof}").text
        modules = proof_symbol(f"https://v.example.com/proof/{proof}").modules
        path = re.search(r'class="symbol-ink" d="([^"]+)"', html)
        assert path is not None
        drawn = sum(int(length) for length in re.findall(r"h(\d+)v", path.group(1)))
        assert drawn == modules.sum()

    def test_its_file_is_to_show_and_holds_no_keep_code(self, world: World, shopper: Browser, page: str) -> None:
        mine = shopper.verify(page).text
        file = stranger(world).open(f"/proof/{proof_on(mine)}/receipt.pdf")
        assert file.mimetype == "application/pdf"
        words = words_of(file.data)
        assert "Receipt of a verified code" in words
        assert "Keep-code" not in words
        assert keep_code_on(mine) not in words.replace("\ufffe", "-")
        assert stranger(world).open("/proof/x/receipt.pdf").status_code == 404

    def test_it_is_checked_when_pasted_with_whatever_came_along(self, world: World, proof: str) -> None:
        broken = "\n".join(proof[start : start + 76] for start in range(0, len(proof), 76))
        for pasted in (
            proof,
            f"  {broken}\r\n",
            f"https://v.example.com/proof/{proof}",
            f"Look: HTTPS://V.EXAMPLE.COM/proof/{proof}?utm=x",
        ):
            html = stranger(world).send("/proof", {"proof": pasted}).text
            assert heading(html) == "This receipt holds"

    @pytest.mark.parametrize("pasted", PASTED_PROOFS.values(), ids=PASTED_PROOFS)
    def test_it_is_checked_as_mails_and_chats_write_it_on_the_page_and_by_programs_alike(
        self, world: World, proof: str, pasted: Callable[[str], str]
    ) -> None:
        text = pasted(proof)
        assert heading(stranger(world).send("/proof", {"proof": text}).text) == "This receipt holds"
        answer = world.client.post("/api/v1/proofs", json={"proof": text})
        assert (answer.status_code, answer.get_json()["on_record"]) == (200, True)

    def test_punctuation_after_its_address_is_no_part_of_it(self, world: World, proof: str) -> None:
        for stuck in (".", ")", ">", "%20", "%0A", "%E2%80%8B"):
            assert heading(stranger(world).open(f"/proof/{proof}{stuck}").text) == "This receipt holds"

    def test_it_is_checked_from_a_picture_of_its_file_here_and_on_the_front_page(
        self, world: World, proof: str
    ) -> None:
        picture = io.BytesIO()
        picture_of(stranger(world).open(f"/proof/{proof}/receipt.pdf").data).save(picture, "PNG")
        for address in ("/proof", "/check/photo"):
            sent = BytesIO(picture.getvalue())
            html = stranger(world).send(address, {"photo": (sent, "receipt.png")}).text
            assert heading(html) == "This receipt holds"

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda proof: proof[:-5], "This receipt is cut off or doubled"),
            (lambda proof: proof + proof, "This receipt is cut off or doubled"),
            (lambda _: "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", "This receipt is not signed our way"),
            (lambda proof: proof[:-2] + ("AA" if proof[-2:] != "AA" else "BA"), "This receipt is not what was signed"),
            (lambda _: "hello", "This is not one of our receipts"),
            (lambda _: "", "This is not one of our receipts"),
            (lambda _: "a" * (MAX_PLAIN_CHARACTERS + 1), "This is not one of our receipts"),
        ],
    )
    def test_what_does_not_hold_has_its_sentence_and_is_not_echoed(
        self, world: World, proof: str, spoil: object, said: str
    ) -> None:
        text = spoil(proof)  # type: ignore[operator]
        answer = stranger(world).send("/proof", {"proof": text})
        assert (answer.status_code, heading(answer.text)) == (400, said)
        assert 'id="paste"' in answer.text
        assert not text or f">{text}<" not in answer.text
        if "/" not in text and 0 < len(text) < 2000:
            assert heading(stranger(world).open(f"/proof/{text}").text) == said

    def test_another_servers_proof_is_told_as_that(self, world: World, proof: str) -> None:
        foreign = ProofKeys([b"f" * 32]).sign(world.ctx.keys.proofs.open(proof))
        answer = stranger(world).open(f"/proof/{foreign}")
        assert (answer.status_code, heading(answer.text)) == (400, "This receipt comes from another service")

    def test_a_recall_is_told_beside_it(self, world: World, proof: str, issued: Issued) -> None:
        world.act(issued, ActKind.RECALL, "0", reason="leaks")
        html = stranger(world).open(f"/proof/{proof}").text
        assert "has since recalled this product" in html
        assert 'class="panel recall"' in html

    def test_a_withdrawn_key_is_not_told_as_copies_that_were_found(
        self, world: World, proof: str, issued: Issued, tmp_path: Path
    ) -> None:
        shutil.copytree(world.brand.home / "issuer", tmp_path / "issuing" / "issuer")
        issuer = IssuerHome.open(tmp_path / "issuing").unlock("issuer-pass")
        now = world.clock.now + timedelta(hours=1)
        issuer.withdraw_code_key(issued.batch.key_id, since=now, reason="lost", now=now)
        publish_keyring(world.ctx.db, issuer.keyring.document, server_id=None, now=now)
        html = stranger(world).open(f"/proof/{proof}").text
        assert "The key that vouched for this code was withdrawn" in html
        assert "Copies of this code" not in html

    def test_a_verification_that_is_gone_is_said_to_be(self, world: World, proof: str) -> None:
        from server.storage import schema

        with world.ctx.db.write() as connection:
            connection.execute(schema.redemption.delete())
        html = stranger(world).open(f"/proof/{proof}").text
        assert heading(html) == "This receipt is no longer on record"
        assert stranger(world).open(f"/proof/{proof}/receipt.pdf").status_code == 404

    def test_a_picture_without_a_receipt_is_answered_with_advice(self, world: World) -> None:
        stream = BytesIO()
        Image.new("L", (300, 300), 128).save(stream, "PNG")
        stream.seek(0)
        html = stranger(world).send("/proof", {"photo": (stream, "x.png")}).text
        assert heading(html) == "We couldn&#39;t read a receipt in this picture"
        assert stranger(world).send("/proof", {"photo": (BytesIO(b"x"), "x.png")}).status_code == 415

    def test_every_page_leads_to_the_check(self, shopper: Browser) -> None:
        html = shopper.open("/").text
        assert 'href="/proof"' in html
        assert heading(shopper.open("/proof").text) == "Check a receipt"


def test_a_link_is_found_and_nothing_else_taken_for_one() -> None:
    assert linked_proof("HTTPS://V.EXAMPLE.COM/proof/a.b.c?x=1#y") == "a.b.c"
    assert linked_proof("https://v.example.com/K1ABC") is None
    assert linked_proof("/proof/a.b.c") is None
    assert proof_in(" a.\nb.c ") == "a.b.c"


def sheet_of(*names: str, link: str = "https://a.example/proof/x") -> ReceiptSheet:
    return ReceiptSheet(
        heading="h",
        lines=("a long line " * 40,),
        rows=(*(("Product", name) for name in names), ("Brand", "Zo\u00eb (1)")),
        link=link,
        proof_label="p",
        proof_end="aaaa bbbb",
        no_letters="No letters for {scripts}.",
        symbols="symbols",
        keep_heading="k",
        keep_code="AAAA-BBBB-CCCC",
    )


@pytest.fixture
def fontless(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without any font."""
    fonts._font_for.cache_clear()  # noqa: SLF001 - what another test found
    monkeypatch.setattr(fonts, "font_files", lambda *, bold: ())  # noqa: ARG005 - the keyword of the original
    yield
    fonts._font_for.cache_clear()  # noqa: SLF001 - what this test did not find


NAMES = [
    "\uc11c\uc6b8 \ud06c\ub9bc",
    "\u7eff\u8336",
    "\u65e5\u672c\u30b3\u30fc\u30d2\u30fc 2",
    "\u0141\u00f3d\u017a",
    "\u041a\u043e\u0444\u0435",
    "\u039c\u03ad\u03bb\u03b9",
    "\u0e0a\u0e32",
    "\u0939\u093f\u0928\u094d\u0926\u0940",
]


def test_a_name_in_any_script_is_printed_and_can_be_copied() -> None:
    for name in NAMES:
        words = words_of(receipt_pdf(sheet_of(name)))
        assert f"Product {name}".replace(" ", "") in words.replace(" ", "")
        assert "No letters" not in words


def test_a_product_named_in_hangul_is_on_the_receipt_of_its_code(world: World, shopper: Browser, page: str) -> None:
    name = "\uc11c\uc6b8 \ud06c\ub9bc"
    brand_id = world.ctx.keyrings().keyrings[0].brand_id
    publish_product(world.ctx.db, brand_id, replace(PRODUCT, name=name), now=world.clock.now)
    proof = proof_on(shopper.verify(page).text)
    for file in (shopper.send(page, {"receipt": "save"}).data, shopper.open(f"/proof/{proof}/receipt.pdf").data):
        assert f"Product {name}" in words_of(file)


@pytest.mark.usefixtures("fontless")
def test_a_script_without_a_font_is_named_and_never_dropped_in_silence() -> None:
    for name, said in (
        ("\uc11c\uc6b8 Cream", "Product Cream No letters for Hangul."),
        ("\u65e5\u672c\u30b3\u30d2", "Product No letters for Han, Katakana."),
        ("Tea \U0001f389", "Product Tea No letters for symbols."),
        ("Z\u00e9\u200d \u0141", "Product Z\u00e9 No letters for Latin."),
    ):
        words = words_of(receipt_pdf(sheet_of(name)))
        assert said in words
        assert "Brand Zo\u00eb (1)" in words


@pytest.mark.usefixtures("fontless")
def test_the_receipt_of_such_a_product_says_so_in_plain_words(world: World, shopper: Browser, page: str) -> None:
    brand_id = world.ctx.keyrings().keyrings[0].brand_id
    product = replace(PRODUCT, name="\uc11c\uc6b8 \ud06c\ub9bc")
    publish_product(world.ctx.db, brand_id, product, now=world.clock.now)
    shopper.verify(page)
    words = words_of(shopper.send(page, {"receipt": "print"}).data)
    assert "Product Some of this can't be printed here (Hangul). Scan the square code to read it. Brand" in words


def test_the_file_holds_the_whole_proof_in_a_link_and_prints_only_its_end(shopper: Browser, page: str) -> None:
    html = shopper.verify(page).text
    proof = proof_on(html)
    file = shopper.send(page, {"receipt": "save"}).data
    words = words_of(file)
    assert proof not in words.replace(" ", "")
    assert " ".join(proof[-16:][start : start + 4] for start in (0, 4, 8, 12)) in words
    with pikepdf.open(io.BytesIO(file)) as pdf:
        (link,) = pdf.pages[0].Annots
        assert str(link.A.URI) == f"https://v.example.com/proof/{proof}"


def test_the_same_receipt_is_the_same_file_on_one_page_and_long_names_move_the_keep_code_to_another() -> None:
    for names, pages in ((NAMES[:3], 1), (["\u8d85\u957f\u7684" * 40] * 4, 2), (["W" * 120] * 4, 2)):
        sheet = sheet_of(*names)
        assert receipt_pdf(sheet) == receipt_pdf(sheet)
        with pikepdf.open(io.BytesIO(receipt_pdf(sheet))) as pdf:
            assert len(pdf.pages) == pages


def test_every_refusal_has_its_page(maker: PageMaker) -> None:
    from keys.proof import ProofRefused

    for refusal in ProofRefused.__subclasses__():
        assert maker.proof_answer_page(refusal.code).words.heading
