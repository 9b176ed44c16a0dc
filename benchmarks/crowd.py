"""An honest photo while others send pictures made to be slow: how long its answer takes, over HTTP.

    python -m benchmarks.crowd [--networks N] [--seconds S]

A server with one worker behind a proxy that names the clients. From each of N networks one client sends progressive
JPEG pictures, as slow as one may be, one after the other; another sends a photo of a code every half second. Printed:
answers by status, and how long the honest ones took. A second run sends the hostile ones from one network.
"""

import argparse
import http.client
import io
import statistics
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import qrcode
from PIL import Image

from benchmarks.redeem import make_home, serving
from scanner.photo.formats import MAX_JPEG_WORK
from scanner.photo.jpeg import jpeg_extent

SIDE_PX = 5000
PAUSE_S = 0.5
_BOUNDARY = "a-picture"


def hostile_picture() -> bytes:
    """A progressive JPEG that repeats its last scan as often as its size allows."""
    stream = io.BytesIO()
    pattern = np.random.default_rng(1).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    Image.fromarray(pattern).resize((SIDE_PX, SIDE_PX)).save(stream, "JPEG", progressive=True, quality=5)
    whole = stream.getvalue()
    last = whole.rindex(b"\xff\xda")
    more = MAX_JPEG_WORK // SIDE_PX**2 - jpeg_extent(whole).scans
    return whole[:-2] + whole[last:-2] * more + whole[-2:]


def honest_picture(text: str) -> bytes:
    """A photo of one code on a table."""
    symbol = qrcode.QRCode(box_size=6)
    symbol.add_data(text)
    table = Image.effect_noise((1600, 1200), 30).convert("RGB")
    table.paste(symbol.make_image().convert("RGB"), (500, 300))
    stream = io.BytesIO()
    table.save(stream, "JPEG", quality=80)
    return stream.getvalue()


def send(port: int, picture: bytes, address: str) -> tuple[int, float]:
    """The status of `POST /api/v1/photos` for a client at `address`, and the seconds until its answer."""
    part = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="p.jpg"\r\n\r\n'
    body = part.encode() + picture + f"\r\n--{_BOUNDARY}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}", "X-Forwarded-For": address}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.perf_counter()
    connection.request("POST", "/api/v1/photos", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status, time.perf_counter() - began


def run(port: int, code: str, networks: list[str], seconds: float) -> None:
    """Send from all of them at once and print what came of it."""
    end, hostile, honest = time.monotonic() + seconds, Counter[int](), list[tuple[int, float]]()
    slow, photo = hostile_picture(), honest_picture(code)

    def attack(address: str) -> None:
        while time.monotonic() < end:
            hostile[send(port, slow, address)[0]] += 1

    attackers = [threading.Thread(target=attack, args=(address,)) for address in networks]
    for attacker in attackers:
        attacker.start()
    while time.monotonic() < end:
        honest.append(send(port, photo, "203.0.113.7"))
        time.sleep(PAUSE_S)
    for attacker in attackers:
        attacker.join()
    took = [waited for status, waited in honest if status == http.HTTPStatus.OK]
    print(
        f"{len(set(networks)):3d} networks, {len(slow) / 1000:.0f} KB: honest {len(took)} of {len(honest)} answered, "
        f"median {statistics.median(took or [0]):.2f} s, longest {max(took, default=0):.2f} s; "
        f"hostile {dict(sorted(hostile.items()))}",
        flush=True,
    )


def main() -> None:
    """Run with as many networks as asked for, and with one."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--networks", type=int, default=10, help="hostile clients, each in a network of its own")
    arguments.add_argument("--seconds", type=float, default=30.0)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/crowd.db"
        house, database, codes = make_home(Path(folder) / "home", url, 1)
        database.close()
        settings = {"AUTHCODE_TRUSTED_PROXIES": "1"}
        for networks in ([f"198.51.{index}.9" for index in range(options.networks)], ["198.51.1.9"] * options.networks):
            with serving(house, url, 1, settings) as port:
                send(port, honest_picture(codes[0]), "203.0.113.7")  # starts a reader
                run(port, codes[0], networks, options.seconds)


if __name__ == "__main__":
    main()
