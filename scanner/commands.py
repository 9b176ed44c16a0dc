"""`authcode scan`: read the codes in photos and print what is known of each; it looks and never burns."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from authcode.commands.options import (
    common_options,
    example,
    keyring_at,
    keyring_option,
    print_json,
    the_time,
    trust_facts,
)
from authcode.commands.progress import progress_bar
from keys.base.home import home_dir
from scanner.errors import PhotoError, PhotoNotFound, PhotoTooLarge

if TYPE_CHECKING:
    from scanner.judge import Judge, Judgement, KeyringJudge
    from scanner.scan import PhotoScan, ReadSymbol


PHOTO_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".pdf")
)
"""Names of files that are read in a folder; a file that is named itself is read whatever its name."""

MAX_WORKERS = 32


@click.command(epilog=example("authcode scan --json pack-front.jpg pack-back.jpg", "authcode scan --json photos/"))
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...", type=click.Path(path_type=Path))
@keyring_option
@click.option("--server", metavar="URL", help="Ask this server for the state of every code; nothing is used up.")
@click.option(
    "--workers", type=click.IntRange(1, MAX_WORKERS), help="Photos read at once [as many as there are processors]."
)
@common_options
def scan(  # noqa: PLR0913, PLR0917 - the options of a command
    photos: tuple[Path, ...],
    keyring: Path | None,
    server: str | None,
    workers: int | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Read the codes in photos (also HEIC, PDF pages and others) and in folders of them, a line a photo with --json.

    Codes are checked against the home's keyring, and their use at --server. Exit code 0 when every photo was
    opened, whether or not it holds a code; 2 when one could not be opened, after all others were read.
    """
    from scanner.judge import KeyringJudge, ServerJudge, no_judge

    opened = keyring_at(keyring, home_dir(home))
    offline = KeyringJudge(opened, the_time()) if opened else None
    judge: Judge = ServerJudge(server) if server else offline or no_judge
    report = partial(_print_json, trusted=trust_facts(opened) if opened else {}) if as_json else _print_words
    all_opened, paths = True, _photos_in(photos)
    with progress_bar("Reading photos", len(paths)) as show:
        for done, (path, found) in enumerate(_scan_files(paths, offline, workers), start=1):
            if isinstance(found, PhotoError):
                all_opened = False
                _print_refusal(path, found, as_json=as_json)
            else:
                report(path, found, judge)
            show(done)
    if not all_opened:
        click.get_current_context().exit(2)


def _photos_in(named: tuple[Path, ...]) -> list[Path]:
    """The files that are named, and of folders those below them that look like photos, in the order of their names."""
    paths: list[Path] = []
    for path in named:
        if path.is_dir():
            paths += sorted(inside for inside in path.rglob("*") if inside.suffix.lower() in PHOTO_SUFFIXES) or [path]
        else:
            paths.append(path)
    return paths


def _scan_files(
    paths: list[Path], offline: "KeyringJudge | None", workers: int | None
) -> Iterator[tuple[Path, "PhotoScan | PhotoError"]]:
    """Each file with what it holds or why it was refused, in order; read in processes of their own, some at once."""
    from scanner.confine.readers import PhotoReaders, ReadingLimits

    at_once = min(workers or os.cpu_count() or 1, len(paths), MAX_WORKERS)
    readers = PhotoReaders(ReadingLimits(readers=at_once, waiting=0))

    def read(path: Path) -> "PhotoScan | PhotoError":
        try:
            return readers.scan(_bytes_of(path), accept=offline.vouches if offline else lambda _text: True)
        except PhotoError as refused:
            return refused

    with ThreadPoolExecutor(at_once) as threads:
        try:
            yield from zip(paths, threads.map(read, paths), strict=True)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            readers.close()


def _bytes_of(path: Path) -> bytes:
    """The file's contents, never more of it than the longest photo that is taken.

    Raises:
        PhotoNotFound, PhotoTooLarge: it cannot be read, or it is longer.
    """
    from scanner.photo.open import MAX_PHOTO_BYTES

    if path.is_dir():
        raise PhotoNotFound(path, "the folder holds no photo")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PHOTO_BYTES + 1)
            if len(data) > MAX_PHOTO_BYTES:
                raise PhotoTooLarge(max(len(data), path.stat().st_size), MAX_PHOTO_BYTES)
    except OSError as error:
        raise PhotoNotFound(path, error.strerror or "it cannot be read") from None
    return data


def _print_json(path: Path, found: "PhotoScan", judge: "Judge", *, trusted: dict[str, object]) -> None:
    advice = {"code": found.advice.code.value, **found.advice.facts} if found.advice else None
    symbols = [_symbol_facts(symbol, judge) for symbol in found.symbols]
    print_json({"photo": str(path), "symbols": symbols, "advice": advice, **trusted})


def _symbol_facts(symbol: "ReadSymbol", judge: "Judge") -> dict[str, Any]:
    from authcode.code.foreign import describe_foreign

    judgement = judge(symbol.text)
    corners = [[round(x, 1), round(y, 1)] for x, y in symbol.corners]
    facts = {"text": symbol.text, "corners": corners, "ours": judgement.ours, "state": judgement.state}
    if judgement.ours is not False:
        return facts
    kind = describe_foreign(symbol.text).kind
    return facts | {"kind": kind, "host": judgement.host, "listed": judgement.listed, "brand": judgement.brand}


def _print_words(path: Path, found: "PhotoScan", judge: "Judge") -> None:
    """The same for people; foreign texts shortened and without control characters, since they reach a terminal."""
    from authcode.code.foreign import describe_foreign

    if found.advice:
        numbers = ", ".join(f"{name} {value:g}" for name, value in found.advice.facts.items())
        click.echo(f"{path}: no code read: {found.advice.code.value} ({numbers})")
    for symbol in found.symbols:
        judgement = judge(symbol.text)
        state = (judgement.state or "not_checked").replace("_", " ")
        if judgement.ours is True:
            click.echo(f"{path}: {state}: {symbol.text}")
        else:
            host = f", leads to {judgement.host or 'an unclear address'}" if judgement.ours is False else ""
            click.echo(f"{path}: {state}{host}{_listing(judgement)}: {describe_foreign(symbol.text).shortened}")


def _listing(judgement: "Judgement") -> str:
    """Which signed list has the host, in words; the brand's name may come from a server and reaches a terminal."""
    from keys.format.domains import Listing

    if judgement.listed is None:
        return ""
    brand = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in judgement.brand or "")
    if judgement.listed is Listing.PARTNER:
        return f", listed by {brand} as a partner's"
    return f", listed by {brand} as a look-alike: known, and not theirs"


def _print_refusal(path: Path, error: PhotoError, *, as_json: bool) -> None:
    if as_json:
        print_json({"photo": str(path), "error": {"code": error.code, "message": str(error)}})
    else:
        click.echo(f"{path}: {error} [{error.code}]", err=True)
