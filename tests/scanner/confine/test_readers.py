"""Reading in a process of its own: the same answers, bounded cost, and nothing left behind."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scanner import PhotoScan, scan_photo
from scanner.confine.readers import PhotoReaders, ReadingLimits, scan_of_answer
from scanner.errors import PhotoError, PhotosBusy, PhotoTooCostly, PhotoUnreadable
from scanner.photo.jpeg import jpeg_extent
from scanner.photo.open import redrawn
from tests.scanner.conftest import Camera, draw, encode
from tests.server.processes import alive, until

TEXT = "HTTPS://V.EXAMPLE.COM/K1" + "7Q4K" * 20
ONE = ReadingLimits(readers=1, waiting=0)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds the limits and has /proc")


def anything(_text: str) -> bool:
    return True


def symbol(**lens: float) -> bytes:
    return encode(Camera(**lens).photograph(draw(TEXT)))  # type: ignore[arg-type]


def slow_jpeg() -> bytes:
    """A progressive JPEG that repeats its last scan: small, within every limit, and seconds of work."""
    stream = BytesIO()
    pattern = np.random.default_rng(1).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    Image.fromarray(pattern).resize((5000, 5000)).save(stream, "JPEG", progressive=True, quality=5)
    whole = stream.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * (23 - jpeg_extent(whole).scans) + whole[-2:]


@pytest.fixture(scope="module")
def readers() -> Iterator[PhotoReaders]:
    made = PhotoReaders()
    yield made
    made.close()


def with_limits(**changes: float) -> PhotoReaders:
    return PhotoReaders(dataclasses.replace(ONE, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "picture", [symbol(), symbol(turn_deg=20), symbol(blur_px=9), encode(draw(TEXT)[:, :, None].repeat(3, 2), "PNG")]
)
def test_a_picture_is_read_as_in_this_process(readers: PhotoReaders, picture: bytes) -> None:
    assert readers.scan(picture, accept=anything) == scan_photo(picture, accept=anything)


@pytest.mark.parametrize("data", [b"", b"text", b"GIF89a", b"\xff\xd8\xff" + bytes(40), symbol()[:500]])
def test_a_refusal_comes_back_as_the_same_error(readers: PhotoReaders, data: bytes) -> None:
    with pytest.raises(PhotoError) as here:
        scan_photo(data)
    with pytest.raises(PhotoError) as there:
        readers.scan(data, accept=anything)
    assert (type(there.value), str(there.value)) == (type(here.value), str(here.value))
    assert vars(there.value) == vars(here.value)


def test_whether_a_text_is_wanted_is_asked_in_the_server_itself(readers: PhotoReaders) -> None:
    asked: list[str] = []

    def is_wanted(text: str) -> bool:
        asked.append(text)
        return False

    (found,) = readers.scan(symbol(), accept=is_wanted).symbols
    assert asked == [found.text] == [TEXT]


def test_a_reader_is_kept_for_the_next_picture_and_replaced_after_some() -> None:
    readers = with_limits(pictures=3)
    seen = []
    for _ in range(4):
        readers.scan(symbol(), accept=anything)
        seen.append(readers.processes())
    readers.close()
    assert seen[0] == seen[1] != ()
    assert seen[2] == ()
    assert seen[3] not in {(), seen[0]}


def test_a_picture_that_takes_too_long_is_refused_and_the_next_one_is_read() -> None:
    readers = with_limits(wall_s=0.2)
    with pytest.raises(PhotoTooCostly) as refused:
        readers.scan(slow_jpeg(), accept=anything)
    assert (refused.value.code, refused.value.http_status) == ("photo_too_costly", 413)
    assert readers.processes() == ()
    assert readers.scan(encode(draw(TEXT)[:, :, None].repeat(3, 2), "PNG"), accept=anything).symbols
    readers.close()


@LINUX
def test_processor_time_is_limited_by_the_system() -> None:
    readers = with_limits(cpu_s=0.1, wall_s=60)
    with pytest.raises(PhotoTooCostly):
        readers.scan(slow_jpeg(), accept=anything)
    readers.close()


@LINUX
def test_memory_is_limited_by_the_system(readers: PhotoReaders) -> None:
    desk = np.full((6000, 7000, 3), 150, dtype=np.uint8)
    print_ = draw(TEXT, module_px=40)
    desk[1000 : 1000 + len(print_), 1000 : 1000 + len(print_)] = print_[:, :, np.newaxis]
    large = encode(desk, quality=30)
    tight = with_limits(memory_bytes=16 * 1024 * 1024)
    with pytest.raises(PhotoTooCostly):
        tight.scan(large, accept=anything)
    assert tight.processes() == ()
    tight.close()
    assert readers.scan(large, accept=anything).symbols


def test_more_pictures_than_have_room_are_told_to_come_again() -> None:
    readers = PhotoReaders(ONE)

    def meanwhile(_text: str) -> bool:
        with pytest.raises(PhotosBusy) as busy:
            readers.scan(symbol(), accept=anything)
        assert (busy.value.code, busy.value.http_status, busy.value.retry_after_s) == ("photos_busy", 503, 5)
        return True

    assert readers.scan(symbol(), accept=meanwhile).symbols
    assert readers.scan(symbol(), accept=anything).symbols
    readers.close()


def test_of_one_sender_one_picture_is_read_and_others_find_the_places(readers: PhotoReaders) -> None:
    got: list[PhotoScan] = []

    def meanwhile(_text: str) -> bool:
        got.append(readers.scan(symbol(), accept=anything, sender="a shopper's"))
        return True

    assert readers.scan(symbol(), accept=meanwhile, sender="a noisy network").symbols
    assert got[0].symbols
    assert readers.scan(symbol(), accept=anything, sender="a noisy network").symbols


def test_a_picture_is_drawn_anew_in_the_reader_as_in_this_process(readers: PhotoReaders) -> None:
    picture = encode(np.random.default_rng(1).integers(0, 256, (900, 3000, 3), dtype=np.uint8), "PNG")
    drawn = readers.redraw(picture, side_px=1200)
    assert drawn == redrawn(picture, side_px=1200)
    with Image.open(BytesIO(drawn)) as shown:
        assert (shown.format, shown.size) == ("JPEG", (1200, 360))
    with pytest.raises(PhotoUnreadable):
        readers.redraw(b"<svg>", side_px=1200)


@LINUX
@pytest.mark.parametrize(
    ("kind", "size", "mode"), [("JPEG", (7000, 7000), "RGB"), ("PNG", (5000, 5000), "RGBA"), ("PNG", (4990, 5000), "P")]
)
def test_the_largest_picture_that_may_be_opened_is_drawn_within_the_readers_memory(
    readers: PhotoReaders, kind: str, size: tuple[int, int], mode: str
) -> None:
    stream = BytesIO()
    options = {"progressive": True, "quality": 30, "subsampling": 0} if kind == "JPEG" else {"compress_level": 1}
    Image.new(mode, size).save(stream, kind, **options)
    with Image.open(BytesIO(readers.redraw(stream.getvalue(), side_px=1200))) as shown:
        assert max(shown.size) == 1200


def test_a_reader_that_died_while_it_waited_is_replaced() -> None:
    readers = PhotoReaders(ONE)
    readers.scan(symbol(), accept=anything)
    (victim,) = readers.processes()
    os.kill(victim, signal.SIGKILL)
    assert until(lambda: not alive(victim))
    assert readers.scan(symbol(), accept=anything).symbols
    assert readers.processes() != (victim,)
    readers.close()


def test_a_picture_over_which_a_decoder_crashes_is_unreadable_and_the_next_one_is_read() -> None:
    readers = PhotoReaders(ONE)
    with pytest.raises(PhotoUnreadable):
        readers.scan((Path(__file__).parents[2] / "data" / "ends-libheif.heic").read_bytes(), accept=anything)
    assert readers.scan(symbol(), accept=anything).symbols
    readers.close()


@LINUX
def test_nothing_secret_reaches_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "server-pass")
    monkeypatch.setenv("PGPASSWORD", "database-pass")
    readers = PhotoReaders(ONE)
    readers.scan(symbol(), accept=anything)
    (reader,) = readers.processes()
    environ = Path(f"/proc/{reader}/environ").read_bytes()
    readers.close()
    assert b"server-pass" not in environ
    assert b"database-pass" not in environ


_PARENT = """
import sys, threading
from scanner.confine.readers import PhotoReaders
readers = PhotoReaders()
readers.scan(sys.stdin.buffer.read(int(sys.argv[1])), accept=lambda text: True)
print(*readers.processes(), flush=True)
slow = sys.stdin.buffer.read()
threading.Thread(target=readers.scan, args=(slow,), kwargs={"accept": bool}).start() if slow else None
print("begun", flush=True)
threading.Event().wait()
"""


@LINUX
@pytest.mark.parametrize("slow", [False, True], ids=["waiting", "in the middle of a picture"])
def test_a_reader_ends_when_its_parent_is_killed(*, slow: bool) -> None:
    first = symbol()
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(len(first))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(first + (slow_jpeg() if slow else b""))
        parent.stdin.close()
        reader = int(parent.stdout.readline())
        assert parent.stdout.readline() == b"begun\n"
        assert alive(reader)
        parent.kill()
    assert until(lambda: not alive(reader), within_s=1.0)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "read"},
        {"type": "read", "symbols": [{"text": "x", "corners": [[1]]}], "advice": None},
        {"type": "read", "symbols": [], "advice": {"code": "run_this", "facts": {}}},
        {"type": "refused", "code": "photo_empty", "facts": {"surprise": 1}},
        {"type": "refused", "code": "os.system", "facts": {}},
        {"type": "failed", "error": "ValueError"},
    ],
)
def test_a_reader_that_was_taken_over_can_say_nothing_worse_than_that_a_picture_is_unreadable(
    message: dict[str, object],
) -> None:
    with pytest.raises(PhotoError):
        scan_of_answer(message)
