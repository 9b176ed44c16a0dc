"""A home with codes to scan and a server that answers for it, both as processes of their own."""

import csv
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from server.demo.artwork import brand_logo, cream_picture, serum_picture

STAFF = "anna@aurel.example"
OWN_PASSWORD = "a long walk along the river"
COUNT = 64
ON_SALE = 60
NOT_ACTIVATED, RECALLED, SAMPLE, VOID = 60, 61, 62, 63
EXPIRED, LOCKED = 0, 1
"""Indices of the order LATE-2, whose key was withdrawn after they were sold."""
READY_WITHIN_S = 60.0
_AUTHCODE = (sys.executable, "-c", "from authcode.cli import main; main()")
_SERUM = (
    *("SERUM-30", "--name", "Aurel Night Serum 30 ml", "--gtin", "09506000134352"),
    *("--description", "A light serum for the night, with squalane and oat."),
    *("--feature", "The dropper's collar is copper-coloured metal, cold to the touch."),
    *("--feature", "The lot is engraved in the glass, not printed."),
    *("--feature", "The triangle on the label can be felt with a fingertip."),
    *("--support", "care@aurel.example", "--placement-hint", "under the lid of the folding box"),
)
_CREAM = (
    *("CREAM-50", "--name", "Aurel Day Cream 50 ml", "--gtin", "09506000134369"),
    *("--feature", "The lid's rim is matt, the jar is glossy."),
    *("--feature", "The seal under the lid shows the triangle in relief."),
    *("--support", "care@aurel.example"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A home, the address its codes lead to, and its orders: code texts by index, PNG symbols beside them."""

    home: Path
    port: int
    one_time_password: str

    @property
    def address(self) -> str:
        """Where the server answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def codes(self, order: str) -> list[str]:
        """The code texts of an order by index."""
        with (self.home / "orders" / order / "codes.csv").open(encoding="utf-8", newline="") as stream:
            return [row["code"] for row in csv.DictReader(stream)]

    def serials(self, order: str) -> list[str]:
        """The serials of an order by index, without check characters."""
        with (self.home / "orders" / order / "codes.csv").open(encoding="utf-8", newline="") as stream:
            return [row["serial"] for row in csv.DictReader(stream)]

    def picture(self, order: str, index: int) -> Path:
        """The PNG of one symbol."""
        return self.home / "orders" / order / "png" / f"{index:06d}.png"

    def page(self, order: str, index: int) -> str:
        """The address of a code's own page, as a phone's camera opens it."""
        return self.codes(order)[index]


def run(home: Path, *arguments: str, **settings: str) -> str:
    """Run `authcode ARGUMENTS` for this home and return what it printed."""
    environ = _environment(home) | settings
    ended = subprocess.run([*_AUTHCODE, *arguments], env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"authcode {' '.join(arguments)}: {ended.stderr}"
    return ended.stdout


def build(home: Path) -> House:
    """A brand with two products and two orders of 64 codes: 60 on sale, then one of each fate that refuses.

    A third order, LATE-2, is of a key that was withdrawn; one of its codes is past its date.
    """
    port = _free_port()
    prefix = f"http://127.0.0.1:{port}"
    home.mkdir(parents=True, exist_ok=True)
    run(home, "init", "--brand", "Aurel", "--prefix", prefix, "--contact", "care@aurel.example")
    (home / "logo.png").write_bytes(brand_logo())
    for product, picture in ((_SERUM, serum_picture()), (_CREAM, cream_picture())):
        (home / f"{product[0]}.png").write_bytes(picture)
        run(home, "product", "add", *product, "--picture", str(home / f"{product[0]}.png"))
    _sell_late(home)
    for order, form, product_sku, placement in (
        ("SPRING-24", "short", "SERUM-30", "visible"),
        ("GARDEN-7", "gs1", "CREAM-50", "inside"),
    ):
        run(
            home,
            *("batch", "issue", "--order", order, "--count", str(COUNT), "--placement", placement),
            *("--form", form, "--product", product_sku, "--formats", "csv,png"),
            *("--level", "H", "--logo", str(home / "logo.png")),
        )
        _decide_fates(home, order)
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    run(home, "keys", "withdraw", _compact_key(home), "--since", since, "--reason", "a laptop was stolen", "--yes")
    printed = run(home, "staff", "add", STAFF)
    found = re.search(r"one-time password (\S+)", printed)
    assert found is not None, printed
    return House(home=home, port=port, one_time_password=found.group(1))


def build_small(home: Path, order: str, count: int, **settings: str) -> House:
    """A brand with one product and one order of hidden codes on sale, and nothing else: no pictures, no staff."""
    port = _free_port()
    home.mkdir(parents=True, exist_ok=True)
    brand = ("--brand", "Aurel", "--contact", "care@aurel.example")
    run(home, "init", *brand, "--prefix", f"http://127.0.0.1:{port}", **settings)
    run(home, "product", "add", *_CREAM, **settings)
    issue = ("batch", "issue", "--order", order, "--count", str(count), "--placement", "inside", "--formats", "csv")
    run(home, *issue, "--product", _CREAM[0], **settings)
    run(home, "batch", "activate", order, **settings)
    return House(home=home, port=port, one_time_password="")


def _sell_late(home: Path) -> None:
    run(home, "keys", "new", "--profile", "compact", "--form", "short")
    order = ("batch", "issue", "--order", "LATE-2", "--count", "2", "--placement", "inside", "--profile", "compact")
    run(home, *order, "--product", "CREAM-50", "--formats", "csv,png")
    for index, expires in ((EXPIRED, "2025-03-31"), (LOCKED, "2028-03-31")):
        run(home, "batch", "activate", "LATE-2", "--range", str(index), "--lot", "L2639", "--expires", expires)


def _compact_key(home: Path) -> str:
    keys = json.loads(run(home, "keys", "list", "--json"))["keys"]
    return next(str(key["key_id"]) for key in keys if key["profile"] == "compact")


def _decide_fates(home: Path, order: str) -> None:
    sale = ("--lot", "L2641", "--expires", "2028-03-31", "--market", "KR,JP")
    run(home, "batch", "activate", order, "--range", f"0-{ON_SALE - 1}", *sale)
    run(home, "batch", "activate", order, "--range", f"{RECALLED}-{VOID}", "--lot", "L2640")
    recall = ("--reason", "a seal may leak", "--link", "https://aurel.example/recall")
    run(home, "batch", "recall", order, "--range", str(RECALLED), *recall)
    run(home, "batch", "sample", order, "--range", str(SAMPLE))
    run(home, "batch", "void", order, "--range", str(VOID), "--reason", "misprint")


@contextmanager
def serving(house: House, **settings: str) -> Iterator[None]:
    """`authcode serve` as a process that answers when the body starts and is ended after it."""
    log = house.home / "serve.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*_AUTHCODE, "serve", "--port", str(house.port)],
            env=_environment(house.home) | settings,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_ready(process, house, log)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _wait_until_ready(process: subprocess.Popen[bytes], house: House, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{house.address}/readyz", timeout=1.0):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8", errors="replace")[-3000:])


def _environment(home: Path) -> dict[str, str]:
    """Nothing of the caller's own settings; pass phrases for this throw-away home."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUTHCODE_")}
    return inherited | {
        "AUTHCODE_HOME": str(home),
        "AUTHCODE_ISSUER_PASSPHRASE": "issuer of a throw-away home",
        "AUTHCODE_SERVER_PASSPHRASE": "server of a throw-away home",
        "AUTHCODE_RATE_LIMIT": "off",
    }


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
