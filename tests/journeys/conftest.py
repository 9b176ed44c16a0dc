"""One home in which the demo has told its story, shared by the journeys of a test run."""

import pytest

from tests.journeys.telling import Told, free_port, tell


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A home in which the story was told once."""
    home = tmp_path_factory.mktemp("journey") / "home"
    port = free_port()
    ended = tell(home, port)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return Told(home=home, port=port, output=ended.stdout)
