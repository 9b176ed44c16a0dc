"""Parts 1 and 2 of the story: a home, a brand with products, and two printed, registered, activated orders."""

import csv
import secrets
import shlex
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from keys.base.errors import AuthcodeError
from keys.base.home import issuer_keyring_path, orders_dir
from server.demo.artwork import brand_logo, cream_picture, serum_picture
from server.demo.process import DemoStepFailed, run_command
from server.settings import load_settings
from server.storage.brands import all_brands, set_brand
from server.storage.engine import Database
from server.storage.migrate import is_current

MARKER: Final = ".authcode-demo"
"""A file that marks a home of the demo, apart from a brand's own."""

BRAND: Final = "Aurel"
CONTACT: Final = "care@aurel.example"
STAFF_EMAIL: Final = "anna@aurel.example"
COUNT: Final = 24
LABEL_MM: Final = "30"
"""Large enough to be scanned from a screen that shows the whole sheet."""

PARTS: Final = ("issuer", "server")

NOT_ACTIVATED: Final = 20
RECALLED: Final = 21
SAMPLE: Final = 22
VOID: Final = 23
"""Indices of each demo order with a fate of their own; 0 to 19 are on sale."""

SERUM: Final = shlex.split("""
    SERUM-30 --name 'Aurel Night Serum 30 ml' --gtin 09506000134352
    --description 'A light serum for the night, with squalane and oat.'
    --feature "The dropper's collar is copper-coloured metal, cold to the touch."
    --feature 'The lot is engraved in the glass, not printed.'
    --feature 'The triangle on the label can be felt with a fingertip.'
    --placement-hint 'inside the folding box, under the lid'
""")
CREAM: Final = shlex.split("""
    CREAM-50 --name 'Aurel Day Cream 50 ml' --gtin 09506000134369
    --description 'A day cream with zinc and green tea.'
    --feature "The lid's rim is matt, the jar is glossy."
    --feature 'The seal under the lid shows the triangle in relief.'
    --feature 'The bottom of the jar bears the lot, engraved.'
    --placement-hint 'on the seal under the lid'
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOrder:
    """An order on the disk. `codes[i]` is the text of the symbol with index i."""

    name: str
    folder: Path
    codes: tuple[str, ...]

    @property
    def sheet(self) -> Path:
        """The first sheet to print."""
        return min((self.folder / "pdf").glob("*.pdf"))


class DemoHomeForeign(AuthcodeError):
    """The home is a brand's own, which the demo does not change."""

    code = "demo_home_foreign"
    http_status = 409
    sentence = "{home} was not made by the demo; name another folder with --home"
    home: Path


def has_home(home: Path) -> bool:
    """Whether an earlier run of the demo made the home.

    Raises:
        DemoHomeForeign: somebody else made it.
        DatabaseOutdated: another version of the demo made it.
    """
    made = issuer_keyring_path(home).exists()
    if made and not (home / MARKER).exists():
        raise DemoHomeForeign(home)
    if made:
        with closing(_database(home)) as database:
            is_current(database)
    return made


def make_home(home: Path, prefix: str) -> None:
    """Keys, keyring, database, two products."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    (home / MARKER).touch()
    for part in PARTS:
        path = pending_passphrase_file(home, part)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24) + "\n", encoding="utf-8")
    pending = {f"AUTHCODE_{part.upper()}_PASSPHRASE_FILE": str(pending_passphrase_file(home, part)) for part in PARTS}
    run_command(home, "init", "--brand", BRAND, "--prefix", prefix, "--contact", CONTACT, settings=pending)
    settle_passphrases(home)
    with closing(_database(home)) as database, database.write() as connection:
        (brand,) = all_brands(connection)
        set_brand(connection, brand.id, alert_from=1)  # from the first other claim on, so that the story shows an alert
    artwork = home / "artwork"
    artwork.mkdir(exist_ok=True)
    for product, picture in ((SERUM, serum_picture()), (CREAM, cream_picture())):
        path = artwork / f"{product[0]}.png"
        path.write_bytes(picture)
        run_command(home, "product", "add", *product, "--picture", str(path))
    (artwork / "logo.png").write_bytes(brand_logo())


def settle_passphrases(home: Path) -> None:
    """Move the passphrase files into the parts that `init` has made; the next run completes one that was cut off."""
    for part in PARTS:
        pending = pending_passphrase_file(home, part)
        if pending.exists():
            pending.replace(home / part / "passphrase")


def add_staff(home: Path) -> str | None:
    """The one-time password of the demo's staff account, or None where an earlier run made the account."""
    try:
        return run_command(home, "staff", "add", STAFF_EMAIL)
    except DemoStepFailed as refusal:
        if "[staff_exists]" in refusal.output:
            return None
        raise


def next_run(home: Path) -> int:
    """The number of this run, from 1: orders are never printed twice, so that each run has orders of its own."""
    earlier = [path.name.split("-")[1] for path in orders_dir(home).glob("demo-*-short")]
    return max((int(number) for number in earlier if number.isdecimal()), default=0) + 1


def issue_order(home: Path, *, run: int, form: str, product: str, prefix: str) -> DemoOrder:
    """Issue and register one order of `COUNT` codes with the logo."""
    name = f"demo-{run}-{form}"
    run_command(
        home,
        *("batch", "issue", "--order", name, "--count", str(COUNT), "--placement", "inside"),
        *("--product", product, "--form", form, "--prefix", prefix, "--level", "H", "--label-mm", LABEL_MM),
        *("--logo", str(home / "artwork" / "logo.png"), "--formats", "csv,pdf,png,svg"),
    )
    folder = orders_dir(home) / name
    with (folder / "codes.csv").open(encoding="utf-8", newline="") as stream:
        codes = tuple(row["code"] for row in csv.DictReader(stream))
    return DemoOrder(name=name, folder=folder, codes=codes)


def decide_fates(home: Path, order: DemoOrder, *, now: datetime) -> None:
    """Activate what is on sale, and give the last four codes a fate each."""
    expires = (now + timedelta(days=730)).date().isoformat()
    run_command(
        home,
        *("batch", "activate", order.name, "--range", f"0-{NOT_ACTIVATED - 1}"),
        *("--lot", "L2641", "--expires", expires, "--market", "KR,JP"),
    )
    run_command(home, "batch", "activate", order.name, "--range", f"{RECALLED}-{VOID}", "--lot", "L2640")
    run_command(
        home,
        *("batch", "recall", order.name, "--range", f"{RECALLED}-{RECALLED}"),
        *("--reason", "a seal may leak", "--link", "https://aurel.example/recall"),
    )
    run_command(home, "batch", "sample", order.name, "--range", f"{SAMPLE}-{SAMPLE}")
    run_command(home, "batch", "void", order.name, "--range", f"{VOID}-{VOID}", "--reason", "misprint")


def _database(home: Path) -> Database:
    """The embedded database, which all processes of the story use, not that of the caller's own settings."""
    return Database(load_settings(home, database_url="").database)


def pending_passphrase_file(home: Path, part: str) -> Path:
    """Where the passphrase of a part waits until `init` has made the part's folder, which has to be new."""
    return home / f".{part}-passphrase"
