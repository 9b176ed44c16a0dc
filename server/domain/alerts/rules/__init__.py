"""The rules of alerts: the `RULE` of every module here, listed nowhere else.

The words of a rule are in `server/locale/en/LC_MESSAGES/staff.po`, under `rule.<name>`: `name`, `sentence` and `why.1`
to `why.n`. A test adds one rule in that way (`tests/server/web/dashboard/alerts/test_new_rule.py`).
"""

import importlib
import pkgutil
from functools import cache
from typing import Any

from server.domain.alerts.alert import Finding, Severity
from server.domain.alerts.rule import Facts, Rule, UnitAttempt


@cache
def all_rules() -> tuple[Rule[Any], ...]:
    """Every rule, in the order in which they are listed and evaluated."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return tuple(sorted((module.RULE for module in modules), key=lambda rule: (rule.position, rule.name)))


def rule_named(name: str) -> Rule[Any]:
    """The rule of a stored name; for one that was removed since, a rule that finds nothing, so that its alerts stay."""
    removed = Rule(name=name, position=0, facts=UnitAttempt, condition=lambda _: None, severity=Severity.NOTE, prior={})
    return next((rule for rule in all_rules() if rule.name == name), removed)


def findings(facts: Facts) -> list[tuple[Rule[Any], Finding]]:
    """What the rules that are given such facts find in them."""
    found = [(rule, rule.condition(facts)) for rule in all_rules() if rule.facts is type(facts)]
    return [(rule, finding) for rule, finding in found if finding is not None]
