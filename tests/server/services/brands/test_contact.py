"""Shoppers are sent to their brand's contact, so a brand has one before its codes are in the world."""

from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from authcode.cli import run as run_command_line
from keys.store.issuer import IssuerHome
from server.domain.batches.range_act import ActKind
from server.services.batches.range_acts import ContactMissing
from server.services.brands.settings import BrandSettingInvalid, BrandSettings, BrandUnclear, brands, change_settings
from server.services.brands.settings import set_contact as set_contact_of
from server.services.staff.accounts import Staff
from server.settings import load_settings
from server.storage import schema
from server.storage.engine import open_database
from tests.server.simulator import CONTACT, World

STAFF = Staff(id=1, email="anna@example.com", must_change_password=False, session="s")


def set_contact(world: World, contact: str, brand: str | None = None) -> str:
    return set_contact_of(world.ctx.db, contact, brand=brand, actor="ops", now=world.clock.now)


def test_without_a_contact_nothing_is_activated_or_recalled_and_waste_still_is_void(world: World) -> None:
    issued = world.issue(activate=False)
    with world.ctx.db.write() as connection:
        connection.execute(sa.update(schema.brand).values(support=None))
    for kind, details in ((ActKind.ACTIVATE, {}), (ActKind.RECALL, {"reason": "it leaks"})):
        with pytest.raises(ContactMissing, match=r"Example Tea has no contact .* `authcode brand contact`") as refused:
            world.act(issued, kind, "0-4", **details)
        assert (refused.value.code, refused.value.http_status) == ("contact_missing", 409)
    world.act(issued, ActKind.VOID, "5-9", reason="waste")
    assert set_contact(world, "+82 2 555-0100") == "Example Tea"
    world.act(issued, ActKind.ACTIVATE, "0-4")
    world.act(issued, ActKind.RECALL, "0-4", reason="it leaks")


def test_a_contact_is_changed_and_not_taken_away(world: World) -> None:
    (brand,) = brands(world.ctx.db)
    wanted = BrandSettings(alert_from=2, alert_budget=20, support=None)
    with pytest.raises(BrandSettingInvalid, match="give another one"):
        change_settings(world.ctx.db, brand.id, wanted, staff=STAFF, now=world.clock.now)
    for text in ("", " ", "two\nlines", "x" * 201):
        with pytest.raises(BrandSettingInvalid, match="The contact takes up to 200"):
            set_contact(world, text)
    set_contact(world, CONTACT)  # it is set already: no line in the history
    set_contact(world, "help@example.com", "Example Tea")
    with world.ctx.db.read() as connection:
        rows = connection.execute(sa.select(schema.audit).where(schema.audit.c.actor == "ops")).all()
    assert [row.subject for row in rows] == ["Example Tea: support help@example.com"]


def test_of_several_brands_one_is_named(world: World, other_brand: IssuerHome) -> None:
    assert other_brand.keyring.keyring.brand == "Other Tea"
    for name in (None, "No Tea"):
        with pytest.raises(BrandUnclear, match="has Example Tea, Other Tea; name one of them with --brand") as unclear:
            set_contact(world, "help@example.com", name)
        assert (unclear.value.code, unclear.value.http_status) == ("brand_unclear", 409)
    assert set_contact(world, "help@other.example", "Other Tea") == "Other Tea"
    assert [brand.support for brand in brands(world.ctx.db)] == [CONTACT, "help@other.example"]


def test_init_gives_a_brand_its_contact_in_one_step_and_the_command_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("AUTHCODE_HOME", str(home))
    monkeypatch.setenv("AUTHCODE_ISSUER_PASSPHRASE", "one")
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "two")
    init = ["init", "--brand", "Acme", "--prefix", "https://v.acme.example"]
    assert run_command_line([*init, "--contact", "two\nlines"]) == 2
    assert run_command_line([*init, "--contact", CONTACT, "--issuer-only"]) == 2
    assert "the server keeps the contact" in capsys.readouterr().err
    assert not home.exists()
    assert run_command_line([*init, "--contact", CONTACT]) == 0
    assert f"server: shoppers of Acme ask {CONTACT}" in capsys.readouterr().out
    assert run_command_line(["brand", "contact", "+82 2 555-0100"]) == 0
    with closing(open_database(load_settings(home).database)) as db:
        assert [brand.support for brand in brands(db)] == ["+82 2 555-0100"]
