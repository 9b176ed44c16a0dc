"""Stage 1, batch: an order from its name to a finished folder, whole or not at all (docs/format.md §4).

    1. Plan the design.   2. Reserve name and batch number.   3. Stream codes into OUT.partial-NAME.
    4. Sign the manifest.   5. Announce it.   6. Move the folder to OUT.   7. Record the folder.

Killed anywhere, the same order run again gives the same codes, also with another OUT, and leaves nothing of the killed
run behind: number, key, time and OUT were kept in (2). On any error the partial folder is removed; before the first (5)
the name is free again too. From then on it keeps its number, which is noted before (5).
"""

import errno
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from authcode.design.logo import load_logo
from authcode.design.plan import Design, plan_design
from authcode.events import announce_batch
from authcode.order.book import OrderBook, Reservation, order_contents
from authcode.order.folder import MANIFEST_FILE, Job, Progress, write_folder
from authcode.order.issue import sample_code
from authcode.order.key_use import cover_warning
from authcode.order.manifest import open_manifest
from authcode.order.order import Order
from authcode.print.writer import check_formats
from authcode.qr.codewords import Level
from keys.base.errors import AuthcodeError, NoKeyForOrder
from keys.base.files import sync_dir
from keys.format.keyring import Keyring
from keys.format.records import CodeKey, KeyState
from keys.store.issuer import UnlockedIssuer

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TAKEN: Final = (errno.ENOTEMPTY, errno.EEXIST)


class DiskFull(AuthcodeError):
    """The disk, or the quota, ended before the order did; no file of it is left."""

    code = "disk_full"
    http_status = 507
    sentence = "there is no room for this order at {out}; {kept}: free some, or name another --out"
    out: Path
    announced: bool = False

    @property
    def kept(self) -> str:
        """The part of the order that is kept, as a clause."""
        return "its name and batch number are kept, as it was announced" if self.announced else "nothing was kept"


class OutTaken(AuthcodeError):
    """The folder that an order was to fill has something else in it."""

    code = "out_taken"
    http_status = 409
    sentence = "{out} is there already and is not this order's; name another folder with --out"
    out: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedBatch:
    """A finished order. `written` is False where the same order had been issued before and nothing was touched.

    `notes` are the listeners' sentences, such as "registered, inactive"; `warning`: the key nears its end.
    """

    order: Order
    batch_number: int
    key_id: str
    issued_at: datetime
    out: Path
    formats: tuple[str, ...]
    design: Design
    written: bool
    notes: tuple[str, ...]
    warning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How an order is written: `formats` of `csv`, `pdf`, `png`, `svg` (`codes.csv` always) and a logo in the symbols.

    `out` is a folder that does not exist yet, or is empty; it is made private, since every code in it is a secret.
    """

    out: Path
    formats: tuple[str, ...]
    logo: Path | None = None


def fulfil_order(
    issuer: UnlockedIssuer,
    order: Order,
    delivery: Delivery,
    *,
    progress: Progress = lambda _done, _total: None,
    now: datetime,
) -> IssuedBatch:
    """Issue an order into a folder; the same order again writes nothing and names the folder of the first time.

    `now` (aware UTC) is the time of issue of a new order.

    Raises:
        OrderConflict: the name belongs to another order.
        OutTaken: the folder has something else in it.
        DiskFull: there is no room; nothing is left behind.
        NoKeyForOrder: no active key makes such codes.
        KeyUsedUp: the key has covered its year or its orders.
        AuthcodeError: the logo, the formats or the label are refused (see `plan_design`, `open_writers`).
    """
    check_formats(delivery.formats)
    formats = tuple(sorted({"csv", *delivery.formats}))
    out, logo = delivery.out.absolute(), delivery.logo
    book = OrderBook.of(issuer.home)
    with book.lock(order.name):
        known = book.find(order.name)
        key = _key_for(issuer.keyring.keyring, order, known)
        design = plan_order(order, key, logo)  # (1)
        logo_sha256 = hashlib.sha256(logo.read_bytes()).hexdigest() if logo else None
        contents = order_contents(order, formats=formats, logo_sha256=logo_sha256)
        with _full_disk_as_error(out, known):
            reservation = book.reserve(order.name, contents, key=key, now=now, out=out)  # (2)
        job = Job(
            issuer=issuer,
            order=order,
            key=key,
            design=design,
            formats=formats,
            reservation=reservation,
            out=out,
            progress=progress,
        )
        if reservation.out is not None:
            return _issued(replace(job, out=reservation.out), written=False)
        job = _after_killed_run(job, book)
        notes = _write_once(job, book)  # (3) to (6)
        book.update(job.reservation, out=job.out)  # (7)
        warning = cover_warning(key, orders=len(book.orders_of(key.key_id)), now=now)
        return _issued(job, written=True, notes=notes, warning=warning)


def _key_for(keyring: Keyring, order: Order, known: Reservation | None) -> CodeKey:
    if known is None:
        return keyring.key_for(prefix=order.prefix, form=order.form, profile=order.profile)
    key = keyring.code_key(known.key_id)
    if known.out is None and key.state is not KeyState.ACTIVE:
        raise NoKeyForOrder(key.prefix, order.form, order.profile)
    return key


def plan_order(order: Order, key: CodeKey, logo: Path | None) -> Design:
    """Plan the design of an order; neither a secret nor a batch number is needed (errors: see `plan_design`)."""
    return plan_design(
        sample_code(key, order.gtin),
        key.form,
        level=Level(order.level),
        logo=load_logo(logo) if logo else None,
        label_mm=order.label_mm,
    )


def _after_killed_run(job: Job, book: OrderBook) -> Job:
    """Remove what a killed run left in another folder; where it had finished there, that folder is the order's."""
    begun = job.reservation.begun
    if begun == job.out:
        return job
    if begun is not None:
        if _finished_before(before := replace(job, out=begun)) is not None:
            return before
        shutil.rmtree(_partial(before), ignore_errors=True)
    with _full_disk_as_error(job.out, job.reservation):
        return replace(job, reservation=book.update(job.reservation, begun=job.out))


def _partial(job: Job) -> Path:
    return job.out.with_name(f"{job.out.name}.partial-{job.order.name.lower()}")


def _write_once(job: Job, book: OrderBook) -> tuple[str, ...]:
    """Write, sign, announce and move; or take over a folder that a run killed after its move had finished."""
    if (finished := _finished_before(job)) is not None:
        return announce_batch(job.issuer.home, finished)
    partial = _partial(job)
    shutil.rmtree(partial, ignore_errors=True)  # what a killed run of this order left
    reservation = job.reservation
    try:
        _check_free(job.out)
        with _full_disk_as_error(job.out, reservation):
            document = write_folder(job, partial)  # (3) and (4)
            reservation = book.update(reservation, announced=True)
        notes = announce_batch(job.issuer.home, document)  # (5)
        with _full_disk_as_error(job.out, reservation):
            _move(partial, job.out)  # (6)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        # An announced batch may be known outside: its name keeps its number, and the next run gives the same codes.
        if not reservation.announced:
            book.release(reservation)
        raise
    return notes


def _check_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutTaken(out)


def _finished_before(job: Job) -> bytes | None:
    """The manifest of a folder that is this very order's, None where there is no such folder."""
    try:
        document = (job.out / MANIFEST_FILE).read_bytes()
        manifest = open_manifest(document, job.issuer.keyring.keyring)
    except (OSError, AuthcodeError):
        return None
    mine = (job.order.name, job.reservation.batch_number, job.reservation.reserved_at)
    return document if (manifest.order, manifest.batch_number, manifest.issued_at) == mine else None


def _move(partial: Path, out: Path) -> None:
    try:
        if out.exists():
            out.rmdir()  # only an empty one is removed; some systems do not rename onto it
        partial.rename(out)
    except OSError as error:
        if error.errno in _TAKEN:
            raise OutTaken(out) from None
        raise
    sync_dir(out.parent)


def _issued(job: Job, *, written: bool, notes: tuple[str, ...] = (), warning: str | None = None) -> IssuedBatch:
    return IssuedBatch(
        order=job.order,
        batch_number=job.reservation.batch_number,
        key_id=job.key.key_id,
        issued_at=job.reservation.reserved_at,
        out=job.out,
        formats=job.formats,
        design=job.design,
        written=written,
        notes=notes,
        warning=warning,
    )


@contextmanager
def _full_disk_as_error(out: Path, reservation: Reservation | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(out, announced=reservation is not None and reservation.announced) from None
        raise
