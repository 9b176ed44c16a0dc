"""What all rooms share: one PostgreSQL server for the whole run, started by the first test that asks for it."""

import subprocess
from pathlib import Path

import pytest

from tests import postgres, postgres_keeper

_FOLDER = pytest.StashKey[Path]()
_KEEPER = pytest.StashKey[subprocess.Popen[bytes]]()
_NAME = "authcode_postgres"


def pytest_configure(config: pytest.Config) -> None:
    """The process that people start names the server's folder; workers of pytest-xdist are told of it."""
    told = getattr(config, "workerinput", None)
    config.stash[_FOLDER] = Path(told[_NAME]) if told else postgres.new_folder()
    if not told:
        config.stash[_KEEPER] = postgres_keeper.keep(config.stash[_FOLDER])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: pytest.Item) -> None:
    """Tell a worker."""
    node.workerinput[_NAME] = str(node.config.stash[_FOLDER])  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """All tests have run, in whatever process."""
    if _KEEPER in config.stash:
        postgres_keeper.release(config.stash[_KEEPER])


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> postgres.Cluster:
    """The run's PostgreSQL server."""
    return postgres.Cluster(postgres.start(pytestconfig.stash[_FOLDER]))
