"""Every limit that one network has: requests, looks, wrong secrets and logins. Pure.

A network is a truncated address (`places/place.py`). Limits on requests, looks and wrong tokens are counted in each
worker's memory and divided by the workers, at least 1; a worker reads one picture of a network at a time, which cannot
be divided. `AUTHCODE_RATE_LIMIT=off` lifts them all. Wrong keep-codes, claims and logins are counted in the database,
where no setting lifts them.

How many units a network and a holder cookie may see the state of in an hour are settings
(`AUTHCODE_UNITS_PER_NETWORK_HOUR`, `AUTHCODE_UNITS_PER_COOKIE_HOUR`). An unknown address has no network and no limit.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

REQUESTS: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "api.look": (600, "minute"),
        "api.verify": (600, "minute"),
        "api.undo": (60, "minute"),
        "api.hand_on": (60, "minute"),
        "api.give": (60, "minute"),
        "api.withdraw": (60, "minute"),
        "api.take": (60, "minute"),
        "api.erase": (60, "minute"),
        "api.photos": (60, "minute"),
        "api.log_proof": (60, "minute"),
        "public.log_proof": (120, "minute"),
        "public.log_consistency": (120, "minute"),
        "api.check": (120, "minute"),
        "api.status": (120, "minute"),
        "station.publish_keys": (600, "minute"),
        "station.put_product": (600, "minute"),
        "station.register": (600, "minute"),
        "station.orders": (600, "minute"),
        "station.order": (600, "minute"),
        "station.act": (600, "minute"),
        "station.withdrawal": (60, "minute"),
        "consumer.look": (600, "minute"),
        "consumer.burn": (120, "minute"),
        "consumer.show_gift": (120, "minute"),
        "consumer.take_gift": (60, "minute"),
        "consumer.check_photo": (60, "minute"),
        "consumer.check_a_proof": (60, "minute"),
        "consumer.show_proof": (120, "minute"),
        "consumer.proof_file": (60, "minute"),
        "dashboard.login": (30, "minute"),
        "dashboard.find_photo": (60, "minute"),
    }
)
"""Requests of one network by endpoint; photos cost CPU."""

LOOKS_BY_SERIAL = 60
"""Looks without a signature that a network has in an hour: typed serials, and links that lost their 8030, together."""

CROWDED_UNITS = 10
"""Units that a household has at hand: a network that looked at more within an hour is a shop's or a carrier's. It is no
limit on anything, so that it is counted with limits off as well, in each worker's share."""

STRAY_ADDRESSES = (60, "minute")
"""Addresses of one network that resemble a code and are none, or a damaged one. Each costs up to eight signatures, half
a millisecond; a carrier whose customers share links that a mail program damaged sends a few in a minute."""

WRONG_TOKENS = (30, "minute")
"""Wrong tokens of one network, of stations and in looks at gifts. Only those are counted and refused: a neighbour's
noise does not stop a station, and no number of guesses finds 256 bits, or a gift's 128."""

TRIES_WINDOW = timedelta(hours=24)
"""How long a wrong keep-code or claim counts."""

WRONG_KEEP_CODES_HERE = 5
"""Wrong keep-codes of one network on one unit in a day. A mistyped one has a wrong check character and costs no try."""

WRONG_KEEP_CODES_OF_UNIT = 100
"""Wrong keep-codes on one unit in a day, from anywhere: twenty networks must join to keep a holder out for a day, and
at this pace half of all 2^55 keep-codes take 10^11 years."""

WRONG_KEEP_CODES_OF_NETWORK = 30
"""Wrong keep-codes of one network in a day (UTC), on any units: at midnight its pseudonym's key is deleted, so a
network may try twice as many around a midnight."""

WRONG_CLAIMS_HERE = 10
"""Wrong claims of one network on one unit in a day, where a claim undoes, hands on or erases; and links of gifts that
none has, where one is taken. A right one never waits: it has 128 bits."""

LOGIN_WINDOW = timedelta(hours=1)
"""How long a refused login counts."""

FREE_LOGINS = 5
"""Refused logins of a network at one account that cost no waiting: people mistype, and try last year's password."""

FREE_LOGINS_OF_NETWORK = 20
"""The same over all accounts: an office shares one network."""
