"""Reading `/metrics`."""

import re
from datetime import UTC, datetime

from server.domain.staff.scope import Scope
from server.services.staff.api_tokens import TokenRequest, new_token
from server.storage.engine import Database


def token(db: Database, *scopes: Scope) -> str:
    wanted = TokenRequest(brand=None, label="prometheus", scopes=scopes, days=1)
    made, _facts = new_token(db, wanted, actor="test", now=datetime.now(UTC))
    return made


def sample(text: str, name: str, **labels: str) -> float:
    """The sum of the samples of a name with these labels."""
    found = re.findall(rf"^{name}\{{(.*)\}} (\S+)$", text, re.MULTILINE)
    wanted = {f'{key}="{value}"' for key, value in labels.items()}
    return sum(float(value) for given, value in found if wanted <= set(re.findall(r'\w+="[^"]*"', given)))
