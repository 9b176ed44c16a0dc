"""What staff set for a brand: when a duplicate is an alert, how many alerts a week fit, whom shoppers may ask, ..."""

from dataclasses import asdict, dataclass
from datetime import datetime

from keys.base.errors import AuthcodeError
from server.domain.batches.range_act import WithdrawnKeys
from server.domain.brands.accent import is_colour
from server.services.staff.accounts import Staff
from server.storage import audit
from server.storage.brands import BrandRecord, all_brands, brand_by_id, set_brand
from server.storage.engine import Database

MAX_ALERT_FROM = 1_000
MAX_ALERT_BUDGET = 10_000
MAX_SUPPORT_CHARACTERS = 200


class BrandSettingInvalid(AuthcodeError):
    """A setting of a brand that is out of its range."""

    code = "brand_setting_invalid"
    http_status = 400
    sentence = "{reason}"
    reason: str


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
        text = self.support
        if text is not None and not (0 < len(text) <= MAX_SUPPORT_CHARACTERS and text.isprintable()):
            raise BrandSettingInvalid(f"The contact takes up to {MAX_SUPPORT_CHARACTERS} printable characters.")


def brands(db: Database) -> list[BrandRecord]:
    """Every brand of this server, in the order of their arrival."""
    with db.read() as connection:
        return all_brands(connection)


def change_settings(db: Database, brand: int, wanted: BrandSettings, *, staff: Staff, now: datetime) -> bool:
    """Set them; False when nothing is other than before. Servers take them up within `keyring_cache_s` seconds."""
    with db.write() as connection:
        known = brand_by_id(connection, brand)
        changed = {name: value for name, value in asdict(wanted).items() if getattr(known, name) != value}
        if not changed:
            return False
        set_brand(connection, brand, **changed)
        audit.append(
            connection,
            at=now,
            actor=staff.email,
            action="brand.settings",
            subject=f"{known.name}: {', '.join(f'{name} {value}' for name, value in changed.items())}"[:254],
            details={"brand": known.brand_id.hex(), **changed},
        )
    return True
