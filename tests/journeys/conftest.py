"""One home in which the demo has told its story, shared by the journeys of a test run."""

import pytest

from tests.journeys.story import Told, free_port, tell, tell_and_stay


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A home in which the story was told once."""
    home = tmp_path_factory.mktemp("journey") / "home"
    port = free_port()
    ended = tell(home, port)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return Told(home=home, port=port, output=ended.stdout)


@pytest.fixture(scope="session")
def told_again(told: Told) -> Told:
    """The same home after a second run, whose codes lead to an address that a phone in the network could open.

    This one left its server running, as `make demo` does, and was ended by a signal.
    """
    return tell_and_stay(told.home, told.port, "--url", "http://192.0.2.20:8470")
