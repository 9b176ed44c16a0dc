"""Stage 7, alert: places and storms: outside the market, impossible travel, bursts and storms of looks.

Pure, like all rules; event times decide, not arrival. Phones roam, programs ask through other countries,
and without a database of places none is known. False alarms are what wears staff out, so that each rule begins with a
note, or asks for more than one household, shop or script can bring (docs/protocol.md §2 rule 6, ADR 0025).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from server.domain.alerts.alert import Attempt
from server.domain.codes.verdict import Verdict
from server.domain.places.world import nearest_cities_km

OUTSIDE_PLACES = 3
"""Distinct places (country and region) outside the market from which on a note is an alert: one phone that roams is one
place, and so is one traveller's hotel."""

OUTSIDE_ASKERS = 3
"""The same in distinct networks on a day, for goods that all went to one place."""

CROWD_WINDOW = timedelta(days=30)
"""Time within which places and askers add up. Any large batch is scanned by a few travellers over the years."""

TRAVEL_KMH = 1_000
"""Faster than any airliner flies, and airports are not counted."""

TRAVEL_SLACK_KM = 2_500
"""Taken off the distance of two countries' nearest known cities, since people live elsewhere in them: from Kolkata, the
only city known of India, to its far border it is 2,000 km. Neighbours are never too far apart."""

TRAVEL_WINDOW = timedelta(hours=18)
"""Half the earth's circumference, less the slack, at that speed."""

TRAVEL_ASKERS = 3
"""Askers too far apart from which on a note is an alert: two are one family with a phone that roams and a hotel's
network, or one person behind a private network."""

BURST_WINDOW = timedelta(hours=1)
BURST_ASKERS = 20
"""Networks that ask for one code within an hour: no household, shop or chain of owners; a script from one network is
one asker, however many claims it makes up."""

LOOKS_IN_STORM = 200
"""Looks at one code within an hour: twenty people with ten link previews each, one reload every 18 seconds."""

STORM_PLACES = 3
"""Known places from which on a storm of looks is an alert: one script, or one page left open, is one place."""

UNCOUNTED_LOOKS: Final = frozenset(
    {Verdict.SAMPLE, Verdict.RECALLED, Verdict.EXPIRED, Verdict.GENUINE, Verdict.VERIFIED_BY_YOU}
)
"""Verdicts of looks that make no storm: holders' own, samples, and what a recall notice sends people to."""


def contradicts(one: Attempt, other: Attempt) -> bool:
    """Whether no traveller can have carried the pack from one attempt to the other; two of one person never do."""
    here, there = one.place.country, other.place.country
    if here is None or there is None or one.mark == other.mark or one.asker == other.asker:
        return False
    apart = 0.0 if here == there else nearest_cities_km(*sorted((here, there)))
    if apart is None:
        return False
    return abs(one.at - other.at) < timedelta(hours=max(0.0, apart - TRAVEL_SLACK_KM) / TRAVEL_KMH)


def is_burst(attempt: Attempt, around: Sequence[Attempt]) -> bool:
    """Whether too many networks tried the unit within some hour around an attempt, `around` being the other attempts.

    The last to arrive finds it, in any order: attempts on one unit take turns at its counter of the day. On an
    unused unit two of the same moment with different verdicts or days may miss each other; the next one finds them.
    """
    near = [one for one in (attempt, *around) if abs(one.at - attempt.at) <= BURST_WINDOW]
    if len({one.asker for one in near}) < BURST_ASKERS:
        return False
    begins = {one.at for one in near if one.at <= attempt.at}
    return any(
        len({one.asker for one in near if begin <= one.at <= begin + BURST_WINDOW}) >= BURST_ASKERS for begin in begins
    )


def begins_storm(total: int, added: int) -> bool:
    """Whether the looks `added` last made the hour's `total` a storm; they alone are new where it was one before."""
    return total - added < LOOKS_IN_STORM
