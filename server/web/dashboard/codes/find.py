"""Find a code: by its text, serial, or order and index, or in a picture. By POST: a code is a secret."""

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from keys.base.errors import AuthcodeError
from server.services.queries import dashboard as read
from server.services.queries.photo_search import PhotoFind, find_in_photo
from server.web.dashboard.codes.pictures import no_code_told
from server.web.problem import with_wait_of
from server.web.visit import context


def init_finding(blueprint: Blueprint) -> None:
    """Give the dashboard its search."""
    blueprint.add_url_rule("/codes", view_func=find_code, methods=["GET", "POST"])
    blueprint.add_url_rule("/codes/photo", view_func=find_photo, methods=["POST"])


def find_code() -> Response | tuple[str, int] | str:
    """Find a code by its text, its serial, or order and index; a batch by its order."""
    if request.method == "GET":
        return render_template("dashboard/find.html", problem=None)
    asked = request.form.get("code", "").strip()
    try:
        row = read.find_batch(context().db, asked)
        if row is not None:
            return redirect(url_for(".batch", row=row), HTTPStatus.SEE_OTHER)
        unit = read.find_code(context(), asked)
    except AuthcodeError as problem:
        return render_template("dashboard/find.html", problem=str(problem)), problem.http_status
    return redirect(url_for(".code", unit_id=unit.id), HTTPStatus.SEE_OTHER)


def find_photo() -> Response:
    """Find the codes of a picture: one leads to its history, several are listed. It changes nothing."""
    upload = request.files.get("photo")
    try:
        found = find_in_photo(context(), upload.read() if upload else b"", request.remote_addr)
    except AuthcodeError as refused:
        said = str(refused)
        body = render_template("dashboard/find.html", problem=said[:1].upper() + said[1:])
        return with_wait_of(refused, make_response(body, max(refused.http_status, HTTPStatus.BAD_REQUEST)))
    if len(found.codes) == 1:
        return redirect(url_for(".code", unit_id=found.codes[0].unit.id), HTTPStatus.SEE_OTHER)
    return make_response(_page_of(found))


def _page_of(found: PhotoFind) -> tuple[str, int]:
    problem = None if found.codes else no_code_told(found)
    status = HTTPStatus.OK if found.codes else HTTPStatus.NOT_FOUND
    return render_template("dashboard/find.html", problem=problem, found=found), status
