"""A member of staff at a browser."""

import re

from tests.server.simulator import Issued, World
from tests.server.web.pages import Browser, hidden

EMAIL = "anna@example.com"
ONE_TIME = "one-time-pass-word"
OWN = "a long walk along the river"


class Staff(Browser):
    """A member of staff at a browser: forms are sent with the token of their page, and tests follow by themselves."""

    follows = False

    def submit(self, page: str, form: dict[str, object], to: str | None = None) -> str:
        token = hidden(self.open(page).text)["csrf_token"]
        answer = self.send(to or page, {"csrf_token": token, **form})
        return self.follow(answer.location) if answer.location else answer.text

    def follow(self, location: str) -> str:
        return self.open(location).text

    def log_in(self) -> str:
        self.submit("/staff/login", {"email": EMAIL, "password": ONE_TIME})
        return self.submit("/staff/password", {"old": ONE_TIME, "new": OWN, "again": OWN})


def duplicated(world: World, issued: Issued, others: int = 3) -> None:
    world.verdict(issued.text(0), "the-first")
    for number in range(others):
        world.clock.forward(hours=1)
        world.verdict(issued.text(0), f"another-{number}")


def numbers(anna: Staff) -> list[int]:
    """The alerts of the list, oldest first: databases leave gaps between their numbers."""
    return sorted({int(n) for n in re.findall(r'/staff/alerts/(\d+)"', anna.open("/staff/alerts?view=all").text)})


def work(anna: Staff, number: int = 1, **form: object) -> str:
    return anna.submit(f"/staff/alerts/{number}", dict(form), to=f"/staff/alerts/{number}/work")
