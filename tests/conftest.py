"""What all tests share: how they are dealt out, one PostgreSQL server, and the bytecode of the processes they start."""

import os
import subprocess
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests import postgres, postgres_keeper

# Each tells one long story first, which its tests then share.
_ONE_PROCESS = ("tests/browser/", "tests/journeys/", "tests/authcode/commands/test_station.py")

hypothesis.settings.register_profile("authcode", deadline=None)  # no test measures time: machines are shared
hypothesis.settings.load_profile("authcode")

_FOLDER = pytest.StashKey[Path]()
_KEEPER = pytest.StashKey[subprocess.Popen[bytes]]()
_NAME = "authcode_postgres"


def pytest_configure(config: pytest.Config) -> None:
    """The process that people start names the server's folder; workers of pytest-xdist are told of it."""
    told = getattr(config, "workerinput", None)
    config.stash[_FOLDER] = Path(told[_NAME]) if told else postgres.new_folder()
    if not told:
        config.stash[_KEEPER] = postgres_keeper.keep(config.stash[_FOLDER])
        _share_bytecode(config.stash[_FOLDER] / "bytecode")


def _share_bytecode(folder: Path) -> None:
    """Let the run's processes share bytecode in `folder` where the environment keeps it out of the source tree.

    Without any, each server, worker and command would compile some thousand modules before it starts.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder)


class _Dealer(LoadScopeScheduling):
    """Deals tests out one by one, except for rooms that are dealt whole."""

    def _split_scope(self, nodeid: str) -> str:
        return next((room for room in _ONE_PROCESS if nodeid.startswith(room)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Dealer:
    """`--dist loadgroup` would do it by marks, but lost them with pytest 9.2 (pytest-xdist issue 1386)."""
    return _Dealer(config, log)


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
