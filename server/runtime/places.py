"""Country and region of an address, by a MaxMind database where one is configured; else nothing is known."""

from pathlib import Path

import maxminddb

from server.domain.places.place import NOWHERE, Place
from server.settings import SettingsInvalid


class Places:
    """Looks addresses up. The address itself is not kept."""

    def __init__(self, database: Path | None) -> None:
        """Open the database file, if any.

        Raises:
            SettingsInvalid: it is not readable as a MaxMind database.
        """
        try:
            self._reader = None if database is None else maxminddb.open_database(database)
        except (OSError, maxminddb.InvalidDatabaseError):
            raise SettingsInvalid(
                f"{database} is no readable MaxMind database; correct AUTHCODE_GEOIP_DATABASE, or unset it."
            ) from None

    def close(self) -> None:
        """Close the file."""
        if self._reader is not None:
            self._reader.close()

    def of(self, address: str | None) -> Place:
        """The place of an address, never finer than a region."""
        if self._reader is None or address is None:
            return NOWHERE
        try:
            found = self._reader.get(address)
        except ValueError:
            return NOWHERE
        if not isinstance(found, dict):
            return NOWHERE
        regions = found.get("subdivisions")
        region = _iso_code(regions[0]) if isinstance(regions, list) and regions else None
        country = _iso_code(found.get("country"))
        return Place(country=country, region=region if country else None)


def _iso_code(part: object) -> str | None:
    code = part.get("iso_code") if isinstance(part, dict) else None
    return code if isinstance(code, str) and code.isalnum() and len(code) <= 3 else None  # noqa: PLR2004 - ISO 3166
