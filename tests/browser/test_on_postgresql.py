"""What a buyer keeps and a holder does, once more with the records in PostgreSQL: real Chromium, real server."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import test_holders, test_receipts
from tests.browser.conftest import SETTINGS, Person
from tests.browser.house import House, build_small, serving
from tests.postgres import Cluster

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ORDER = "SPRING-24"


@pytest.fixture(scope="module")
def house(browser: Browser, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Needs the browser first, so that nothing is built where the tests are skipped."""
    assert browser.is_connected()
    with cluster.database() as name:
        records = {"AUTHCODE_DATABASE_URL": cluster.url(name)}
        built = build_small(tmp_path_factory.mktemp("browser-postgresql") / "home", ORDER, 4, **records)
        with serving(built, **SETTINGS, **records):
            yield built
        assert cluster.run("SELECT count(*) FROM redemption", database=name) == [(5,)]
    assert not (built.home / "server" / "authcode.db").exists()


def test_the_journeys_of_buyers_and_holders_on_postgresql(person: Person, house: House) -> None:
    kept, given, erased, undone = (house.page(ORDER, index) for index in range(4))
    test_receipts.test_verified_in_one_profile_and_proven_in_another(person, kept)
    test_holders.test_a_gift_is_handed_on_and_proven_in_the_next_owners_browser(person, given)
    test_holders.test_a_holder_has_it_erased_after_reading_what_stays(person, erased)
    test_holders.test_a_mistake_is_undone_and_the_next_one_reads_that_it_was(person, undone, script=False)
