"""Who acts at the command line of the server's own machine, as the history names them."""

import getpass


def command_line_actor() -> str:
    """The account of the system that runs the command."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"
