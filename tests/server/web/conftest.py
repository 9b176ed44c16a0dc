"""A shopper, an order, and an application that renders pages and nothing else."""

from collections.abc import Callable

import pytest
from flask import Flask, render_template

from server.services.brands.settings import BrandSettings, change_settings
from server.services.staff.accounts import Staff
from server.web.consumer.pages import PageMaker
from server.web.consumer.view import Page
from server.web.consumer.words import ShopperCatalogue, catalogues
from tests.server.simulator import CONTACT, Issued, World
from tests.server.web.pages import READ_AT, SITE, Browser


@pytest.fixture(scope="session")
def english() -> ShopperCatalogue:
    return catalogues()["en"]


@pytest.fixture(scope="session")
def maker(english: ShopperCatalogue) -> PageMaker:
    return PageMaker(english, SITE, READ_AT)


@pytest.fixture(scope="session")
def render(english: ShopperCatalogue) -> Callable[[Page], str]:
    """A page as HTML, by the real template."""
    app = Flask(
        "pages", template_folder="../../../server/web/consumer/templates", root_path=__file__.rpartition("/")[0]
    )

    def rendered(page: Page) -> str:
        with app.test_request_context():
            return render_template(
                "consumer/page.html", page=page, catalogue=english, stylesheet="/style/consumer.css", icon="/icon.svg"
            )

    return rendered


@pytest.fixture
def shopper(world: World) -> Browser:
    return Browser(world.client)


@pytest.fixture
def no_cookie_on_look(world: World) -> None:
    """The brand has no cookie set by a look."""
    wanted = BrandSettings(alert_from=2, alert_budget=20, support=CONTACT, cookie_on_look=False)
    staff = Staff(id=1, email="anna@example.com", must_change_password=False, session="s")
    change_settings(world.ctx.db, 1, wanted, staff=staff, now=world.clock.now)


@pytest.fixture
def issued(world: World) -> Issued:
    return world.issue()
