"""Harvesting replayed: whoever looks at many codes, or often at one, is not told which are still unused."""

import tracemalloc
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
import qrcode
from werkzeug.test import TestResponse

from keys.format.records import Form
from server.app import create_app
from server.domain.alerts.alert import AlertFilter
from server.runtime import look_limits
from server.runtime.look_limits import LookLimits
from server.services.queries.alerts import alerts
from server.settings import RateLimit, Settings
from server.web.visit import HOLDER_COOKIE
from tests.server.services.holders.guesses import wrong
from tests.server.simulator import START, Issued, MakeWorld, World

HOME, ELSEWHERE = "203.0.113.9", "198.51.100.7"
UNUSED = "unused so far"


def with_limits(world: World, **changes: int) -> World:
    settings = world.settings.model_copy(update={"rate_limit": RateLimit.ON, **changes})
    world.ctx = replace(world.ctx, settings=settings, look_limits=LookLimits.of(settings))
    world.app = create_app(settings, context=world.ctx)
    return world


@pytest.fixture
def limited(world: World) -> World:
    """With 30 units for a network, so that few codes show what happens beyond it."""
    return with_limits(world, units_per_network_hour=30)


@pytest.fixture
def by_default(world: World) -> World:
    return with_limits(world)


def look(world: World, text: str, address: str = HOME) -> dict[str, object]:
    answer = world.client.post("/api/v1/look", json={"code": text}, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.get_json()
    return told


def page(world: World, text: str, address: str = HOME, *, cookie: str | None = None) -> TestResponse:
    path, client = "/" + text.split("/", 3)[3], world.client
    if cookie is not None:
        client.set_cookie(HOLDER_COOKIE, cookie, domain="v.example.com", secure=True)
    return client.get(path, base_url="https://v.example.com", environ_base={"REMOTE_ADDR": address})


def test_a_network_learns_of_so_many_units_in_an_hour_which_are_unused(limited: World) -> None:
    issued = limited.issue(count=40)
    for index in range(0, 40, 2):
        limited.verdict(issued.text(index), f"buyer-{index}")
    states = [look(limited, issued.text(index))["state"] for index in range(40)]
    assert states == ["already_verified", "unused"] * 15 + ["withheld"] * 10
    used, unused = (look(limited, issued.text(index)) for index in (38, 39))
    assert used | {"serial": None} == unused | {"serial": None}
    assert used["product"] is not None
    assert look(limited, issued.text(0))["state"] == "already_verified"
    assert look(limited, issued.text(39), ELSEWHERE)["state"] == "unused"
    limited.clock.forward(hours=1)
    assert look(limited, issued.text(39))["state"] == "unused"


def test_a_unit_is_told_of_twenty_times_a_day_whoever_asks(limited: World) -> None:
    text = limited.issue().text(0)
    states = [look(limited, text, f"10.0.{number}.1")["state"] for number in range(21)]
    assert states == ["unused"] * 20 + ["withheld"]
    limited.clock.forward(hours=12)
    assert look(limited, text)["state"] == "unused"


def test_prefetches_and_heads_use_nothing_up_and_are_told_nothing(limited: World) -> None:
    issued = limited.issue()
    limited.verdict(issued.text(1), "the-buyer")
    path = "/" + issued.text(0).split("/", 3)[3]
    for number in range(40):
        for method, headers in (("HEAD", {}), ("GET", {"Sec-Purpose": "prefetch"})):
            answer = limited.client.open(
                path,
                method=method,
                headers=headers,
                base_url="https://v.example.com",
                environ_base={"REMOTE_ADDR": f"10.0.{number}.1"},
            )
            assert answer.status_code == 200
            assert "unused so far" not in answer.text
    assert "unused so far" in page(limited, issued.text(0)).text


def test_without_limits_a_prefetch_is_told_what_everybody_is_told(world: World) -> None:
    path = "/" + world.issue().text(0).split("/", 3)[3]
    assert "unused so far" in world.client.get(path, headers={"Sec-Purpose": "prefetch"}).text


def worn_out(world: World) -> Issued:
    issued = world.issue()
    world.verdict(issued.text(1), "the-buyer")
    for index in (0, 1):
        for number in range(20):
            look(world, issued.text(index), f"10.0.{number}.1")
    return issued


def test_a_page_that_withholds_shows_the_product_and_the_button_for_used_and_unused_alike(limited: World) -> None:
    issued = worn_out(limited)
    pages = [page(limited, issued.text(index)).text for index in (0, 1)]
    for html in pages:
        assert "Spring Tea" in html
        assert "I have bought this" in html
        assert "whether it was verified before" in html
    assert len(pages[0]) == len(pages[1])


def test_a_photo_withholds_too(limited: World) -> None:
    issued = worn_out(limited)
    stream = BytesIO()
    qrcode.make(issued.text(1)).save(stream, "PNG")
    answer = limited.client.post("/api/v1/photos", data={"photo": (BytesIO(stream.getvalue()), "photo.png")})
    assert [symbol["state"] for symbol in answer.get_json()["symbols"]] == ["withheld"]
    shown = limited.client.post("/check/photo", data={"photo": (stream, "photo.png")}) if not stream.seek(0) else None
    assert shown is not None
    assert "whether it was verified before" in shown.text


def test_verifying_is_never_limited_and_its_holder_is_told(limited: World) -> None:
    issued = worn_out(limited)
    assert limited.verdict(issued.text(0), "late-buyer") == "genuine"
    assert limited.verdict(issued.text(1), "somebody") == "already_verified"
    buyer = limited.client
    path, site = "/" + issued.text(2).split("/", 3)[3], "https://v.example.com"
    html = buyer.get(path, base_url=site).text
    form = {name: html.split(f'name="{name}" value="')[1].split('"')[0] for name in ("token", "claim")}
    buyer.post(path, data=form, base_url=site)
    for number in range(25):
        look(limited, issued.text(2), f"10.0.{number}.1")
    assert "whether it was verified before" in page(limited, issued.text(2)).text
    assert "You are the first" in buyer.get(path, base_url=site).text


def test_keep_codes_tell_no_more_than_looks_do(limited: World) -> None:
    """A wrong keep-code is answered as a look is, and counted with the looks; then its tries end, used or not."""
    issued = limited.issue(count=80)
    for index in range(0, 80, 2):
        limited.verdict(issued.text(index), f"buyer-{index}")
    for index in range(20):
        look(limited, issued.text(79 - index))

    def guess(index: int) -> dict[str, object]:
        body = {"code": issued.text(index), "keep_code": wrong(index)}
        answer = limited.client.post("/api/v1/verify", json=body, environ_base={"REMOTE_ADDR": HOME})
        told: dict[str, object] = answer.get_json()
        return {"verdict": answer.status_code} | told

    answers = [guess(index) for index in range(40)]
    told = [answer["verdict"] for answer in answers]
    assert told == ["already_verified", "unused"] * 5 + ["withheld"] * 20 + [429] * 10
    assert answers[28] | {"serial": None} == answers[29] | {"serial": None}


def test_a_page_answers_a_wrong_keep_code_alike_for_used_and_unused(limited: World) -> None:
    issued = worn_out(limited)

    def entered(index: int) -> TestResponse:
        path = "/" + issued.text(index).split("/", 3)[3]
        return limited.client.post(path, data={"keep_code": wrong(1)}, base_url="https://v.example.com")

    unused, used = entered(0), entered(1)
    assert (unused.status_code, used.status_code) == (200, 200)
    assert len(unused.text) == len(used.text)
    for answer in (unused, used):
        assert "or it was handed on" in answer.text
        assert "I have bought this" in answer.text


def test_who_verified_is_not_left_with_a_button_that_makes_them_a_suspect(limited: World) -> None:
    """On another phone, while the line is withheld: the keep-code is taken there, and no duplicate is recorded."""
    issued = worn_out(limited)
    bought = limited.ask(issued.text(1), "the-buyer").get_json()
    html = page(limited, issued.text(1)).text
    assert "whether it was verified before" in html
    assert 'id="keep"' in html
    assert 'href="#keep"' in html
    path = "/" + issued.text(1).split("/", 3)[3]
    mine = limited.client.post(path, data={"keep_code": bought["keep_code"]}, base_url="https://v.example.com").text
    assert "You verified this code" in mine
    assert alerts(limited.ctx, AlertFilter()).rows == ()


def test_what_a_pack_is_warned_of_is_never_withheld(limited: World) -> None:
    text = limited.issue(activate=False).text(0)
    assert {look(limited, text)["state"] for _ in range(25)} == {"not_activated"}


def test_the_numbers_are_settings_divided_by_the_workers_and_lifted_with_the_other_limits(world: World) -> None:
    def told(**changes: object) -> int:
        limits = LookLimits.of(Settings(home=world.settings.home, **changes))  # type: ignore[arg-type]
        return sum(limits.may_tell(7, f"10.0.{number}.1", now=START) for number in range(100))

    assert told() == 20
    assert told(workers=4) == 5
    assert told(looks_per_unit_day=3, workers=64) == 1
    assert told(rate_limit="off") == 100


def test_the_numbers_of_a_network_and_of_a_cookie_are_settings_too(world: World) -> None:
    def told(cookie: str | None, **changes: object) -> int:
        limits = LookLimits.of(Settings(home=world.settings.home, **changes))  # type: ignore[arg-type]
        return sum(limits.may_tell(number, HOME, cookie=cookie, now=START) for number in range(1_000))

    assert (told(None), told("c" * 64)) == (600, 30)
    assert (told(None, workers=4), told("c" * 64, workers=4)) == (150, 7)
    assert (told(None, units_per_network_hour=9), told("c" * 64, units_per_cookie_hour=3)) == (9, 3)
    assert (told("c" * 64, units_per_network_hour=9), told("c" * 64, workers=64)) == (9, 1)
    assert told("c" * 64, rate_limit="off") == 1_000


class TestAFlood:
    """Of units, networks and cookies, each look with new ones: it fills no memory, and has nobody else forgotten."""

    def flood(self, limits: LookLimits, looks: int, *, networks: int = 65_536) -> None:
        for number in range(looks):
            address = f"10.{number % networks // 256}.{number % 256}.1"
            limits.may_tell(1_000 + number, address, cookie=f"{number:064x}", now=START)

    def test_it_takes_fourteen_megabytes_of_a_worker_at_most(self) -> None:
        tracemalloc.start()
        try:
            self.flood(LookLimits(looks_per_unit=20, units_per_network=600, units_per_cookie=30), 5_000)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 14e6  # in fixed room, so that 5,000 looks take what 5,000,000 do

    def test_it_gives_no_thief_a_used_up_hour_again_and_takes_no_shop_its_units(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, room in (("MAX_UNITS", 512), ("MAX_VISITORS", 512), ("MAX_UNITS_OF_VISITORS", 4_096)):
            monkeypatch.setattr(look_limits, name, room)
        limits = LookLimits(looks_per_unit=20, units_per_network=60, units_per_cookie=30)
        assert sum(limits.may_tell(number, HOME, cookie="c" * 64, now=START) for number in range(60)) == 30
        assert sum(limits.may_tell(number, HOME, now=START) for number in range(60)) == 60
        worn = [limits.may_tell(900, f"198.51.{number}.1", now=START) for number in range(30)]
        assert sum(worn) == 20
        self.flood(limits, 20_000)
        assert not any(limits.may_tell(number, HOME, now=START) for number in range(100, 200))
        assert not limits.may_tell(50, "192.0.2.1", cookie="c" * 64, now=START)
        assert not limits.may_tell(900, "192.0.2.1", now=START)

    def test_looks_that_are_told_nothing_leave_nothing_behind(self) -> None:
        """Else a code whose looks are used up, or a network whose hour is, would be the cheapest of floods."""
        limits = LookLimits(looks_per_unit=2, units_per_network=1, units_per_cookie=1)
        assert limits.may_tell(1, HOME, now=START)
        assert not any(limits.may_tell(2, HOME, cookie=f"{number:064x}", now=START) for number in range(9))
        assert limits.may_tell(2, ELSEWHERE, cookie="0" * 64, now=START)
        assert limits.may_tell(2, "192.0.2.1", now=START)
        assert not limits.may_tell(2, "192.0.3.1", now=START)


class TestNobodyHonest:
    """Who looks at codes in a shop, at home and on the road is answered."""

    def test_sixty_shoppers_behind_a_shops_address_are_all_answered(self, by_default: World) -> None:
        issued = by_default.issue(count=90)
        packs = iter(range(90))
        for shopper in range(60):
            with_cookie = {} if shopper % 3 else {"cookie": f"{shopper:064x}"}
            for _ in range(1 + shopper % 2):
                assert UNUSED in page(by_default, issued.text(next(packs)), **with_cookie).text

    def test_four_hundred_shoppers_behind_a_carriers_address_are_all_answered(self, by_default: World) -> None:
        issued = by_default.issue(count=534)
        states = [look(by_default, issued.text(number))["state"] for number in range(534)]  # every third looks twice
        assert states == ["unused"] * 534

    def test_an_address_that_nobody_can_read_shares_no_limit(self, by_default: World) -> None:
        issued = by_default.issue(count=700)
        limits = by_default.ctx.look_limits
        assert all(limits.may_tell(number, None, now=START) for number in range(5_000))
        assert not limits.is_crowded(None, now=START)
        assert look(by_default, issued.text(699), "unknown")["state"] == "unused"

    def test_a_household_is_no_crowd_and_a_shop_is(self, by_default: World) -> None:
        limits = by_default.ctx.look_limits
        for number in range(10):
            limits.may_tell(number, "203.0.113.1", now=START)
            limits.may_tell(number, "203.0.113.2", now=START)
        assert not limits.is_crowded(HOME, now=START)
        limits.may_tell(10, "203.0.113.3", now=START)
        assert limits.is_crowded(HOME, now=START)
        assert not limits.is_crowded(ELSEWHERE, now=START)

    @pytest.mark.parametrize(("workers", "household"), [(1, 10), (4, 2), (64, 1)])
    @pytest.mark.parametrize("rate_limit", ["on", "off"])
    def test_a_crowd_is_counted_by_a_sliding_hour_in_each_workers_share_and_without_limits_too(
        self, world: World, workers: int, household: int, rate_limit: str
    ) -> None:
        settings = Settings(home=world.settings.home, workers=workers, rate_limit=RateLimit(rate_limit))
        limits, late = LookLimits.of(settings), START + timedelta(minutes=55)
        for number in range(household):
            limits.may_tell(number, HOME, now=late)
            limits.may_tell(number, HOME, now=late + timedelta(minutes=1))
        assert not limits.is_crowded(HOME, now=late + timedelta(minutes=1))
        over = late + timedelta(minutes=20)  # of another hour of the clock
        limits.may_tell(household, HOME, now=over)
        assert limits.is_crowded(HOME, now=over)
        assert limits.is_crowded(HOME, now=late + timedelta(minutes=61))
        assert not limits.is_crowded(HOME, now=late + timedelta(minutes=62))


def test_a_cookie_learns_of_thirty_units_and_one_that_is_dropped_leaves_the_networks_six_hundred() -> None:
    limits = LookLimits(looks_per_unit=20, units_per_network=600, units_per_cookie=30)
    told = [limits.may_tell(number, HOME, cookie="c" * 64, now=START) for number in range(40)]
    assert told == [True] * 30 + [False] * 10
    assert limits.may_tell(39, HOME, now=START)
    dropped = [limits.may_tell(number, HOME, now=START) for number in range(1_000, 2_000)]
    made_up = [limits.may_tell(number, HOME, cookie=f"{number:064}", now=START) for number in range(2_000, 2_100)]
    assert sum(dropped) == 600 - 31
    assert not any(made_up)
    assert limits.may_tell(0, HOME, cookie="c" * 64, now=START)


def test_a_link_without_its_signature_is_limited_like_a_typed_serial(make_world: MakeWorld) -> None:
    world = make_world()
    settings = world.settings.model_copy(update={"rate_limit": RateLimit.ON})
    link = world.issue(form=Form.GS1).text(0)
    client = create_app(settings, context=world.ctx).test_client()
    path, whole = "/" + link.split("/", 3)[3].partition("?")[0], "/" + link.split("/", 3)[3]

    def statuses(times: int) -> list[int]:
        return [client.get(f"{path}?utm={number}").status_code for number in range(times)]

    assert statuses(59) == [200] * 59
    assert client.post("/check/serial", data={"serial": "x"}).status_code == 400
    assert statuses(2) == [429, 429]
    assert client.post("/check/serial", data={"serial": "x"}).status_code == 429
    assert client.post(path, data={}).status_code == 429
    assert client.get(whole).status_code == 200


def test_a_link_without_its_signature_has_to_name_the_product_of_its_batch(world: World) -> None:
    link, short = world.issue(form=Form.GS1), world.issue()
    path = "/" + link.text(0).split("/", 3)[3].partition("?")[0]
    assert "Spring Tea" in world.client.get(path).text
    other = path.replace("09506000134352", "04006381333931")
    for odd in (other, f"/01/09506000134352/21/{short.codes[0].serial}"):
        html = world.client.get(odd).text
        assert "We don&#39;t recognise this code" in html
        assert "Spring Tea" not in html
