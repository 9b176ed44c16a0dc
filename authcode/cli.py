"""The command line: nouns, then verbs, plugged in from every package by the entry-point group `authcode.commands`.

An entry is named `noun.verb`, or `noun` alone. A command is loaded when it is run, so that help is instant. Exit
codes: 0 done, 1 the answer is no, 2 it could not be done; then one sentence and a stable code on standard error, or
with `--json` an object `{"error": {"code", "message"}}` on standard output.
"""

import difflib
import errno
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final, NoReturn

import click

from keys.base.errors import AuthcodeError

COMMANDS: Final = "authcode.commands"
PACKAGES: Final = ("keys", "authcode", "scanner", "server")

_WHOLE: Final = 1000
"""Characters up to which click leaves a sentence uncut: no first sentence of ours is longer."""

NO: Final = 1
FAILED: Final = 2

# The words of the first help page, so that it is printed without loading a command.
_SECTIONS: Final = {
    "Issue and print": ("init", "keys", "product", "batch"),
    "Look at codes": ("scan", "verify"),
    "Serve": ("serve", "brand", "staff", "token", "db", "log", "demo"),
}
_NOUNS: Final = {
    "init": "Make a brand's home: keys, keyring, passphrases.",
    "keys": "Make, list and publish keys.",
    "product": "Keep what shoppers read of a product.",
    "batch": "Plan, issue, activate, void and follow orders of codes.",
    "scan": "Read the codes in photos; looks, never burns.",
    "verify": "Check the signature of a code, offline.",
    "serve": "Run the verification server and its dashboard.",
    "brand": "Say whom shoppers may ask.",
    "staff": "Give people access to the dashboard.",
    "token": "Give print stations access over the network, and take it back.",
    "db": "Bring the server's database up to date.",
    "log": "Sign, prove and check the log of verifications and staff acts.",
    "demo": "Watch the whole story on this machine.",
}
_EPILOG: Final = """\b
Example, the first sheet:
  authcode init --brand "Acme" --prefix https://v.example.com --contact care@example.com
  authcode batch issue --order first --count 24 --placement inside

State is kept in AUTHCODE_HOME (default ./authcode-home). Keys are unlocked by AUTHCODE_ISSUER_PASSPHRASE_FILE and
AUTHCODE_SERVER_PASSPHRASE_FILE, or at a prompt. Exit codes: 0 done, 1 the answer is no, 2 it could not be done.
"""


class ExtraMissing(AuthcodeError):
    """A command needs packages that are not installed."""

    code = "extra_missing"
    sentence = (
        "`authcode {command}` needs more packages: install this distribution again with its extra `{extra}`, from "
        "where you got it, as in: pip install '.[{extra}]'"
    )
    command: str
    extra: str


class _Entries(click.Group):
    """A group of commands that are loaded from their entry points one at a time."""

    def __init__(self, entries: Mapping[str, EntryPoint], **attributes: str | None) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]  # only the texts name, help and epilog are passed
        self.entries = entries

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; where there is none, name the nearest one."""
        near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(error.format_message() + hint, ctx=error.ctx) from None


class Nouns(_Entries):
    """The first level: one entry a noun, with its verbs where it has some."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Nouns, in the order of the help page."""
        return [noun for nouns in self._sections().values() for noun in nouns]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a single noun, or give the group of its verbs, still unloaded."""
        if cmd_name in self.entries:
            return _load(cmd_name, self.entries[cmd_name])
        of_noun = f"{cmd_name}."
        verbs = {name.removeprefix(of_noun): entry for name, entry in self.entries.items() if name.startswith(of_noun)}
        return Verbs(verbs, name=cmd_name, help=_NOUNS.get(cmd_name)) if verbs else None

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the nouns by section, without loading them."""
        for title, nouns in self._sections().items():
            if nouns:
                with formatter.section(title):
                    formatter.write_dl([(noun, _NOUNS.get(noun, "")) for noun in nouns])

    def _sections(self) -> dict[str, list[str]]:
        present = {name.partition(".")[0] for name in self.entries}
        sections = {title: [noun for noun in nouns if noun in present] for title, nouns in _SECTIONS.items()}
        return sections | {"More": sorted(present.difference(*_SECTIONS.values()))}


class Verbs(_Entries):
    """The second level: the verbs of a noun."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Verbs, in the order in which they were registered."""
        return list(self.entries)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each verb with its whole first sentence: cut short, it would hide what the verb is for."""
        verbs = [(verb, self.get_command(ctx, verb)) for verb in self.entries]
        with formatter.section("Commands"):
            formatter.write_dl([(verb, command.get_short_help_str(_WHOLE)) for verb, command in verbs if command])

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a verb."""
        entry = self.entries.get(cmd_name)
        return _load(f"{self.name} {cmd_name}", entry) if entry else None


def main() -> NoReturn:
    """Run the command line with the process's arguments."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; every foreseen error is printed as one sentence."""
    as_json = "--json" in arguments
    entries = {entry.name: entry for entry in entry_points(group=COMMANDS)}
    nouns = Nouns(entries, name="authcode", help="One-time signed codes for packaging.", epilog=_EPILOG)
    click.version_option(package_name="authcode")(nouns)
    try:
        result = nouns.main(args=list(arguments), prog_name="authcode", standalone_mode=False)
    except click.UsageError as error:
        if not as_json:
            error.show()
            return FAILED
        code, message = "usage", error.format_message()
    except ModuleNotFoundError as error:
        missing = _missing_extra(entries, arguments, error)
        code, message = missing.code, str(missing)
    except (AuthcodeError, OSError, click.Abort) as error:
        code, message = _foreseen(error)
    else:
        return result if isinstance(result, int) else 0
    if as_json:
        click.echo(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False))
    else:
        click.echo(f"Error: {message} [{code}]", err=True)
    return FAILED


def _load(command: str, entry: EntryPoint) -> click.Command:
    """Load a command; where its packages are missing, a placeholder that names the extra with them."""
    try:
        loaded = entry.load()
    except ModuleNotFoundError as error:
        if _is_ours(error):
            raise
        return _placeholder(command, entry)
    if not isinstance(loaded, click.Command):
        raise TypeError(f"entry point {entry.name!r} is not a click command")
    return loaded


def _placeholder(command: str, entry: EntryPoint) -> click.Command:
    missing = ExtraMissing(command, _extra_of(entry))

    def refuse(**_: object) -> NoReturn:
        """Report the missing extra, for any arguments."""
        raise missing

    return click.Command(
        command.rpartition(" ")[2],
        callback=refuse,
        short_help=f"(needs authcode[{missing.extra}])",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )


def _missing_extra(
    entries: Mapping[str, EntryPoint], arguments: Sequence[str], error: ModuleNotFoundError
) -> ExtraMissing:
    """Name the extra that a command's body missed; a module of our own that is missing is a defect."""
    words = [argument for argument in arguments if not argument.startswith("-")][:2]
    entry = entries.get(".".join(words)) or entries.get("".join(words[:1]))
    if _is_ours(error) or entry is None:
        raise error
    return ExtraMissing(entry.name.replace(".", " "), _extra_of(entry))


def _is_ours(error: ModuleNotFoundError) -> bool:
    return (error.name or "").partition(".")[0] in PACKAGES


def _extra_of(entry: EntryPoint) -> str:
    """The extra that an entry names, else the one named after its package."""
    return entry.extras[0] if entry.extras else entry.module.partition(".")[0]


def _foreseen(error: AuthcodeError | OSError | click.Abort) -> tuple[str, str]:
    """The code and the sentence for an error that is not a defect of ours."""
    if isinstance(error, AuthcodeError):
        return error.code, str(error)
    if isinstance(error, click.Abort):
        return "stopped", "stopped; what was begun has been taken back"
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk_full", f"the disk is full{where}; free some room and repeat the command"
    return "file_error", f"{error.strerror or 'a file cannot be used'}{where}"
