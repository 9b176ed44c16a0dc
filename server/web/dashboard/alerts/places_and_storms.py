"""What staff read of alerts about places and storms; their thresholds are the rules' own."""

from typing import Final

from server.domain.alerts.alert import Rule
from server.domain.alerts.storm import (
    BURST_ASKERS,
    CROWD_WINDOW,
    LOOKS_IN_STORM,
    OUTSIDE_ASKERS,
    OUTSIDE_PLACES,
    STORM_PLACES,
    TRAVEL_ASKERS,
    TRAVEL_KMH,
    TRAVEL_SLACK_KM,
)
from server.services.queries.dashboard import AlertDetail, AlertRow
from server.web.dashboard.amounts import counted, number

BURST: Final = f"{BURST_ASKERS} networks or more asked for one code within an hour"


def sentence(alert: AlertRow, where: str) -> str:
    """What happened, in plain words that begin small; `where` counts the places."""
    people = counted(alert.people, "person", "people")
    match alert.rule:
        case Rule.OUTSIDE_MARKET:
            return f"{counted(alert.count, 'scan')} of codes outside their markets{where}"
        case Rule.IMPOSSIBLE_TRAVEL:
            return f"one code scanned by {people} too far apart for the time between"
        case Rule.BURST:
            return f"one code that is not verified scanned by {people}{where}, many within an hour"
        case _:
            return f"one code looked at {counted(alert.count, 'time')} in a storm of looks{where}"


def why_it_fired(detail: AlertDetail) -> str:
    """The rule with its threshold and the measured value."""
    asked, places = counted(detail.measured, "visitor"), counted(detail.alert.places, "place")
    match detail.alert.rule:
        case Rule.OUTSIDE_MARKET:
            return (
                f"These codes were activated for certain markets, and {asked} in {places} outside them asked to verify "
                "some. One odd scan is a note, since phones roam and people travel; it is an alert from "
                f"{counted(OUTSIDE_PLACES, 'place')} or {counted(OUTSIDE_ASKERS, 'network')} within "
                f"{CROWD_WINDOW.days} days on."
            )
        case Rule.IMPOSSIBLE_TRAVEL:
            return (
                f"Of {asked}, some asked for the same code in different countries sooner than anybody gets from one to "
                f"the other: at {number(TRAVEL_KMH)} km in an hour, after {number(TRAVEL_SLACK_KM)} km that are taken "
                "off for the size of countries. Two are a note, since a phone that roams seems to be at home; it is an "
                f"alert from {counted(TRAVEL_ASKERS, 'network')} within {CROWD_WINDOW.days} days on."
            )
        case Rule.BURST:
            return f"{BURST}, which nobody has verified: {asked} so far."
        case _:
            return (
                f"The code was looked at {counted(detail.alert.count, 'time')} in hours of a storm, from {places}. It "
                f"is a note from {LOOKS_IN_STORM} looks within an hour on, and an alert where they come from "
                f"{counted(STORM_PLACES, 'known place')}. Looks of its holder and of staff, and of samples and of "
                "recalled or expired goods, are not counted."
            )


def from_networks(detail: AlertDetail) -> str:
    """How many networks the claims of a duplicate came from, where that is known."""
    if detail.networks is None:
        return ""
    told = f" The claims came from {counted(detail.networks, 'network')}"
    many = detail.networks == 1 and detail.measured > 1
    return f"{told}: one phone or program can make up any number of them." if many else f"{told}."
