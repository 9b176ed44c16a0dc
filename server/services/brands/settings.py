"""What staff set for a brand: when a duplicate is an alert, how many alerts a week fit, whom shoppers may ask, ..."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from authcode.order.contact import MAX_CONTACT_CHARACTERS, is_contact
from keys.base.errors import AuthcodeError
from server.domain.batches.range_act import WithdrawnKeys
from server.domain.brands.accent import is_colour
from server.services.staff.accounts import Staff
from server.storage import audit
from server.storage.brands import BrandRecord, all_brands, brand_by_id, set_brand
from server.storage.engine import Connection, Database

MAX_ALERT_FROM = 1_000
MAX_ALERT_BUDGET = 10_000


class BrandSettingInvalid(AuthcodeError):
    """A setting of a brand that is out of its range."""

    code = "brand_setting_invalid"
    http_status = 400
    sentence = "{reason}"
    reason: str


class BrandUnclear(AuthcodeError):
    """A server of several brands, or another name than the brand's."""

    code = "brand_unclear"
    http_status = 409
    sentence = "This server has {names}; name one of them with --brand."
    brands: tuple[str, ...]

    @property
    def names(self) -> str:
        """The brands, as a list in words."""
        return ", ".join(self.brands) or "no brand yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandSettings:
    """A brand's own settings; `support` is shown to shoppers of products that name no contact of their own.

    `accent` is a colour (`#0a4a82`), shown in a shade that can be read; None for the pages' own.
    `withdrawn_keys` says what becomes of units that were in the world before their key was withdrawn. With
    `cookie_on_look` a look sets the holder cookie, so that a lost answer leaves the buyer the holder.
    """

    alert_from: int
    alert_budget: int
    support: str | None
    accent: str | None = None
    withdrawn_keys: str = WithdrawnKeys.LOCK
    cookie_on_look: bool = True

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        if not 1 <= self.alert_from <= MAX_ALERT_FROM:
            raise BrandSettingInvalid(f"Alert from 1 to {MAX_ALERT_FROM:,} other people on.")
        if not 1 <= self.alert_budget <= MAX_ALERT_BUDGET:
            raise BrandSettingInvalid(f"The budget is 1 to {MAX_ALERT_BUDGET:,} alerts a week.")
        if self.accent is not None and not is_colour(self.accent):
            raise BrandSettingInvalid("Give the colour as # and six hexadecimal digits, for example #0a4a82.")
        if self.withdrawn_keys not in list(WithdrawnKeys):
            raise BrandSettingInvalid("Say what becomes of codes of a withdrawn key: lock or usual.")
        if self.support is not None:
            _check_contact(self.support)


def brands(db: Database) -> list[BrandRecord]:
    """Every brand of this server, in the order of their arrival."""
    with db.read() as connection:
        return all_brands(connection)


def change_settings(db: Database, brand: int, wanted: BrandSettings, *, staff: Staff, now: datetime) -> bool:
    """Set them; False when nothing is other than before. Servers take them up within `keyring_cache_s` seconds."""
    with db.write() as connection:
        known = brand_by_id(connection, brand)
        if known.support is not None and wanted.support is None:
            raise BrandSettingInvalid("Shoppers are sent to the contact; give another one instead of none.")
        changed = {name: value for name, value in asdict(wanted).items() if getattr(known, name) != value}
        if changed:
            _change(connection, known, changed, actor=staff.email, now=now)
    return bool(changed)


def set_contact(db: Database, contact: str, *, brand: str | None, actor: str, now: datetime) -> str:
    """Set the contact of the brand of this name, or of the only one; gives its name.

    Raises:
        BrandSettingInvalid: it cannot be shown.
        BrandUnclear: there is not one such brand.
    """
    _check_contact(contact)
    with db.write() as connection:
        every = all_brands(connection)
        named = [known for known in every if brand in (None, known.name)]
        if len(named) != 1:
            raise BrandUnclear(tuple(known.name for known in every))
        if named[0].support != contact:
            _change(connection, named[0], {"support": contact}, actor=actor, now=now)
    return named[0].name


def _change(
    connection: Connection, known: BrandRecord, changed: Mapping[str, object], *, actor: str, now: datetime
) -> None:
    set_brand(connection, known.id, **changed)
    audit.append(
        connection,
        at=now,
        actor=actor,
        action="brand.settings",
        subject=f"{known.name}: {', '.join(f'{name} {value}' for name, value in changed.items())}"[:254],
        details={"brand": known.brand_id.hex(), **changed},
    )


def _check_contact(text: str) -> None:
    if not is_contact(text):
        raise BrandSettingInvalid(f"The contact takes up to {MAX_CONTACT_CHARACTERS} printable characters.")
