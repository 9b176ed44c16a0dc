# ruff: noqa: ANN401 - fixtures' classes live in conftest, which tests cannot import
"""An order becomes a folder whole or not at all, once, and always the same."""

import csv
import errno
import hashlib
import json
import multiprocessing
import os
import resource
import signal
import stat
import subprocess
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from authcode.code.serial import SerialCipher, SerialUnit, Tier
from authcode.code.verify import verify_code
from authcode.order.book import OrderConflict
from authcode.order.fulfil import Delivery, DiskFull, IssuedBatch, OutTaken, fulfil_order
from authcode.order.issue import sample_code
from authcode.order.manifest import open_manifest
from authcode.order.order import Order, Placement, Tiers
from authcode.print.writer import UnknownFormat
from keys.base.errors import NoKeyForOrder
from keys.format.keyring import KeyringSet, sign_keyring
from keys.format.records import Form, KeyState, Profile
from keys.store.issuer import IssuerHome, UnlockedIssuer

PASSPHRASE = "correct horse battery staple"
NOW = datetime.fromisoformat("2026-03-01T08:30:00Z")
GTIN = "09506000134352"


def _order(**changes: Any) -> Order:
    return Order(**{"name": "spring", "count": 5, "placement": Placement.INSIDE, **changes})


def _fulfil(issuer: UnlockedIssuer, order: Order, out: Path, **changes: Any) -> IssuedBatch:
    written = {name: changes.pop(name) for name in ("formats", "logo") if name in changes}
    delivery = Delivery(**{"out": out, "formats": ("csv",), **written})
    return fulfil_order(issuer, order, delivery, **{"now": NOW, **changes})


def _rows(out: Path) -> list[dict[str, str]]:
    with (out / "codes.csv").open(newline="", encoding="ascii") as file:
        return list(csv.DictReader(file))


def _left_of(home: Path) -> list[str]:
    """Everything in the home but the issuer's own files and the order book's lock and counter."""
    kept = {"book.lock", "next-batch-number"}
    paths = (path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())
    orders = [path for path in paths if not path.startswith("issuer/") or path.startswith("issuer/orders/")]
    return [path for path in orders if Path(path).name not in kept and not path.endswith(".lock")]


@pytest.mark.parametrize(
    "order",
    [
        _order(),
        _order(form=Form.GS1, gtin=GTIN, product="tea", level="Q"),
        _order(profile=Profile.COMPACT, level="H"),
        _order(tiers=Tiers.PAIR, placement=Placement.SCRATCH),
    ],
)
def test_every_code_of_an_order_verifies_and_names_its_unit(
    issuer: UnlockedIssuer, tmp_path: Path, order: Order
) -> None:
    issued = _fulfil(issuer, order, tmp_path / "out")
    keyring = issuer.keyring.keyring
    cipher = SerialCipher(issuer.serial_key(1), keyring.brand_id)
    mac_keys = issuer.shared_keys().mac
    rows = _rows(issued.out)
    assert len(rows) == order.codes
    for place, row in enumerate(rows):
        verified = verify_code(row["code"], KeyringSet([keyring]), mac_keys=mac_keys)
        assert verified.serial == row["serial"]
        assert verified.gtin == (order.gtin or "0" * 14)
        tier = (Tier.OUTER, Tier.INNER)[place % 2] if order.tiers is Tiers.PAIR else Tier.SINGLE
        index = place // 2 if order.tiers is Tiers.PAIR else place
        assert cipher.unit(verified.serial) == SerialUnit(batch=issued.batch_number, index=index, tier=tier)
        assert row["index"] == str(index)
        assert row.get("tier", "single") == tier.name.lower()


def test_the_manifest_says_what_was_issued_and_vouches_for_the_codes(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    order = _order(form=Form.GS1, gtin=GTIN, product="tea")
    issued = _fulfil(issuer, order, tmp_path / "out")
    manifest = open_manifest((issued.out / "manifest.json").read_bytes(), issuer.keyring.keyring)
    assert (manifest.order, manifest.count, manifest.batch_number) == ("spring", 5, issued.batch_number)
    assert (manifest.product, manifest.gtin, manifest.key_id) == ("tea", GTIN, issued.key_id)
    assert manifest.server_id == issuer.server_id
    assert manifest.checksums == {"codes.csv": hashlib.sha256((issued.out / "codes.csv").read_bytes()).hexdigest()}


def test_every_format_has_a_folder_of_its_own_and_the_logo_stands_in_it(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    Image.new("RGB", (60, 40), "black").save(logo)
    issued = _fulfil(issuer, _order(level="H"), tmp_path / "out", formats=("svg", "png", "pdf"), logo=logo)
    assert issued.formats == ("csv", "pdf", "png", "svg")
    assert sorted(path.name for path in issued.out.iterdir()) == ["codes.csv", "manifest.json", "pdf", "png", "svg"]
    assert len(list((issued.out / "png").iterdir())) == 5
    assert issued.design.logo is not None
    with pytest.raises(OrderConflict, match="logo"):
        _fulfil(issuer, _order(level="H"), tmp_path / "out", formats=("svg", "png", "pdf"))


def test_codes_are_for_the_owner_only(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    out = _fulfil(issuer, _order(), tmp_path / "out").out
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert stat.S_IMODE((out / "codes.csv").stat().st_mode) == 0o600


def test_the_same_order_again_writes_nothing_and_says_where_it_lies(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    first = _fulfil(issuer, _order(), tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    again = _fulfil(issuer, _order(), tmp_path / "elsewhere", now=NOW + timedelta(days=1))
    assert (first.written, again.written) == (True, False)
    assert (again.out, again.batch_number, again.issued_at) == (first.out, first.batch_number, NOW)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


def test_another_order_of_that_name_is_refused_and_touches_nothing(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    _fulfil(issuer, _order(), tmp_path / "out")
    with pytest.raises(OrderConflict):
        _fulfil(issuer, _order(count=6), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(OutTaken) as caught:
        _fulfil(issuer, _order(), out)
    assert caught.value.out == out
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    assert _left_of(issuer.home) == []
    (out / "mine.txt").unlink()
    assert _fulfil(issuer, _order(), out).written


def test_a_folder_that_fills_while_we_write_is_left_alone(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def meddle(_done: int, _total: int) -> None:
        out.mkdir()
        (out / "mine.txt").write_text("mine")

    with pytest.raises(OutTaken):
        _fulfil(issuer, _order(), out, progress=meddle)
    assert not list(tmp_path.glob("out.partial-*"))
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_unknown_formats_and_missing_keys_are_refused_before_anything_is_made(
    issuer: UnlockedIssuer, tmp_path: Path
) -> None:
    with pytest.raises(UnknownFormat):
        _fulfil(issuer, _order(), tmp_path / "out", formats=("csv", "zpl"))
    opened = issuer.keyring
    retired = [_changed(key, state=KeyState.RETIRED) for key in opened.keyring.code_keys]
    _publish(issuer, opened, retired)
    with pytest.raises(NoKeyForOrder):
        _fulfil(issuer, _order(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert _left_of(issuer.home) == []


def _changed(value: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(value, **changes)


def _publish(issuer: UnlockedIssuer, opened: Any, code_keys: list[Any]) -> None:
    from keys.format.records import Purpose
    from keys.primitives import SigningKey
    from keys.store.key_store import open_store

    store = open_store(issuer.home / "issuer" / "keys").unlock(PASSPHRASE)
    root = SigningKey(store.get(Purpose.ROOT, opened.root_fingerprint.removeprefix("sha256:")[:16]))
    keyring = _changed(opened.keyring, code_keys=tuple(code_keys), version=opened.keyring.version + 1)
    (issuer.home / "issuer" / "keyring.json").write_bytes(sign_keyring(keyring, root))


def test_an_order_begun_under_a_key_that_was_retired_since_does_not_go_on_with_it(home: Path, tmp_path: Path) -> None:
    issuer = IssuerHome.open(home).unlock(PASSPHRASE)
    _killed_while_issuing(home, tmp_path / "out")
    opened = issuer.keyring
    _publish(issuer, opened, [_changed(key, state=KeyState.RETIRED) for key in opened.keyring.code_keys])
    with pytest.raises(NoKeyForOrder):
        _fulfil(issuer, _order(count=300), tmp_path / "out")


def test_progress_ends_with_all(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    _fulfil(issuer, _order(count=150), tmp_path / "out", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(64, 150), (128, 150), (150, 150)]


def test_memory_stays_flat(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    _fulfil(issuer, _order(name="warm", count=10), tmp_path / "warm")
    peaks = []
    for count in (200, 2000):
        tracemalloc.start()
        _fulfil(issuer, _order(name=f"n{count}", count=count), tmp_path / f"n{count}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 100_000


def _issue_and_die(home: Path, out: Path) -> None:
    issuer = IssuerHome.open(home).unlock(PASSPHRASE)

    def die(done: int, _total: int) -> None:
        if done >= 128:
            os.kill(os.getpid(), signal.SIGKILL)

    _fulfil(issuer, _order(count=300), out, progress=die)


def _killed_while_issuing(home: Path, out: Path) -> None:
    child = multiprocessing.get_context("fork").Process(target=_issue_and_die, args=(home, out))
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL


def test_killed_in_the_middle_the_same_order_again_gives_the_same_codes(home: Path, tmp_path: Path) -> None:
    issuer = IssuerHome.open(home).unlock(PASSPHRASE)
    out = tmp_path / "out"
    _killed_while_issuing(home, out)
    assert not out.exists()
    (partial,) = tmp_path.glob("out.partial-*")
    begun = (partial / "codes.csv").read_bytes()
    issued = _fulfil(issuer, _order(count=300), out, now=NOW + timedelta(hours=1))
    whole = (out / "codes.csv").read_bytes()
    assert issued.written
    assert issued.issued_at == NOW
    assert whole.startswith(begun)
    assert len(_rows(out)) == 300
    assert not list(tmp_path.glob("out.partial-*"))


def test_killed_and_repeated_into_another_folder_nothing_of_the_first_run_is_left(home: Path, tmp_path: Path) -> None:
    issuer = IssuerHome.open(home).unlock(PASSPHRASE)
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        _killed_while_issuing(home, tmp_path / folder / "out")
    assert [path.parent.name for path in tmp_path.glob("*/out*")] == ["second"]
    issued = _fulfil(issuer, _order(count=300), tmp_path / "third")
    assert (issued.written, issued.out, len(_rows(issued.out))) == (True, tmp_path / "third", 300)
    assert list(tmp_path.glob("*/*partial*")) == []


def test_killed_after_the_move_another_folder_gets_no_second_set_of_codes(
    issuer: UnlockedIssuer, tmp_path: Path
) -> None:
    out = _fulfil(issuer, _order(), tmp_path / "out").out
    record = issuer.home / "issuer" / "orders" / "order-spring.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "out": None}))
    assert _fulfil(issuer, _order(), tmp_path / "other").out == out
    assert not (tmp_path / "other").exists()
    assert json.loads(record.read_text())["out"] == str(out)


def test_killed_after_the_move_the_finished_folder_is_taken_over(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    out = _fulfil(issuer, _order(), tmp_path / "out").out
    record = issuer.home / "issuer" / "orders" / "order-spring.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "out": None}))
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert _fulfil(issuer, _order(), out).out == out
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    assert json.loads(record.read_text())["out"] == str(out)


def _fulfil_and_tell(home: Path, out: Path, barrier: Any, answers: Any) -> None:
    issuer = IssuerHome.open(home).unlock(PASSPHRASE)
    barrier.wait()
    answers.put(_fulfil(issuer, _order(count=200), out).written)


def test_of_processes_that_issue_the_same_order_at_once_exactly_one_writes(home: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(3), context.Queue()
    arguments = (home, tmp_path / "out", barrier, answers)
    children = [context.Process(target=_fulfil_and_tell, args=arguments) for _ in range(3)]
    for child in children:
        child.start()
    assert sorted(answers.get(timeout=30) for _ in children) == [False, False, True]
    for child in children:
        child.join()
    assert len(_rows(tmp_path / "out")) == 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 16 KiB, where the system lets us."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize(("formats", "count"), [(("csv",), 500), (("pdf",), 60), (("png",), 40), (("svg",), 40)])
def test_on_a_full_disk_nothing_is_left_and_the_name_is_free(
    issuer: UnlockedIssuer, small_disk: Path, tmp_path: Path, formats: tuple[str, ...], count: int
) -> None:
    with pytest.raises(DiskFull) as caught:
        _fulfil(issuer, _order(count=count), small_disk / "out", formats=formats)
    assert caught.value.out == small_disk / "out"
    assert list(small_disk.iterdir()) == []
    assert _left_of(issuer.home) == []
    assert _fulfil(issuer, _order(count=3), tmp_path / "out").written


def _announce_and_die(_home: Path, _manifest: bytes) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_killed_after_it_was_announced_then_failed_once_the_order_still_gives_the_same_codes(
    home: Path, small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = IssuerHome.open(home).unlock(PASSPHRASE)
    order = _order(count=500)
    with monkeypatch.context() as deadly:
        deadly.setattr("authcode.events.listeners", lambda _group: (_announce_and_die,))
        child = multiprocessing.get_context("fork").Process(target=_fulfil, args=(issuer, order, tmp_path / "out"))
        child.start()
        child.join(30)
    assert child.exitcode == -signal.SIGKILL
    (partial,) = tmp_path.glob("out.partial-*")
    heard = (partial / "manifest.json").read_bytes()
    with pytest.raises(DiskFull, match="batch number are kept"):
        _fulfil(issuer, order, small_disk / "out")
    assert list(small_disk.iterdir()) == []
    issued = _fulfil(issuer, order, tmp_path / "out", now=NOW + timedelta(days=1))
    assert (issued.out / "manifest.json").read_bytes() == heard


def _issue_under_a_limit(home: Path, out: Path, answers: Any) -> None:
    issuer = IssuerHome.open(home).unlock(PASSPHRASE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        _fulfil(issuer, _order(count=1000), out)
    except DiskFull as error:
        answers.put(error.code)


def test_a_file_that_may_not_grow_ends_the_same_way(home: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_issue_under_a_limit, args=(home, tmp_path / "out", answers))
    child.start()
    assert answers.get(timeout=30) == "disk_full"
    child.join()
    assert not list(tmp_path.glob("out*"))
    assert _left_of(home) == []


def test_any_other_failure_leaves_nothing_either(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    def fail(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _fulfil(issuer, _order(), tmp_path / "out", progress=fail)
    assert not list(tmp_path.glob("out*"))
    assert _left_of(issuer.home) == []


def test_a_place_that_cannot_be_written_is_told_as_it_is(issuer: UnlockedIssuer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        _fulfil(issuer, _order(), tmp_path / "file" / "out")
    assert _left_of(issuer.home) == []


def test_the_batch_is_announced_by_its_manifest(
    issuer: UnlockedIssuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[Path, bytes]] = []

    def hear(home: Path, manifest: bytes) -> str:
        heard.append((home, manifest))
        return "registered, inactive"

    monkeypatch.setattr("authcode.events.listeners", lambda _group: (hear,))
    issued = _fulfil(issuer, _order(), tmp_path / "out")
    assert issued.notes == ("registered, inactive",)
    assert heard == [(issuer.home, (issued.out / "manifest.json").read_bytes())]


def test_an_order_that_could_not_be_announced_leaves_nothing_and_keeps_its_codes(
    issuer: UnlockedIssuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []

    def fail(_home: Path, manifest: bytes) -> None:
        heard.append(manifest)
        raise OSError(errno.EIO, "the server's database is away")

    with monkeypatch.context() as broken:
        broken.setattr("authcode.events.listeners", lambda _group: (fail,))
        with pytest.raises(OSError, match="is away"):
            _fulfil(issuer, _order(), tmp_path / "out")
    assert not list(tmp_path.glob("out*"))
    issued = _fulfil(issuer, _order(), tmp_path / "out", now=NOW + timedelta(days=1))
    assert (issued.out / "manifest.json").read_bytes() == heard[0]


def test_a_sample_has_the_length_of_its_codes_and_is_no_code(brand: Any) -> None:
    for key_id in ("K1", "K2", "K3"):
        key = brand.keyring.code_key(key_id)
        sample = sample_code(key, GTIN if key.form is Form.GS1 else None)
        assert len(sample) == len(brand.code(key_id))
        with pytest.raises(Exception, match="not a code of ours"):
            verify_code(sample, brand.keyrings, mac_keys=brand.mac_keys)
