"""Where a product's picture is, and what a picture that was refused measures."""

from collections.abc import Mapping

from flask import url_for

from scanner.errors import PhotoError
from server.services.codes.facts import CodeFacts


def picture_address(facts: CodeFacts | None) -> str | None:
    """The address of the picture of a code's product, None where there is none."""
    if facts is None or facts.product is None or not facts.product.has_picture:
        return None
    return url_for("consumer.picture", brand_id=facts.brand_id, sku=facts.product.sku)


def numbers_of(refused: PhotoError) -> Mapping[str, float]:
    """The numbers of a refusal, by name; sizes in megabytes too, as people read them."""
    facts = {name: value for name, value in vars(refused).items() if isinstance(value, int | float)}
    return {**facts, "limit_mb": facts["limit_bytes"] / 1_000_000} if "limit_bytes" in facts else facts
