"""What can go wrong between us and a server. No message carries a token, a code or what was sent."""

from pathlib import Path

from keys.base.errors import AuthcodeError


class ServerUnreachable(AuthcodeError):
    """Nobody answers at the server's address, or not in time."""

    code = "server_unreachable"
    http_status = 502

    def __init__(self, server: str, reason: str) -> None:
        """Carry the address as given and the reason, never what was asked."""
        super().__init__(
            f"the server {server} cannot be reached ({reason}); check the address and whether it runs, then try again"
        )
        self.server, self.reason = server, reason


class ServerNotTrusted(AuthcodeError):
    """What answers at the server's address cannot prove that it is that server; nothing was sent."""

    code = "server_not_trusted"
    http_status = 502

    def __init__(self, server: str, reason: str) -> None:
        """Carry the address and the reason of the TLS library."""
        super().__init__(
            f"{server} does not prove who it is ({reason}), and nothing was sent; check the address, or name the "
            "certificate of an authority of your own with SSL_CERT_FILE"
        )
        self.server, self.reason = server, reason


class ServerAnswerUnusable(AuthcodeError):
    """A server answered, but not as the API of an authcode server does."""

    code = "server_answer_unusable"
    http_status = 502

    def __init__(self, server: str, status: int) -> None:
        """Carry the address as given and the HTTP status."""
        super().__init__(f"{server} answered with status {status}, not as an authcode server; check the address")
        self.server, self.status = server, status


class ServerUrlInvalid(AuthcodeError):
    """What was named as a server is more or less than scheme, host and port; nothing was sent."""

    code = "server_url_invalid"

    def __init__(self, reason: str) -> None:
        """Carry the `reason`, a clause; the address may hold a password and is not repeated."""
        super().__init__(f"nothing is sent to this address: {reason}; write it as https://v.example.com")
        self.reason = reason


class TlsRequired(AuthcodeError):
    """A server beyond this machine is named by plain HTTP; nothing was sent."""

    code = "tls_required"

    def __init__(self, server: str) -> None:
        """Carry scheme, host and port of the address."""
        super().__init__(
            f"nothing was sent to {server}: without TLS everyone on the way could read and change it; put TLS in front "
            "of that server and write its address with https://"
        )
        self.server = server


class ServerRefused(AuthcodeError):
    """A server said no; `code` and `http_status` of an instance are those of its answer."""

    code = "server_refused"

    def __init__(self, server: str, *, code: str, status: int, detail: str) -> None:
        """Carry the server's own code, status and sentence."""
        super().__init__(f"{server} refused: {detail}")
        self.server, self.detail = server, detail
        self.code = code  # type: ignore[misc]  # scripts go by the code of the server that decided
        self.http_status = status  # type: ignore[misc]  # the same


class TokenNotGiven(AuthcodeError):
    """No token was given, or what was given is none."""

    code = "token_not_given"
    http_status = 401

    def __init__(self, reason: str) -> None:
        """Carry the `reason`, a clause that never holds the token."""
        super().__init__(
            f"{reason}; name a file with AUTHCODE_TOKEN_FILE that holds what `authcode token new` printed there"
        )
        self.reason = reason


class TokenFileReadable(AuthcodeError):
    """A file with a token is open to others than its owner."""

    code = "token_file_readable"

    def __init__(self, path: Path, mode: int) -> None:
        """Carry the `path` and its permission bits `mode`."""
        super().__init__(f"token file {path} is open to others (mode {mode:04o}); run `chmod 600 {path}`")
        self.path, self.mode = path, mode
