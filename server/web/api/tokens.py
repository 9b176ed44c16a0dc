"""Who may act over the network: a bearer token in the Authorization header (RFC 6750), and nowhere else."""

from flask import Response, request

from server.domain.staff.scope import Scope
from server.services.staff.api_tokens import (
    Station,
    TokenExpired,
    TokenRefused,
    TokenRevoked,
    TokenScopeMissing,
    TokenUnknown,
    admit,
)
from server.web.limits import refuse_more_wrong_tokens
from server.web.problem import problem
from server.web.visit import context


def station_with(scope: Scope) -> Station:
    """The station whose token came with this request.

    Raises:
        TokenRefused: it brings none, or one that opens nothing here.
        TooManyRequests: too many wrong ones came from its network.
    """
    ctx, sent = context(), request.authorization
    presented = sent.token if sent is not None and sent.type == "bearer" else None
    try:
        return admit(ctx.db, presented, scope, now=ctx.clock())
    except (TokenUnknown, TokenExpired, TokenRevoked):
        refuse_more_wrong_tokens()
        raise


def refused(error: TokenRefused) -> Response:
    """The problem document with the challenge that RFC 6750 §3 asks for."""
    challenge = 'Bearer realm="authcode"'
    if error.bearer_error is not None:
        challenge += f', error="{error.bearer_error}"'
    if isinstance(error, TokenScopeMissing):
        challenge += f', scope="{error.scope}"'
    answer = problem(error.http_status, error.code, str(error))
    answer.headers["WWW-Authenticate"] = challenge
    return answer
