"""Paths of an installation: one home with an issuer's and a server's part (docs/format.md §1).

The two parts have separate passphrases. A server never opens the issuer's part.
"""

import os
from pathlib import Path
from typing import Final

HOME_VARIABLE: Final = "AUTHCODE_HOME"
DEFAULT_HOME: Final = Path("authcode-home")


def home_dir(option: Path | None) -> Path:
    """The home to use: the command's `option`, else AUTHCODE_HOME, else ./authcode-home. It need not exist."""
    return option or Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME)


def issuer_dir(home: Path) -> Path:
    """The issuer's part: root, office and signing keys, keyring, products, order book."""
    return home / "issuer"


def issuer_keys_dir(home: Path) -> Path:
    """The issuer's key files; `open_store` opens them."""
    return issuer_dir(home) / "keys"


def is_apart(home: Path) -> bool:
    """Whether this home is a print station's: made without a server's part, and still without one."""
    return _apart_path(home).exists() and not server_dir(home).exists()


def keep_apart(home: Path) -> None:
    """Mark this home as a print station's, in which no server's part is made by itself."""
    _apart_path(home).touch()


def _apart_path(home: Path) -> Path:
    return issuer_dir(home) / "apart"


def issuer_keyring_path(home: Path) -> Path:
    """The signed keyring as the issuer last published it."""
    return issuer_dir(home) / "keyring.json"


def server_dir(home: Path) -> Path:
    """The server's part: database, serial and MAC keys, the server's own keys."""
    return home / "server"


def server_keys_dir(home: Path) -> Path:
    """The server's key files; `open_store` opens them."""
    return server_dir(home) / "keys"


def orders_dir(home: Path) -> Path:
    """Where orders are written when no other folder is named."""
    return home / "orders"
