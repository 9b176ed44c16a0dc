"""Every limit that is counted in a worker's memory: its share of the number, and none where limits are off."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from keys.format.records import Form
from server.app import create_app
from server.domain.network_limits import LOOKS_BY_SERIAL, REQUESTS, STRAY_ADDRESSES, WRONG_TOKENS
from server.settings import RateLimit
from tests.server.simulator import World
from tests.server.web.pages import target

WORKERS = 10


def wrong_token(client: FlaskClient, _: str) -> TestResponse:
    return client.get("/api/v1/batches", headers={"Authorization": "Bearer nonsense"})


def typed(client: FlaskClient, _: str) -> TestResponse:
    return client.post("/check/serial", data={"serial": "x"})


def dropped(client: FlaskClient, path: str) -> TestResponse:
    return client.get(path.partition("?")[0])


def stray(client: FlaskClient, path: str) -> TestResponse:
    return client.get(path + ".")


def proof(client: FlaskClient, _: str) -> TestResponse:
    return client.get("/proof/x")


@pytest.mark.parametrize(
    ("ask", "number"),
    [
        (wrong_token, WRONG_TOKENS[0]),
        (typed, LOOKS_BY_SERIAL),
        (dropped, LOOKS_BY_SERIAL),
        (stray, STRAY_ADDRESSES[0]),
        (proof, REQUESTS["consumer.show_proof"][0]),
    ],
)
def test_a_worker_counts_its_share_and_nothing_with_limits_off(
    world: World, ask: Callable[[FlaskClient, str], TestResponse], number: int
) -> None:
    share, path = number // WORKERS, target(world.issue(form=Form.GS1).text(0))

    def refused(limit: RateLimit) -> list[bool]:
        settings = world.settings.model_copy(update={"rate_limit": limit, "workers": WORKERS})
        client = create_app(settings, context=replace(world.ctx, settings=settings)).test_client()
        return [ask(client, path).status_code == 429 for _ in range(share + 1)]

    assert refused(RateLimit.ON) == [False] * share + [True]
    assert not any(refused(RateLimit.OFF))


def test_every_limit_on_requests_is_of_an_endpoint_that_is_there(world: World) -> None:
    assert set(REQUESTS) <= set(world.app.view_functions)
