"""Several worker processes of waitress on one listening socket.

waitress, because it hands over the raw request target, which parsing needs (docs/format.md §3 rule 1). A worker that
dies is replaced. When the parent is gone, for any reason, its workers end and release the port.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from tempfile import TemporaryDirectory
from types import FrameType

from flask import Flask
from waitress import wasyncore  # type: ignore[import-untyped]  # published without types
from waitress.server import create_server  # type: ignore[import-untyped]  # published without types

from keys.base.errors import AuthcodeError
from server.app import create_app
from server.keystore import ServerKeys
from server.process.privacy import forget_passphrases, hide_process
from server.process.refusals import RefusingChannel
from server.process.restarts import PATIENCE_S, Restarts
from server.settings import Settings
from server.web.metrics import FOLDER_VARIABLE

THREADS = 8
"""Threads of one worker: most of a burn is waiting for the disk."""

_DRAIN_S = 10.0  # what is being answered may finish
_BACKLOG = 1024
_MAX_HEADER_BYTES = 32 * 1024
_POLL_S = 1.0
_CONNECTIONS = 1000  # per worker; waitress stops at 100, which one idle client can take
_IDLE_S = 20  # a connection that sends nothing for so long is closed
_CLEANUP_S = 5

_LOG = logging.getLogger("authcode.serving")
_SPAWN = multiprocessing.get_context("spawn")


class AddressTaken(AuthcodeError):
    """Host and port cannot be listened on."""

    code = "address_taken"
    http_status = 500
    sentence = "Nothing can listen on {host} port {port}: {reason}. Choose another with --host and --port."
    host: str
    port: int
    reason: str


def listen(host: str, port: int) -> socket.socket:
    """The listening socket that all workers share; port 0 lets the system choose.

    Raises:
        AddressTaken: the system refuses.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as refusal:
        listener.close()
        raise AddressTaken(host, port, refusal.strerror or "refused") from None
    return listener


class _Slot:
    """One worker of the server, and its successors."""

    def __init__(self, start: tuple[Settings, ServerKeys, socket.socket]) -> None:
        self._start = start
        self.due: float | None = None
        self.worker = self._spawn()

    def _spawn(self) -> BaseProcess:
        self._served_since: float | None = None
        self._reports, report = _SPAWN.Pipe(duplex=False)
        worker = _SPAWN.Process(target=work, args=(*self._start, report), name="authcode-worker")
        # Inherited: Ctrl-C reaches the whole group, and a worker that is still starting must not handle it itself.
        held = signal.signal(signal.SIGINT, signal.SIG_IGN)
        worker.start()
        signal.signal(signal.SIGINT, held)
        report.close()
        return worker

    def serves(self) -> bool:
        """Whether the worker has reported that it serves."""
        if self._served_since is None:
            with contextlib.suppress(EOFError, OSError):
                if self._reports.poll() and self._reports.recv_bytes():
                    self._served_since = time.monotonic()
        return self._served_since is not None

    def served_s(self) -> float | None:
        """How long it has served, None for never."""
        return time.monotonic() - (self._served_since or 0.0) if self.serves() else None

    def start_again(self) -> None:
        """Put another worker in place of the dead one."""
        self.due = None
        self._reports.close()
        self.worker = self._spawn()

    def events(self) -> list[object]:
        """What to wait for: the report that it serves, and its end."""
        if self.due is not None:
            return []
        return [self.worker.sentinel] if self._served_since is not None else [self.worker.sentinel, self._reports]


class Supervisor:
    """The parent: starts the workers, replaces those that die, and ends them all."""

    def __init__(
        self, settings: Settings, keys: ServerKeys, listener: socket.socket, *, patience_s: float = PATIENCE_S
    ) -> None:
        """Nothing is started yet; `settings.workers` says how many, `patience_s` how long none may begin to serve."""
        self._start, self._number = (settings, keys, listener), settings.workers
        self._slots: list[_Slot] = []
        self._restarts = Restarts(begun=time.monotonic(), patience_s=patience_s)
        self._wake_r, self._wake_w = os.pipe()
        self._stopping = False

    def run(self) -> None:
        """Serve until SIGTERM or Ctrl-C; what is being answered then is finished.

        Raises:
            WorkersFailing: no worker could begin to serve.
        """
        hide_process()
        forget_passphrases()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        with TemporaryDirectory(prefix="authcode-metrics-") as counted:
            os.environ[FOLDER_VARIABLE] = counted  # for the workers, which inherit it
            try:
                for _ in range(self._number):
                    self._slots.append(_Slot(self._start))
                while not self._stopping:
                    events = [event for slot in self._slots for event in slot.events()]
                    wait([self._wake_r, *events], self._next_due())  # type: ignore[list-item]  # `wait` takes descriptors too
                    self._look_after()
            finally:
                self._end_all()
                del os.environ[FOLDER_VARIABLE]  # what this process starts next is none of its workers

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        os.write(self._wake_w, b".")

    def _next_due(self) -> float | None:
        """Seconds until a dead worker is to be started again; None where none waits."""
        due = [slot.due for slot in self._slots if slot.due is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _look_after(self) -> None:
        """Start dead workers again, each after a pause that grows."""
        if any([slot.serves() for slot in self._slots]):  # noqa: C419 - each of them reads its report
            self._restarts.count_served()
        for slot in self._slots:
            if self._stopping:
                return
            if slot.due is None and slot.worker.exitcode is not None:
                pause_s = self._restarts.pause(now=time.monotonic(), served_s=slot.served_s())
                ended = (slot.worker.pid, slot.worker.exitcode)
                _LOG.warning("worker %s ended with status %s; starting another in %.1f s", *ended, pause_s)
                slot.due = time.monotonic() + pause_s
            if slot.due is not None and slot.due <= time.monotonic():
                slot.start_again()

    def _end_all(self) -> None:
        workers = [slot.worker for slot in self._slots]
        for worker in workers:
            worker.terminate()
        deadline = time.monotonic() + 2 * _DRAIN_S
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))
            if worker.exitcode is None:
                worker.kill()
                worker.join()


def work(settings: Settings, keys: ServerKeys, listener: socket.socket, report: Connection) -> None:
    """One worker process: report that it serves, and serve until SIGTERM, or until the parent is gone."""
    hide_process()  # a flag of the program that runs, so each worker sets it again
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent passes it on in order
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    app = create_app(settings, keys)
    worker = _Worker(app, settings, listener)
    signal.signal(signal.SIGTERM, lambda _number, _frame: worker.stop())
    threading.Thread(target=_watch_parent, args=(worker.stop,), daemon=True).start()
    with contextlib.suppress(OSError):  # a parent that is gone is noticed by the watch
        report.send_bytes(b"1")
        report.close()
    try:
        worker.run()
    finally:
        app.extensions["authcode"].close()


class _Worker:
    """waitress with an orderly end: no new connections, answers in progress finished."""

    def __init__(self, app: Flask, settings: Settings, listener: socket.socket) -> None:
        self._sockets: dict[int, wasyncore.dispatcher] = {}
        self._stopping = False
        self._server = create_server(
            app.wsgi_app,
            map=self._sockets,
            sockets=[listener],
            threads=THREADS,
            ident=None,
            clear_untrusted_proxy_headers=False,  # server/web/forwarded.py reads or only counts them
            max_request_body_size=settings.max_upload_bytes + 1,  # the first size that waitress refuses
            max_request_header_size=_MAX_HEADER_BYTES,
            connection_limit=_CONNECTIONS,
            channel_timeout=_IDLE_S,
            cleanup_interval=_CLEANUP_S,
        )
        self._server.channel_class = partial(RefusingChannel, app)

    def stop(self) -> None:
        """Begin to end; safe in a signal handler and in another thread."""
        self._stopping = True
        self._server.pull_trigger()

    def run(self) -> None:
        """Serve until `stop`."""
        while not self._stopping:
            self._turn(_POLL_S)
        self._server.accepting = False
        deadline = time.monotonic() + _DRAIN_S
        while self._busy() and time.monotonic() < deadline:
            self._turn(0.05)
        self._server.task_dispatcher.shutdown()

    def _turn(self, timeout_s: float) -> None:
        wasyncore.loop(timeout=timeout_s, use_poll=True, map=self._sockets, count=1)

    def _busy(self) -> bool:
        channels = list(self._server.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)


def _watch_parent(stop: Callable[[], None]) -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    stop()
    time.sleep(_DRAIN_S + 1)  # an orderly end comes first; a worker that hangs must still release the port
    with contextlib.suppress(OSError):
        os._exit(1)
