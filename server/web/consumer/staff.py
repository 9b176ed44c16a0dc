"""Staff never verify: a signed-in account sees the page of a code without its gestures, and sends nothing to it."""

from flask import url_for

from keys.base.errors import AuthcodeError
from server.domain.codes.unit import Unit
from server.web.consumer.view import Offers, StaffLinks
from server.web.visit import visitor

SHOPPER_SECTION = "shopper"
"""The part of the dashboard's page of a code that shows what a shopper reads."""


class StaffNeverVerify(AuthcodeError):
    """A signed-in account of staff sent a form of a code's page; nothing was done."""

    code = "staff_never_verify"
    http_status = 403
    sentence = "You are signed in as staff: codes are not verified here. To act as a shopper, open a private window."


def refuse_staff() -> None:
    """Refuse a form of a code's page that a signed-in account of staff sent.

    Raises:
        StaffNeverVerify: it did, whatever the form is: verifying, telling, a keep-code or a holder's act.
    """
    if visitor().staff:
        raise StaffNeverVerify


def offers_for_staff(unit: Unit | None) -> Offers:
    """What the page of a code offers to staff: its history and what a shopper sees; the search for an unknown unit."""
    if unit is None:
        return Offers(staff=StaffLinks(history=url_for("dashboard.find_code")))
    history = url_for("dashboard.code", unit_id=unit.id)
    return Offers(staff=StaffLinks(history=history, shopper=f"{history}#{SHOPPER_SECTION}"))
