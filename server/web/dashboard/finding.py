"""Find a code: by its text, serial, or order and index, or in a picture. By POST: a code is a secret."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from keys.errors import AuthcodeError
from scanner import AdviceCode
from server.services import dashboard as read
from server.services.find_in_photo import PhotoFind, find_in_photo
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
    problem = None if found.codes else _told(found)
    status = HTTPStatus.OK if found.codes else HTTPStatus.NOT_FOUND
    return render_template("dashboard/find.html", problem=problem, found=found), status


def _told(found: PhotoFind) -> str:
    """Why a picture led to no code of ours."""
    if found.unregistered:
        return "The picture holds a code of ours that no batch has: a manifest is late, or a signing key has leaked."
    if found.foreign:
        hosts = [host for host in found.foreign if host]
        where = (
            f"It leads to {', '.join(hosts)}; we did not open it." if hosts else "It is no web address that is clear."
        )
        return f"The picture holds a code that is not ours. {where}"
    return _ADVICE[found.advice.code if found.advice else AdviceCode.NO_CODE]


_ADVICE: Final[Mapping[AdviceCode, str]] = {
    AdviceCode.MOVE_CLOSER: "No code was read: it is too small in the picture.",
    AdviceCode.HOLD_STILL: "No code was read: the picture is blurred.",
    AdviceCode.TOO_DARK: "No code was read: the picture is too dark.",
    AdviceCode.TOO_BRIGHT: "No code was read: the picture is too bright.",
    AdviceCode.GLARE: "No code was read: light is reflected where it should be.",
    AdviceCode.WHOLE_CODE: "No code was read: a part of it, or of its white border, is missing.",
    AdviceCode.NO_CODE: "No code was seen in the picture.",
}
