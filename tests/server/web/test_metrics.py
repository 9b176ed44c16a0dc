"""What a server tells of itself to whoever watches it."""

import http.client
import json

import pytest

from server.domain.staff.scope import Scope
from tests.server.processes import serving
from tests.server.simulator import MakeWorld, World
from tests.server.web.metrics import sample, token


def test_routes_and_verdicts_are_counted_and_no_code_is_named(world: World) -> None:
    headers = {"Authorization": f"Bearer {token(world.ctx.db, Scope.METRICS)}"}
    before = world.client.get("/metrics", headers=headers).text
    issued = world.issue()
    path = "/" + issued.text(0).split("/", 3)[3]
    assert world.client.get(path, headers={"Sec-Purpose": "prefetch"}).status_code == 200
    assert world.verdict(issued.text(0), "anna") == "genuine"
    assert world.verdict(issued.text(0), "ben") == "already_verified"
    assert world.state(issued.text(1)) == "unused"
    world.client.open(path, method="BREW")
    after = world.client.get("/metrics", headers=headers).text

    def grew(name: str, **labels: str) -> float:
        return sample(after, name, **labels) - sample(before, name, **labels)

    assert grew("authcode_answers_total", asked="verify", said="genuine") == 1
    assert grew("authcode_answers_total", asked="verify", said="already_verified") == 1
    assert grew("authcode_answers_total", asked="look", said="unused") == 2
    assert grew("authcode_http_requests_total", method="GET", route="/<code>", status="200") == 1
    assert grew("authcode_http_requests_total", method="other") == 1
    assert grew("authcode_http_request_seconds_count", route="/api/v1/verify") == 2
    assert issued.text(0)[-40:].lower() not in after.lower()
    assert "BREW" not in after


@pytest.mark.parametrize(("scopes", "status"), [((), 401), ((Scope.READ,), 403), ((Scope.METRICS,), 200)])
def test_volumes_are_told_to_nobody_without_the_scope(world: World, scopes: tuple[Scope, ...], status: int) -> None:
    headers = {"Authorization": f"Bearer {token(world.ctx.db, *scopes)}"} if scopes else {}
    answer = world.client.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert (b"authcode_http_requests_total" in answer.data) is (status == 200)


def test_whichever_worker_is_asked_answers_for_all(make_world: MakeWorld) -> None:
    world = make_world()
    issued = world.issue()
    made = token(world.ctx.db, Scope.METRICS)
    with serving(world.settings.home, workers=2, rate_limit="off") as running:
        host = running.address.removeprefix("http://")
        for number in range(1, 13):
            for method, path in (("POST", "/api/v1/look"), ("GET", "/metrics")):
                # A connection each: whichever worker is free takes it.
                connection = http.client.HTTPConnection(host, timeout=30)
                headers = {"Content-Type": "application/json", "Authorization": f"Bearer {made}"}
                connection.request(method, path, body=json.dumps({"code": issued.text(0)}), headers=headers)
                told = str(connection.getresponse().read(), "utf-8")
                connection.close()
            assert sample(told, "authcode_answers_total", asked="look", said="unused") == number
