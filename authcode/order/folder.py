"""Stage 1, batch: an order's folder, with its codes, the files for the printer and the signed manifest."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from authcode.code.payload import shown_host
from authcode.code.serial import SerialCipher, Tier, printed_serial
from authcode.code.sign import CodeSigner
from authcode.design.label import Label
from authcode.design.plan import Design
from authcode.order.book import Reservation
from authcode.order.issue import IssuedCode, issue_batch
from authcode.order.manifest import OF_ORDER, Manifest, sign_manifest
from authcode.order.order import Order, Tiers
from authcode.print.sheet import SheetHeading
from authcode.print.writer import open_writers
from keys.base.files import PRIVATE_DIR, PRIVATE_FILE, write_atomic
from keys.format.records import CodeKey
from keys.store.issuer import UnlockedIssuer

CODES_FILE: Final = "codes.csv"
MANIFEST_FILE: Final = "manifest.json"
PROGRESS_EVERY: Final = 64
"""Codes between two calls of `progress`: often enough to look alive, seldom enough to cost nothing."""


Progress = Callable[[int, int], None]
"""Called with codes done and codes in all, from one thread, the last time with both equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The parameters that all steps of one order share."""

    issuer: UnlockedIssuer
    order: Order
    key: CodeKey
    design: Design
    formats: tuple[str, ...]
    reservation: Reservation
    out: Path
    progress: Progress


def write_folder(job: Job, partial: Path) -> bytes:
    """Write all files of an order into the new folder `partial`, and give the manifest, which is the last of them."""
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.mkdir(mode=PRIVATE_DIR)
    heading = SheetHeading(
        order=job.order.name,
        host=shown_host(job.key.prefix),
        issued_on=job.reservation.reserved_at.date(),
        label_count=job.order.count,
    )
    with _CodesFile(partial / CODES_FILE, job.order.tiers) as codes, ExitStack() as stack:
        writers = [stack.enter_context(writer) for writer in open_writers(job.formats, partial, job.design, heading)]
        for done, issued in enumerate(_issue(job), start=1):
            codes.write(issued)
            if writers:
                label = _label(job.design, issued)
                for writer in writers:
                    writer.write(label)
            if done % PROGRESS_EVERY == 0 or done == job.order.codes:
                job.progress(done, job.order.codes)
    document = _manifest(job, codes.sha256)
    write_atomic(partial / MANIFEST_FILE, document)
    return document


def _issue(job: Job) -> Iterator[IssuedCode]:
    issuer, key = job.issuer, job.key
    brand_id = issuer.keyring.keyring.brand_id
    return issue_batch(
        job.order,
        batch_number=job.reservation.batch_number,
        signer=CodeSigner(brand_id, key, issuer.code_secret(key.key_id)),
        cipher=SerialCipher(issuer.serial_key(key.serial_key), brand_id),
    )


def _label(design: Design, issued: IssuedCode) -> Label:
    return Label(
        index=issued.index,
        tier=None if issued.tier is Tier.SINGLE else issued.tier.name.lower(),
        serial_text=printed_serial(issued.serial),
        code=issued.code,
        symbol=design.symbol_of(issued.code),
    )


def _manifest(job: Job, codes_sha256: str) -> bytes:
    manifest = Manifest(
        server_id=job.issuer.server_id,
        brand_id=job.issuer.keyring.keyring.brand_id,
        batch_number=job.reservation.batch_number,
        order=job.order.name,
        key_id=job.key.key_id,
        issued_at=job.reservation.reserved_at,
        checksums={CODES_FILE: codes_sha256},
        **{name: getattr(job.order, name) for name in OF_ORDER},
    )
    return sign_manifest(manifest, job.issuer.office_key())


class _CodesFile(AbstractContextManager["_CodesFile"]):
    """`codes.csv`: a header, one line a code, readable by its owner only; the checksum is taken on the way.

    No field needs quoting: codes, serials and numbers hold no comma, quote or line end.
    """

    def __init__(self, path: Path, tiers: Tiers) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        self._file = os.fdopen(descriptor, "wb")
        self._digest = hashlib.sha256()
        self._with_tier = tiers is Tiers.PAIR
        self._line("index,serial,code,tier" if self._with_tier else "index,serial,code")

    @property
    def sha256(self) -> str:
        """The checksum of what was written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, issued: IssuedCode) -> None:
        """Add a code."""
        tier = f",{issued.tier.name.lower()}" if self._with_tier else ""
        self._line(f"{issued.index},{issued.serial},{issued.code}{tier}")

    def _line(self, text: str) -> None:
        line = f"{text}\n".encode("ascii")
        self._digest.update(line)
        self._file.write(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
