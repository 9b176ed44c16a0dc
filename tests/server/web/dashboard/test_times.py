"""Times on the dashboard: each reader's zone with its offset, UTC for programs, the pointer and paper."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.places.time_zone import ZoneUnknown, read_zone, zone_names, zone_of
from server.web.dashboard.times import Times, machine, utc
from tests.server.simulator import Issued, World
from tests.server.web.dashboard.staff import Staff, duplicated

PAGES = ("/staff/alerts", "/staff/alerts/1", "/staff/batches", "/staff/batches/1", "/staff/audit", "/staff/settings")
WINTER = datetime(2026, 1, 31, 23, 30, 5, tzinfo=UTC)
SUMMER = datetime(2026, 7, 31, 23, 30, 5, tzinfo=UTC)


def choose(anna: Staff, zone: str) -> str:
    return anna.submit("/staff/settings", {"zone": zone}, to="/staff/settings/zone")


@pytest.mark.parametrize(
    ("zone", "moment", "said"),
    [
        (None, WINTER, "31 Jan 2026 23:30 UTC"),
        ("UTC", SUMMER, "31 Jul 2026 23:30 UTC"),
        ("Europe/Berlin", WINTER, "1 Feb 2026 00:30 +01:00"),
        ("Europe/Berlin", SUMMER, "1 Aug 2026 01:30 +02:00"),
        ("America/St_Johns", WINTER, "31 Jan 2026 20:00 -03:30"),
        ("Asia/Kathmandu", SUMMER, "1 Aug 2026 05:15 +05:45"),
        ("Africa/Abidjan", WINTER, "31 Jan 2026 23:30 UTC"),
        ("Nowhere/Gone", WINTER, "31 Jan 2026 23:30 UTC"),
        ("../../etc/passwd", WINTER, "31 Jan 2026 23:30 UTC"),
    ],
)
def test_a_moment_is_told_as_the_readers_clock_shows_it(zone: str | None, moment: datetime, said: str) -> None:
    assert Times.of(zone).here(moment) == said


@given(st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)), st.sampled_from(zone_names()))  # noqa: DTZ001
def test_what_is_shown_reads_back_as_the_same_moment(naive: datetime, zone: str) -> None:
    moment = naive.replace(tzinfo=UTC, microsecond=0)
    here = Times.of(zone).here(moment, seconds=True).replace("UTC", "+00:00")
    assert datetime.strptime(here, "%d %b %Y %H:%M:%S %z") == moment
    assert datetime.fromisoformat(machine(moment)) == moment
    assert utc(moment).endswith(" UTC")


@given(st.dates(datetime(1990, 1, 1).date(), datetime(2037, 1, 1).date()), st.sampled_from(zone_names()))  # noqa: DTZ001
def test_a_day_begins_on_that_day_in_the_readers_zone(day: datetime, zone: str) -> None:
    times = Times.of(zone)
    assert times.today(times.begin(day)) == day
    assert times.today(times.begin(day) - timedelta(hours=1)) < day


@pytest.mark.parametrize("name", ["", "Berlin", "europe/berlin", "Etc/GMT+5", "posix/Europe/Berlin", "UTC+1", "/etc"])
def test_only_areas_with_a_city_can_be_chosen(name: str) -> None:
    with pytest.raises(ZoneUnknown):
        read_zone(name)
    assert len(zone_names()) > 300
    assert all(zone_of(known) is not None for known in zone_names())


def test_every_moment_of_every_page_is_written_in_the_chosen_zone_with_utc_beside_it(
    anna: Staff, world: World, issued: Issued
) -> None:
    duplicated(world, issued)
    assert "Times are shown in your zone" in choose(anna, "Asia/Kathmandu")
    for page in PAGES:
        html = anna.open(page).text
        times = re.findall(r"<time([^>]*)>(.*?)</time>", html)
        assert times, page
        for attributes, shown in times:
            assert re.search(r'datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ" title="[^"]+ UTC"', attributes), (page, shown)
            assert "UTC" not in shown, page
            assert re.search(r":\d\d \+05:45|ago|just now|\d{4}</span>", shown), (page, shown)
    assert "anna@example.com: Asia/Kathmandu" in anna.open("/staff/audit?kind=staff.zone").text


def test_a_zone_that_nobody_knows_is_refused_and_changes_nothing(anna: Staff, issued: Issued) -> None:
    assert issued.text(0)
    said = choose(anna, "Mars/Olympus")
    assert "Name a time zone by area and city" in said
    assert 'value="Mars/Olympus"' in said
    assert " UTC</span></time>" in anna.open("/staff/batches/1").text
    assert "Nothing was other than before" in choose(anna, "UTC")


def test_a_snooze_ends_as_the_day_begins_where_staff_are(anna: Staff, world: World, issued: Issued) -> None:
    duplicated(world, issued)
    choose(anna, "Asia/Tokyo")
    day = (world.clock() + timedelta(days=3)).date()
    page = anna.submit("/staff/alerts/1", {"act": "snoozed", "until": day.isoformat()}, to="/staff/alerts/1/work")
    assert "Put off until <time" in page
    assert f"{day:%-d %b %Y} 00:00 +09:00" in page
