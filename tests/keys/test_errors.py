"""The error tree: stable codes, sentences that say what to do."""

import inspect
import re

from keys.base import errors
from keys.base.errors import AuthcodeError

LEAVES = [
    leaf
    for _name, leaf in inspect.getmembers(errors, inspect.isclass)
    if issubclass(leaf, AuthcodeError) and leaf is not AuthcodeError
]


def test_every_leaf_has_a_code_of_its_own_made_of_its_name() -> None:
    codes = [leaf.code for leaf in LEAVES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in codes)
    made_of_name = {re.sub("(?<!^)(?=[A-Z])", "_", leaf.__name__).lower() for leaf in LEAVES}
    assert made_of_name - set(codes) == {"unknown_backend"}


def test_every_leaf_has_a_status_of_a_refused_request() -> None:
    assert all(400 <= leaf.http_status < 500 for leaf in LEAVES)
