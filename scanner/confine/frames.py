"""How two processes that do not trust each other pass messages over pipes: a length, then that many bytes.

JSON, never pickle: a reader that a picture has taken over can send wrong facts and nothing worse.
"""

import json
from typing import Any, BinaryIO

_LENGTH_BYTES = 4


def write_frame(stream: BinaryIO, content: bytes) -> None:
    """Send one frame."""
    stream.write(len(content).to_bytes(_LENGTH_BYTES))
    stream.write(content)
    stream.flush()


def read_frame(stream: BinaryIO, *, limit: int) -> bytes | None:
    """The next frame; None when the other end is closed, also in the middle of one.

    Raises:
        ValueError: it is longer than `limit` bytes.
    """
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(head)
    if length > limit:
        raise ValueError("a frame is longer than agreed")
    content = stream.read(length)
    return content if len(content) == length else None


def write_message(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Send one JSON object; texts may hold anything, lone surrogates included."""
    write_frame(stream, json.dumps(message).encode("ascii"))


def read_message(stream: BinaryIO, *, limit: int) -> dict[str, Any] | None:
    """The next JSON object; None when the other end is closed.

    Raises:
        ValueError, RecursionError: it is longer than `limit` bytes, or no JSON object.
    """
    content = read_frame(stream, limit=limit)
    if content is None:
        return None
    message = json.loads(content)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")  # noqa: TRY004 - wrong content, not a wrong call
    return message
