"""How long a network that was refused has to wait before its next login. Pure.

Counted by account and network, and by network over all accounts: a stranger slows down their own network only and
cannot lock staff out. Guesses from very many networks are limited by the length of a password (12 characters at least)
and the cost of checking one.
"""

from datetime import datetime, timedelta

from server.domain.network_limits import FREE_LOGINS, FREE_LOGINS_OF_NETWORK

LONGEST_WAIT = timedelta(minutes=1)
"""Behind a shared address other people's guesses cost staff a minute, not the day."""


def wait_before_login(*, here: int, of_network: int, last: datetime | None, now: datetime) -> timedelta:
    """What is left to wait: after the free tries 2, 4, 8 ... seconds since the last refused login.

    Args:
        here: logins refused to this network at this account within `LOGIN_WINDOW`.
        of_network: those refused to this network at any account.
        last: the latest of the latter.
        now: the present time.
    """
    over = max(here - FREE_LOGINS, of_network - FREE_LOGINS_OF_NETWORK)
    if over < 0 or last is None:
        return timedelta()
    wait = min(LONGEST_WAIT, timedelta(seconds=2 ** min(over + 1, 10)))
    return max(timedelta(), min(wait, last + wait - now))  # a clock that was set back adds nothing
