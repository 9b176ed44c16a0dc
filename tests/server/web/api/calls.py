"""Requests of a print station."""
# ruff: noqa: ANN401 - answers of the test client

import json
from typing import Any

import sqlalchemy as sa

from server.domain.staff.scope import Scope
from server.services.staff.api_tokens import new_token
from server.storage import schema
from tests.server.simulator import World

JSON = "application/json"


def made(world: World, *scopes: Scope, **changes: Any) -> str:
    asked = {"brand": "Example Tea", "label": "press-1", "days": 30, "actor": "anna"} | changes
    return new_token(world.ctx.db, scopes=scopes or list(Scope), now=world.clock.now, **asked)[0]


def send(world: World, method: str, path: str, token: str | None, body: object = None, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    asked = {"content_type": JSON, "headers": headers, "data": data} | more
    return world.client.open(f"/api/v1{path}", method=method, **asked)


def everything(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table; the day of a token's use apart, which is no state of a code."""
    with world.ctx.db.read() as connection:
        return {
            name: [tuple(row) for row in connection.execute(sa.select(table)).all()]
            for name, table in schema.metadata.tables.items()
            if name != "api_token"
        }


def refusal(answer: Any) -> tuple[int, str]:
    assert answer.mimetype == "application/problem+json", answer.text
    return answer.status_code, answer.get_json()["code"]
