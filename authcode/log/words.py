"""The answers of a log check as sentences: for one file, and for all of them together."""

from datetime import UTC, datetime
from typing import Any

MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905 - legible
)
EVENT_TEXTS = {
    "redemption": "the code with serial {serial} was verified for the first time",
    "undo": "the code with serial {serial} was returned to unused, by {by}",
    "handover": "the code with serial {serial} was handed on to its next holder, number {hop}",
    "erasure": "what was kept about the holders of the code with serial {serial} was erased",
    "staff": "{actor} of the staff did this: {action}, to {subject}",
}
CLOSING = (
    "Keep these files as they are, check that the key is the one this log publishes, and ask the operator of the log."
)


def escaped(value: object) -> str:
    """Give a value for a terminal, with invisible characters escaped."""
    return repr(str(value))[1:-1]


def moment_in_words(moment: datetime) -> str:
    """Give a moment (UTC) as people write it."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year} at {moment:%H:%M:%S} UTC"


def record_in_words(record: dict[str, Any]) -> str:
    """Describe an entry of the log; one of an unknown kind is shown field by field."""
    facts = {name: escaped(value) for name, value in record.items()}
    try:
        at = moment_in_words(datetime.strptime(str(record["at"]), "%Y-%m-%dT%H:%M:%SZ"))  # noqa: DTZ007 - it is UTC
        happened = EVENT_TEXTS[str(record.get("kind"))].format(**facts)
    except (KeyError, ValueError):
        return "a record that reads " + ", ".join(f"{name} {value}" for name, value in facts.items())
    country = f", in the country {facts['country']}" if record.get("country") else ""
    unknown = ", country not known" if record.get("kind") == "redemption" and not country else ""
    return f"on {at}{country}{unknown} {happened}"


def receipt_in_words(claims: dict[str, Any]) -> str:
    """Describe the claims of a receipt."""
    at = moment_in_words(datetime.fromtimestamp(claims["iat"], UTC))
    times = "once" if claims["hop"] == 1 else f"{claims['hop']} times"
    since = f", and was handed on {times} before this receipt" if claims["hop"] else ""
    signed = f"the server of {escaped(claims['iss'])} signed that the code with serial {escaped(claims['serial'])}"
    return f"{signed} was verified for the first time on {at}{since}."


def file_in_words(one: dict[str, Any]) -> str:
    """Describe what one file shows."""
    name = escaped(one["file"])
    if not one["holds"]:
        reason = str(one["reason"]).removeprefix("this does not hold: ").partition("; keep it, and ask")[0]
        return f"{name}: does NOT hold: {escaped(reason)}."
    if one["kind"] == "receipt":
        return f"{name}: holds: {receipt_in_words(one)}"
    log, size = f"the log {escaped(one['origin'])}", one["size"]
    if one["kind"] == "inclusion":
        record = one["record"]
        content = "its content is not shown" if record is None else f"it records that {record_in_words(record)}"
        return f"{name}: holds: this is entry {one['index']} (counted from 0) of the {size} in {log}; {content}."
    if one["kind"] == "consistency":
        return f"{name}: holds: {log} only grew from {one['old']} to {size} entries; nothing before was changed."
    return f"{name}: holds: {log} signed this head when it had {size} entries."


def conclusion(answers: list[dict[str, Any]], *, receipt: bool) -> list[str]:
    """Sum up the answers: what they show together, and what was not checked."""
    if not all(one["holds"] for one in answers):
        return ["Conclusion: NO, not everything holds. " + CLOSING]
    kinds = {one["kind"] for one in answers}
    shown = ["the receipt is genuine"] if receipt else []
    shown += ["the entry is in the log"] if "inclusion" in kinds else []
    grown = "since the head that the receipt names" if receipt else "since the head that was kept"
    shown += [f"the log has only grown {grown}"] if "consistency" in kinds else []
    missing = not_checked(kinds, receipt=receipt)
    return [
        "Conclusion: " + (", and ".join(shown) or "each head is signed by the log's key") + ".",
        "Not checked:",
        *(f"  - {one};" for one in missing[:-1]),
        f"  - {missing[-1]}.",
    ]


def not_checked(kinds: set[str], *, receipt: bool) -> list[str]:
    """Name what files of these kinds do not show."""
    missing = []
    if receipt and "inclusion" not in kinds:
        missing.append("whether this verification is in the log (give its entry, and the log's key with --key)")
    if "consistency" not in kinds:
        kept = "the head that the receipt names" if receipt else "a head that somebody kept (--kept)"
        missing.append(f"whether the log was rewritten (give a proof of growth from {kept})")
    elif receipt:
        missing.append("whether it was written after its date (needs a head that somebody kept from soon after)")
    return [
        *missing,
        "whether the records of the log are true, and how the code is now (only its server knows)",
    ]
