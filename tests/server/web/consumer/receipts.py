"""What a receipt page says."""

import re

import pypdfium2

KEEP = re.compile(r'class="keep-code">([0-9A-Z-]{14})<')


MINE = "You verified this code on 21 November 2026"


BEFORE = "This code was verified before"


def keep_code_on(html: str) -> str:
    found = KEEP.search(html)
    assert found is not None, html
    return found.group(1)


def proof_on(html: str) -> str:
    found = re.search(r'href="/proof/([^"/]+)"', html)
    assert found is not None, html
    return found.group(1)


def words_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    text = str(document[0].get_textpage().get_text_bounded())
    document.close()
    return " ".join(text.split())
