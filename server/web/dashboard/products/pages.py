"""The pages of products and of brands' settings: what shoppers read of a product, and a preview of it."""

from http import HTTPStatus

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from keys.base.errors import AuthcodeError
from server.domain.brands.accent import shades_of
from server.domain.codes.verdict import Verdict
from server.domain.places.time_zone import zone_names
from server.services.brands.edit_product import (
    ProductEdit,
    Texts,
    edit_product,
    preview_of,
    product_to_edit,
)
from server.services.brands.settings import BrandSettingInvalid, BrandSettings, brands, change_settings
from server.services.queries.products import product_list
from server.services.staff.accounts import choose_zone
from server.storage.products import KeptProduct
from server.web.dashboard.blueprint import ID, blueprint
from server.web.dashboard.filters import page_number, whole_number
from server.web.dashboard.people.login import staff
from server.web.previews import preview
from server.web.security import CONTENT_POLICY
from server.web.visit import context

_FEATURE_FIELDS = 12  # as many as a product may have
_TEXT_FIELDS = ("name", "description", "support", "placement_hint", "more_url")


@blueprint.get("/products")
def products() -> str:
    """The products that brands have published here."""
    return render_template("dashboard/products.html", found=product_list(context().db, page=page_number(request.args)))


@blueprint.route(f"/products/<{ID}:number>", methods=["GET", "POST"])
def product(number: int) -> Response | tuple[str, int] | str:
    """One product: what shoppers read of it, to change and to look at."""
    kept = product_to_edit(context().db, number)
    if request.method == "GET":
        return _form(kept, _texts_of(kept))
    texts = _texts(request.form)
    upload = request.files.get("picture")
    try:
        picture = upload.read() if upload else None
        edit = ProductEdit(texts=texts, picture=picture, drop_picture=request.form.get("drop") == "yes")
        changed = edit_product(context(), number, edit, staff=staff())
    except AuthcodeError as refused:
        return _form(kept, texts, problem=str(refused)), max(refused.http_status, HTTPStatus.BAD_REQUEST)
    flash("Shoppers read the new texts from now on." if changed else "Nothing was other than before.")
    return redirect(url_for(".product", number=number), HTTPStatus.SEE_OTHER)


def _form(kept: KeptProduct, texts: Texts, *, problem: str | None = None) -> str:
    features = [*texts.features, *[""] * _FEATURE_FIELDS][:_FEATURE_FIELDS]
    return render_template("dashboard/product.html", kept=kept, texts=texts, features=features, problem=problem)


def _texts(form: MultiDict[str, str]) -> Texts:
    return Texts(features=tuple(form.getlist("feature")), **{name: form.get(name, "") for name in _TEXT_FIELDS})


def _texts_of(kept: KeptProduct) -> Texts:
    texts = {name: getattr(kept.product, name) or "" for name in _TEXT_FIELDS}
    return Texts(features=kept.product.features, **texts)


@blueprint.get(f"/products/<{ID}:number>/preview")
def product_preview(number: int) -> Response:
    """The look page of a product's codes, as shoppers see it; it may be shown inside the product's own page."""
    response = make_response(preview(preview_of(context(), number), Verdict.UNUSED).html)
    policy = CONTENT_POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    response.headers["Content-Security-Policy"] = policy
    return response


@blueprint.route("/settings", methods=["GET", "POST"])
def settings() -> Response | tuple[str, int] | str:
    """Show or change the settings of each brand."""
    if request.method == "GET":
        return _settings()
    try:
        number, known = _whole(request.form, "brand"), {brand.id: brand for brand in brands(context().db)}
        if number not in known:
            raise BrandSettingInvalid("There is no such brand; open the page again.")
        wanted = BrandSettings(
            alert_from=_whole(request.form, "alert_from"),
            alert_budget=_whole(request.form, "alert_budget"),
            support=request.form.get("support", "").strip() or None,
            accent=request.form.get("accent", "").strip().lower() or None,
            withdrawn_keys=request.form.get("withdrawn_keys", known[number].withdrawn_keys),
            cookie_on_look=request.form.get("cookie_on_look", "on") == "on",
        )
        changed = change_settings(context().db, number, wanted, staff=staff(), now=context().clock())
    except AuthcodeError as refused:
        return _settings(problem=str(refused)), refused.http_status
    flash("The settings are kept, and hold within seconds." if changed else "Nothing was other than before.")
    return redirect(url_for(".settings"), HTTPStatus.SEE_OTHER)


@blueprint.post("/settings/zone")
def own_zone() -> Response | tuple[str, int]:
    """The time zone that a member of staff reads in."""
    try:
        changed = choose_zone(context().db, staff(), request.form.get("zone", ""), now=context().clock())
    except AuthcodeError as refused:
        return _settings(problem=str(refused)), refused.http_status
    flash("Times are shown in your zone from now on." if changed else "Nothing was other than before.")
    return redirect(url_for(".settings"), HTTPStatus.SEE_OTHER)


def _settings(*, problem: str | None = None) -> str:
    found = brands(context().db)
    return render_template(
        "dashboard/settings.html",
        brands=found,
        shades={brand.id: shades_of(brand.accent) for brand in found if brand.accent},
        problem=problem,
        form=request.form,
        zones=zone_names(),
        zone=staff().zone or "UTC",
    )


def _whole(form: MultiDict[str, str], name: str) -> int:
    number = whole_number(form.get(name, "").strip())
    if number is None:
        raise BrandSettingInvalid("Give whole numbers.")
    return number
