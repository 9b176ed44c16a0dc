"""Everything that can be configured, from environment variables or one TOML file, checked at start.

`AUTHCODE_<NAME>` in the environment wins over `HOME/server/server.toml` (or the file that `AUTHCODE_CONFIG` names).
Keys are in the server's key store, unlocked by its passphrase. The one secret here is the password in a database's
address, which is never shown by accident.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from keys.base.errors import AuthcodeError
from keys.base.home import server_dir

_PREFIX = "AUTHCODE_"


class SettingsInvalid(AuthcodeError):
    """A setting that cannot be used."""

    code = "settings_invalid"
    http_status = 500
    sentence = "{reason}"
    reason: str


class RateLimit(StrEnum):
    """Whether requests are limited; `off` is for load tests."""

    ON = "on"
    OFF = "off"


class Settings(BaseSettings):
    """The server's settings. Times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="forbid", frozen=True)

    home: Path
    database_url: SecretStr = SecretStr("")
    repeat_window_s: float = Field(default=600, gt=0, le=86_400)
    undo_window_s: float = Field(default=86_400, ge=0, le=30 * 86_400)
    page_token_ttl_s: float = Field(default=600, gt=0, le=86_400)
    rate_limit: RateLimit = RateLimit.ON
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    geoip_database: Path | None = None
    workers: int = Field(default=1, ge=1, le=64)
    max_upload_bytes: int = Field(default=33 * 1024 * 1024, ge=64 * 1024, le=64 * 1024 * 1024)
    keyring_cache_s: float = Field(default=5, ge=0, le=3600)
    look_flush_s: float = Field(default=5, gt=0, le=3600)
    log_head_s: float = Field(default=30, gt=0, le=86_400)
    looks_per_unit_day: int = Field(default=20, ge=1, le=1_000_000)
    units_per_network_hour: int = Field(default=600, ge=1, le=1_000_000)
    units_per_cookie_hour: int = Field(default=30, ge=1, le=1_000_000)
    session_hours: float = Field(default=12, gt=0, le=168)

    @property
    def database(self) -> str:
        """The database's address; the embedded default is one SQLite file in the server's part of the home."""
        return self.database_url.get_secret_value() or f"sqlite:///{server_dir(self.home) / 'authcode.db'}"


BESIDE_THE_SETTINGS = frozenset(
    f"{_PREFIX}{name}"
    for name in (
        *("CONFIG", "KEYRING", "PHOTOS", "ISSUER_PASSPHRASE", "ISSUER_PASSPHRASE_FILE"),
        *("SERVER_PASSPHRASE", "SERVER_PASSPHRASE_FILE", "TOKEN", "TOKEN_FILE", "SCREENSHOTS"),
    )
)
"""Variables of ours that other parts read. Any other one with our prefix is a slip of the hand, and is refused."""


def _refuse_unknown_variables() -> None:
    """A misspelt variable would leave a safety setting at its default without a word."""
    known = BESIDE_THE_SETTINGS | {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    unknown = sorted({name.upper() for name in os.environ if name.upper().startswith(_PREFIX)} - known)
    if unknown:
        names = "; ".join(f"{name}{_nearest(name, known)}" for name in unknown)
        raise SettingsInvalid(f"These variables are no settings: {names}. Correct or unset them.")


def _nearest(name: str, known: Iterable[str]) -> str:
    by_rest = {one.removeprefix(_PREFIX): one for one in known}  # our prefix alone makes no two names alike
    found = difflib.get_close_matches(name.removeprefix(_PREFIX), by_rest, n=1)
    return f" (did you mean {by_rest[found[0]]}?)" if found else ""


def _read_toml(path: Path, *, named: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            raise SettingsInvalid(f"There is no settings file {path}; correct {_PREFIX}CONFIG.") from None
        return {}
    except (OSError, ValueError) as problem:
        hint = f"; correct it, or {_PREFIX}CONFIG" if named else ""
        raise SettingsInvalid(f"The settings file {path} cannot be read: {problem}{hint}.") from None


def load_settings(home: Path, **chosen: object) -> Settings:
    """The settings of a home; what a command line has `chosen` wins over environment and file.

    Raises:
        SettingsInvalid: names each setting that is unknown or out of range as it was set, and never shows its value.
    """
    _refuse_unknown_variables()
    named = os.environ.get(f"{_PREFIX}CONFIG")
    path = Path(named) if named else server_dir(home) / "server.toml"
    written = _read_toml(path, named=bool(named))
    in_file = {name: value for name, value in written.items() if f"{_PREFIX}{name.upper()}" not in os.environ}
    try:
        return Settings(**{**in_file, **chosen, "home": home})
    except ValidationError as problem:
        places = {name: f"{name} in {path}" for name in in_file if name not in chosen}
        faults = "; ".join(_fault(str(fault["loc"][0]), fault["msg"], places) for fault in problem.errors())
        raise SettingsInvalid(f"Correct these settings: {faults}.") from None


def _fault(name: str, what: str, in_file: Mapping[str, str]) -> str:
    """One setting by the name under which a person set it: a variable, or a line of the file."""
    if name in in_file and name not in Settings.model_fields:
        return f"{in_file[name]} is no setting{_nearest(name, Settings.model_fields)}"
    return f"{in_file.get(name, _PREFIX + name.upper())}: {what}"
