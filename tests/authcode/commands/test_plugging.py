# ruff: noqa: ANN401 - fixtures' classes live in conftest, which tests cannot import
"""Commands that plug in from elsewhere, and what the command line says when something cannot be done."""

import errno
import importlib.metadata
import json
from pathlib import Path
from typing import Any

import click
import pytest

from authcode import cli

ORDER = ("--order", "spring", "--count", "6", "--placement", "inside")


def test_wrong_usage_is_told_with_exit_code_2(line: Any) -> None:
    code, _, err = line("batch", "issue", "--order", "x")
    assert (code, "Missing option '--count'" in err) == (2, True)
    code, out, _ = line("batch", "issue", "--order", "x", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "usage")
    assert line("batch", "frobnicate")[0] == 2
    assert line("nonsense")[0] == 2


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "disk_full", "the disk is full (/x)"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "file_error", "Permission denied (/x)"),
        (OSError("odd"), "file_error", "a file cannot be used"),
        (click.Abort(), "stopped", "stopped"),
        (KeyboardInterrupt(), "stopped", "stopped"),
    ],
)
def test_what_the_system_refuses_is_told_in_one_sentence(
    line: Any, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: str, said: str
) -> None:
    def fail(_home: Path) -> None:
        raise raised

    monkeypatch.setattr("authcode.commands.product.load_products", fail)
    exit_code, out, _ = line("product", "list", "--json")
    assert exit_code == 2
    error = json.loads(out.strip().splitlines()[-1])["error"]
    assert error["code"] == code
    assert error["message"].startswith(said)


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plug commands of another distribution in, some of which lack their packages."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "plugged_in.py").write_text(
        "import click\n"
        "@click.command()\ndef works():\n    '''Do something.'''\n    click.echo('done')\n"
        "@click.command()\ndef needs():\n    import a_package_that_nobody_has\n"
        "@click.command()\ndef broken():\n    import authcode.no_such_module\n"
        "no_command = 1\n"
    )
    (tmp_path / "plugged_lacking.py").write_text("import a_package_that_nobody_has\n")
    folder = tmp_path / "plugged-1.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_text(
        "[authcode.commands]\nzoo.works = plugged_in:works\nzoo.needs = plugged_in:needs [animals]\n"
        "zoo.broken = plugged_in:broken\nzoo.lacking = plugged_lacking:run\n"
        "ark.lacking = plugged_lacking:run\nark.works = plugged_in:works\n"
        "zoo.gone = authcode.no_such_module:run\nodd = plugged_in:no_command\n"
    )
    found = importlib.metadata.PathDistribution(folder).entry_points
    monkeypatch.setattr(cli, "entry_points", lambda *, group: found.select(group=group))


@pytest.mark.usefixtures("plugged")
def test_commands_of_other_packages_plug_in(line: Any) -> None:
    assert line("--help")[1].partition("More:")[2].split()[:3] == ["ark", "odd", "zoo"]
    assert line("zoo", "works")[:2] == (0, "done\n")


@pytest.mark.usefixtures("plugged")
def test_the_help_of_a_noun_lists_its_verbs_and_what_they_lack(line: Any) -> None:
    code, out, _ = line("ark", "--help")
    assert code == 0
    assert "lacking  (needs authcode[plugged_lacking])" in out
    assert "works    Do something." in out


@pytest.mark.usefixtures("plugged")
def test_a_command_whose_packages_are_missing_names_the_extra(line: Any) -> None:
    code, _, err = line("zoo", "needs")
    assert code == 2
    assert "`authcode zoo needs` needs more packages" in err
    assert "pip install '.[animals]'" in err
    code, out, _ = line("zoo", "lacking", "--json", "--whatever", "x")
    assert (code, json.loads(out)["error"]["code"]) == (2, "extra_missing")


@pytest.mark.usefixtures("plugged")
def test_a_defect_of_our_own_is_not_hidden(line: Any) -> None:
    for verb in ("broken", "gone"):
        with pytest.raises(ModuleNotFoundError):
            line("zoo", verb)
    with pytest.raises(TypeError, match="not a click command"):
        line("odd")
