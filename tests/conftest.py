"""What all rooms share: one PostgreSQL server for the whole run, started by the first test that asks for it."""

from pathlib import Path

import pytest

from tests import postgres

_FOLDER = pytest.StashKey[Path]()
_NAME = "authcode_postgres"


def pytest_configure(config: pytest.Config) -> None:
    """The process that people start names the server's folder; workers of pytest-xdist are told of it."""
    told = getattr(config, "workerinput", None)
    config.stash[_FOLDER] = Path(told[_NAME]) if told else postgres.new_folder()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: pytest.Item) -> None:
    """Tell a worker."""
    node.workerinput[_NAME] = str(node.config.stash[_FOLDER])  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """All tests have run, in whatever process."""
    if not hasattr(config, "workerinput"):
        postgres.stop(config.stash[_FOLDER])


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> postgres.Cluster:
    """The run's PostgreSQL server."""
    return postgres.Cluster(postgres.start(pytestconfig.stash[_FOLDER]))
