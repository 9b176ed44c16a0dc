"""Stage 4, decode: untrusted pictures are read in processes of their own, a few at a time (docs/adr/0017).

A decoder that crashes or is taken over affects its process and nothing else. Readers are kept warm, and are replaced
after some pictures or when they had to be ended.
"""

import base64
import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from scanner import errors
from scanner.confine.child import DRAW, DRAWN, EXHAUSTED, FAILED, QUESTION, READ, REFUSED, SCAN
from scanner.confine.frames import read_message, write_frame
from scanner.confine.turns import FairTurns
from scanner.engines import corners_of
from scanner.errors import PhotoError, PhotosBusy, PhotoTooCostly, PhotoUnreadable
from scanner.photo.open import picture_in
from scanner.quality import Advice, AdviceCode
from scanner.scan import PhotoScan, ReadSymbol


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLimits:
    """Limits of reading pictures.

    Attributes:
        readers: pictures read at once by one server process; with two, a slow one does not hold up all others.
        waiting: pictures that may wait; with those being read they hold half of a worker's eight threads.
        wait_s: seconds that one waits for its turn.
        wall_s: seconds by the clock for one picture, where processor time was not the first to end.
        cpu_s: processor seconds for one picture: 50 megapixels take one, and the search ends after another.
        memory_bytes: for one picture beyond the reader itself, so that both stay below 500 MB.
        pictures: how many until a reader is replaced: what leaks in a decoder, or was left there, does not stay.
    """

    readers: int = 2
    waiting: int = 2
    wait_s: float = 5.0
    wall_s: float = 15.0
    cpu_s: float = 2.0
    memory_bytes: int = 440 * 1024 * 1024
    pictures: int = 200


DEFAULT_LIMITS = ReadingLimits()
_START_S = 60.0
_MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_MAX_QUESTIONS = 10_000
_DEAD_S = 1.0
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, getattr(signal, "SIGBUS", None)})
_JPEG_START = b"\xff\xd8\xff"
# Neither passphrases nor database addresses reach the process that opens untrusted files.
_KEPT_VARIABLES = (
    *("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL"),
    *("SYSTEMROOT", "TEMP", "TMP", "TMPDIR"),
)
_LOG = logging.getLogger("authcode.photos")


class PhotoReaders:
    """The readers of one server process. Nothing is started before the first picture; threads may share it."""

    def __init__(self, limits: ReadingLimits = DEFAULT_LIMITS) -> None:
        """Set what reading may cost."""
        self._limits = limits
        self._turns = FairTurns(places=limits.readers, waiting=limits.waiting, wait_s=limits.wait_s)
        self._lock = threading.Lock()
        self._idle: list[_Reader] = []
        self._closed = False

    def scan(self, data: bytes, *, accept: Callable[[str], bool], sender: str | None = None) -> PhotoScan:
        """Read a picture with `scanner.scan_photo` in a separate process; `accept` is called in this one.

        `sender` names the sender, such as a network: whoever took least of late comes first. None is not counted.

        Raises:
            PhotosBusy: too many others wait, or two of the same sender are here.
            PhotoError: the picture is refused, or takes more time or memory than one may (`PhotoTooCostly`).
        """
        return scan_of_answer(self._answer(SCAN, data, accept, sender))

    def redraw(self, data: bytes, *, side_px: int, sender: str | None = None) -> bytes:
        """The picture as `scanner.photo.open.redrawn` draws it again, a JPEG, made in a separate process.

        Raises:
            PhotosBusy, PhotoError: as for `scan`.
        """
        return _jpeg_of_answer(self._answer(DRAW + side_px.to_bytes(2), data, lambda _text: False, sender))

    def _answer(self, request: bytes, data: bytes, accept: Callable[[str], bool], sender: str | None) -> dict[str, Any]:
        work = picture_in(data).work  # what is refused by its header takes nobody's place
        with self._turns.turn(sender, work=work):
            return self._run(request + data, accept)

    def processes(self) -> tuple[int, ...]:
        """The ids of the readers that wait for a picture."""
        with self._lock:
            return tuple(reader.process.pid for reader in self._idle)

    def close(self) -> None:
        """End the readers; one that is busy ends with its picture."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.end()

    def _run(self, request: bytes, accept: Callable[[str], bool]) -> dict[str, Any]:
        reader = self._take()
        try:
            answer = reader.read(request, accept)
        except BaseException:
            reader.end()
            raise
        with self._lock:
            alive = answer.get("type") != EXHAUSTED and reader.process.poll() is None
            kept = alive and not self._closed and reader.pictures < self._limits.pictures
            if kept:
                self._idle.append(reader)
        if not kept:
            reader.end()
        return answer

    def _take(self) -> "_Reader":
        while True:
            with self._lock:
                reader = self._idle.pop() if self._idle else None
            if reader is None:
                return _Reader(self._limits)
            if reader.process.poll() is None:
                return reader
            reader.end()


class _Reader:
    """One process; given one picture at a time."""

    def __init__(self, limits: ReadingLimits) -> None:
        self.pictures, self._limits = 0, limits
        environ = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        # A new program, never a fork: this process has threads, keys and connections. -P: not from the working folder.
        self.process = subprocess.Popen(  # noqa: S603 - our own module by this very interpreter
            [sys.executable, "-P", "-m", "scanner.confine.child", str(limits.memory_bytes), str(limits.cpu_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ | {"MALLOC_ARENA_MAX": "2", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        try:
            with self._ended_after(_START_S):
                ready = self._receive()
        except BaseException:
            self.end()
            raise
        if ready.get("ready") is not True:
            self.end()
            raise PhotosBusy

    def read(self, request: bytes, accept: Callable[[str], bool]) -> dict[str, Any]:
        """Its last message about this picture; `EXHAUSTED` where it ended over it."""
        self.pictures += 1
        with self._ended_after(self._limits.wall_s):
            self._send(request)
            for _ in range(_MAX_QUESTIONS):
                answer = self._receive()
                if answer.get("type") != QUESTION:
                    return answer
                self._send(b"1" if accept(str(answer.get("text"))) else b"0")
        return {"type": EXHAUSTED}

    def end(self) -> None:
        """End the process; it has nothing to finish."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what could not be written any more
                    pipe.close()
        self.process.wait()

    @contextlib.contextmanager
    def _ended_after(self, seconds: float) -> Any:  # noqa: ANN401 - contextlib's own shape
        clock = threading.Timer(seconds, self.process.kill)
        clock.daemon = True
        clock.start()
        try:
            yield
        finally:
            clock.cancel()

    def _send(self, content: bytes) -> None:
        with contextlib.suppress(OSError):  # it ended, which the next message or its absence shows
            write_frame(cast("BinaryIO", self.process.stdin), content)

    def _receive(self) -> dict[str, Any]:
        try:
            message = read_message(cast("BinaryIO", self.process.stdout), limit=_MAX_MESSAGE_BYTES)
        except (ValueError, RecursionError):
            message = None
        return self._end_of_process() if message is None else message

    def _end_of_process(self) -> dict[str, Any]:
        """What its end says of the picture: a decoder that crashed met a damaged one, everything else cost too much."""
        try:
            code = self.process.wait(_DEAD_S)
        except subprocess.TimeoutExpired:
            code = 0
        return {"type": FAILED, "error": f"signal {-code}"} if -code in _CRASHES else {"type": EXHAUSTED}


_REFUSALS = {
    error.code: error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, PhotoError) and error is not PhotoError
}


def scan_of_answer(answer: dict[str, Any]) -> PhotoScan:
    """Turn the reader's last message into a result.

    Raises:
        PhotoError: the picture is refused.
    """
    with _answer_of_type(answer, READ):
        facts = answer["advice"]
        advice = None
        if facts is not None:
            numbers = {str(name): float(value) for name, value in facts["facts"].items()}
            advice = Advice(code=AdviceCode(facts["code"]), facts=numbers)
        symbols = (ReadSymbol(text=str(one["text"]), corners=corners_of(one["corners"])) for one in answer["symbols"])
        return PhotoScan(symbols=tuple(symbols), advice=advice)


def _jpeg_of_answer(answer: dict[str, Any]) -> bytes:
    with _answer_of_type(answer, DRAWN):
        drawn = base64.b64decode(answer["jpeg"], validate=True)
        if not drawn.startswith(_JPEG_START):
            raise ValueError("a reader draws JPEG")
        return drawn


@contextlib.contextmanager
def _answer_of_type(answer: dict[str, Any], wanted: str) -> Iterator[None]:
    """Raise what another type of answer means; an answer that cannot be read means an unreadable picture."""
    try:
        outcome = answer["type"]
        if outcome == REFUSED:
            raise _REFUSALS[answer["code"]](**answer["facts"])
        if outcome == FAILED:
            _LOG.warning("a picture could not be read: %s", str(answer["error"])[:80])
            raise PhotoUnreadable("unknown")
        if outcome != wanted:
            raise PhotoTooCostly
        yield
    except (KeyError, TypeError, ValueError):
        _LOG.warning("a reader gave an answer without sense")
        raise PhotoUnreadable("unknown") from None
