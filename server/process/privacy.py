"""Keep other processes of the same user from reading this one's memory and environment (docs/adr/0017).

The readers of strangers' pictures run as the server's user; one that was taken over must not find passphrases and keys
under `/proc`. Files that this user may open stay within its reach.
"""

import ctypes
import logging
import os
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h
_SECRETS = ("AUTHCODE_SERVER_PASSPHRASE", "AUTHCODE_ISSUER_PASSPHRASE")
_LOG = logging.getLogger("authcode.serving")


def hide_process() -> None:
    """Make this process unreadable for others of its user, and leave no core behind; only Linux has this.

    Root can still read it. It lasts until this process executes another program.
    """
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        _LOG.warning("this process could not be hidden from others of its user: %s", os.strerror(ctypes.get_errno()))


def forget_passphrases() -> None:
    """Remove passphrases from the environment of children; they have been read."""
    for name in _SECRETS:
        os.environ.pop(name, None)
