"""Stage 4, decode: the process that reads untrusted pictures and does nothing else (docs/adr/0017).

It is started by `scanner.confine.readers`, holds no key and no connection, and limits its own memory and processor time
where the system can (Linux; elsewhere only the parent's clock does). It ends as soon as its parent is gone,
however that ended: a thread always waits for the end of its input.
"""

import base64
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from scanner.confine.frames import read_frame, write_message
from scanner.errors import PhotoError
from scanner.photo.open import MAX_PHOTO_BYTES

QUESTION, READ, DRAWN, REFUSED = "question", "read", "drawn", "refused"
EXHAUSTED, FAILED = "exhausted", "failed"
"""Types of the messages to the parent: a question whether a text is wanted, or how reading a picture ended."""

SCAN, DRAW = b"S", b"D"
"""Requests, before the picture's bytes: read its codes; or draw it again, the longest side in two bytes."""

_DRAW_HEAD = 3

_WARM_PX = 64


class _Inbox:
    """Frames from the parent, taken off the pipe at once, so that its end is seen in the middle of a picture too."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.frames: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        try:
            while (frame := read_frame(self._stream, limit=MAX_PHOTO_BYTES + _DRAW_HEAD)) is not None:
                self.frames.put(frame)
        finally:
            os._exit(0)


def main(memory_bytes: int, cpu_s: float) -> None:
    """Read pictures one by one until the input ends, each within this much memory and processor time."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends in order
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no message
    inbox = _Inbox(sys.stdin.buffer)
    _warm_up()
    limited = _limit_memory(memory_bytes)
    write_message(outgoing, {"ready": True, "limited": limited})
    while True:
        request = inbox.frames.get()
        _limit_processor(cpu_s)
        answer = _answer(request, inbox, outgoing)
        _limit_processor(0)
        write_message(outgoing, answer)


def _answer(request: bytes, inbox: _Inbox, outgoing: BinaryIO) -> dict[str, Any]:
    try:
        return _draw(request) if request.startswith(DRAW) else _read(request.removeprefix(SCAN), inbox, outgoing)
    except PhotoError as refused:
        return {"type": REFUSED, "code": refused.code, "facts": vars(refused)}
    except MemoryError:
        return {"type": EXHAUSTED}
    except Exception as error:  # noqa: BLE001 - reported by its class alone: its text may hold a code
        exhausted = "memory" in str(error).lower()  # OpenCV has an error of its own for "Insufficient memory"
        return {"type": EXHAUSTED} if exhausted else {"type": FAILED, "error": type(error).__name__}


def _draw(request: bytes) -> dict[str, Any]:
    from scanner.photo.open import redrawn

    drawn = redrawn(request[_DRAW_HEAD:], side_px=int.from_bytes(request[1:_DRAW_HEAD]))
    return {"type": DRAWN, "jpeg": base64.b64encode(drawn).decode("ascii")}


def _read(data: bytes, inbox: _Inbox, outgoing: BinaryIO) -> dict[str, Any]:
    from scanner.scan import scan_photo

    def is_wanted(text: str) -> bool:
        """Ask the parent whether a text is what it looks for."""
        write_message(outgoing, {"type": QUESTION, "text": text})
        return inbox.frames.get() == b"1"

    found = scan_photo(data, accept=is_wanted)
    advice = found.advice
    return {
        "type": READ,
        "symbols": [{"text": symbol.text, "corners": symbol.corners} for symbol in found.symbols],
        "advice": advice and {"code": advice.code, "facts": dict(advice.facts)},
    }


def _warm_up() -> None:
    """Load the decoders and what they load when they are first used, before memory is counted."""
    import cv2
    import numpy as np

    from scanner.scan import read_symbols

    cv2.setNumThreads(min(2, cv2.getNumThreads()))  # each thread reserves memory of its own
    read_symbols(np.full((_WARM_PX, _WARM_PX, 3), 255, dtype=np.uint8))


def _limit_memory(memory_bytes: int) -> bool:
    """Bound memory to what is used now and one picture's share; False where the system has no such limit.

    Both what is written to (of which allocators reserve more than they use) and the address space as a whole. The
    present sizes are only known on Linux; Windows has no such limits and macOS does not hold them.
    """
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return False
    import resource

    pages = [int(number) * resource.getpagesize() for number in statm.read_text(encoding="ascii").split()]
    for limit, now in ((resource.RLIMIT_AS, pages[0]), (resource.RLIMIT_DATA, pages[5])):
        resource.setrlimit(limit, (now + memory_bytes, now + memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold the picture
    return True


def _limit_processor(cpu_s: float) -> None:
    """Let the system end this process when the next picture takes more processor time; 0 lifts the limit.

    A timer of the profiler rather than `RLIMIT_CPU`, which counts whole seconds; nothing handles its signal.
    """
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, cpu_s)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
