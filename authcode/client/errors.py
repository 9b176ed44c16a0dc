"""Errors of requests to a server. No message carries a token, a code or the content of a request."""

from pathlib import Path

from keys.base.errors import AuthcodeError


class ServerUnreachable(AuthcodeError):
    """There is no answer from the server's address, or not in time."""

    code = "server_unreachable"
    http_status = 502
    sentence = "the server {server} cannot be reached ({reason}); check the address and whether it runs, then try again"
    server: str
    reason: str


class ServerNotTrusted(AuthcodeError):
    """The host at the server's address cannot prove that it is that server; nothing was sent."""

    code = "server_not_trusted"
    http_status = 502
    sentence = (
        "{server} does not prove who it is ({reason}), and nothing was sent; check the address, or name the "
        "certificate of an authority of your own with SSL_CERT_FILE"
    )
    server: str
    reason: str


class ServerAnswerUnusable(AuthcodeError):
    """A server answered, but not as the API of an authcode server does."""

    code = "server_answer_unusable"
    http_status = 502
    sentence = "{server} answered with status {status}, not as an authcode server; check the address"
    server: str
    status: int


class ServerUrlInvalid(AuthcodeError):
    """A server is named by something else than scheme, host and port; nothing was sent."""

    code = "server_url_invalid"
    sentence = "nothing is sent to this address: {reason}; write it as https://v.example.com"
    reason: str


class TlsRequired(AuthcodeError):
    """A server beyond this machine is named by plain HTTP; nothing was sent."""

    code = "tls_required"
    sentence = (
        "nothing was sent to {server}: without TLS everyone on the way could read and change it; put TLS in front of "
        "that server and write its address with https://"
    )
    server: str


class ServerRefused(AuthcodeError):
    """A server refused; `code` and `http_status` of an instance are those of its answer."""

    code = "server_refused"
    sentence = "{server} refused: {detail}"
    server: str
    detail: str

    def __init__(self, server: str, *, code: str, status: int, detail: str) -> None:
        """Take the server's own code, status and sentence: scripts go by what the server decided."""
        super().__init__(server, detail)
        # Elsewhere both belong to the class; here the server decides them.
        self.code = code  # type: ignore[misc]
        self.http_status = status  # type: ignore[misc]


class TokenNotGiven(AuthcodeError):
    """No token was given, or the given text is none."""

    code = "token_not_given"
    http_status = 401
    sentence = "{reason}; name a file with AUTHCODE_TOKEN_FILE that holds what `authcode token new` printed there"
    reason: str


class TokenFileReadable(AuthcodeError):
    """A file with a token is open to others than its owner."""

    code = "token_file_readable"
    sentence = "token file {path} is open to others (mode {mode:04o}); run `chmod 600 {path}`"
    path: Path
    mode: int
