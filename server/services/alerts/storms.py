"""Stage 7, alert: runs the rules about looks, in the transaction that writes them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from server.domain.alerts.growth import GrowingAlert, Growth, grow
from server.domain.alerts.rule import HourOfLooks, HourOfNetwork
from server.domain.alerts.rules import findings
from server.domain.alerts.rules.harvest import least_excess
from server.domain.alerts.storm import LOOKS_IN_STORM, UNCOUNTED_LOOKS, begins_storm
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.runtime.looks import LatestLook, LookCounter
from server.runtime.network_looks import NetworkLooks
from server.runtime.pseudonyms import Pseudonyms
from server.settings import Settings
from server.storage.alerts import add_looks, lock_alert, save_alert
from server.storage.batches import batch_by_row
from server.storage.engine import Connection, Database
from server.storage.looks import LookKey, storming
from server.storage.scans import networks_of_burns


def after_looks(
    connection: Connection, counted: Sequence[tuple[LookKey, int]], latest: Mapping[int, LatestLook]
) -> None:
    """Let the alerts of storms grow by the looks just written, each counted once; the caller has a writer's turn."""
    keys = [key for key, _ in counted]
    for (number, hour), looks in storming(connection, keys, least=LOOKS_IN_STORM, without=UNCOUNTED_LOOKS).items():
        added = {key: n for key, n in counted if (key.unit, key.hour) == (number, hour) and key in looks}
        by_place: Counter[str] = Counter()
        for key, amount in looks.items():
            by_place[key.place] += amount
        unit, last = Unit.of_id(number), latest[number]
        batch = batch_by_row(connection, unit.row)
        new = looks if begins_storm(by_place.total(), sum(added.values())) else added
        if batch is not None and new:
            _grow(connection, batch.brand, HourOfLooks(unit=unit, serial=last.serial, by_place=by_place), new, last.at)


def create_look_counter(
    db: Database, settings: Settings, pseudonyms: Pseudonyms, clock: Callable[[], datetime]
) -> LookCounter:
    """The counter of looks, with the rules that run on what it counts."""

    def after_network(connection: Connection, looks: NetworkLooks) -> bool:
        """Run the rules on a network's looks, with its own verifications among them."""
        burns, now = networks_of_burns(connection, looks.units), clock()
        own = sum(mark == pseudonyms.unit_mark(looks.network, unit, now=now) for unit, mark in burns)
        return _after_network(connection, looks, burned=own, workers=settings.workers)

    return LookCounter(
        db,
        flush_s=settings.look_flush_s,
        after=after_looks,
        after_network=after_network,
        least_of_network=least_excess(settings.workers),
    )


def _after_network(connection: Connection, looks: NetworkLooks, *, burned: int, workers: int) -> bool:
    """Run the rules on a network's looks at a batch; whether an alert has counted those that none had before."""
    batch = batch_by_row(connection, looks.batch_row)
    if batch is None:
        return False
    unburned = len(looks.units) - burned
    facts = HourOfNetwork(batch_row=looks.batch_row, unburned=unburned, burned=burned, workers=workers)
    new = {
        LookKey(unit=unit, hour=looks.hour, place=looks.place, said=Verdict.UNUSED.value): 1
        for unit in looks.units[looks.reported :]
    }
    return _grow(connection, batch.brand, facts, new, looks.last_at)


def _grow(
    connection: Connection,
    brand: int,
    facts: HourOfLooks | HourOfNetwork,
    looks: Mapping[LookKey, int],
    last_at: datetime,
) -> bool:
    """Let alerts grow by the looks of an hour that they have not counted; whether there was one to grow."""
    hour = min(key.hour for key in looks)
    found = findings(facts)
    for rule, finding in found:
        severity = finding.severity or rule.severity
        raised = GrowingAlert(severity=severity, first_at=hour, last_at=hour)
        number, before = lock_alert(connection, brand, rule.name, finding.subject, raised)
        growth = Growth(
            severity=severity,
            first_at=hour,
            last_at=last_at,
            count=sum(looks.values()),
            places=add_looks(connection, number, looks),
            of_looks=True,
        )
        grown, opened_again = grow(before, growth)
        save_alert(connection, number, grown, [last_at] if opened_again else [])
    return bool(found)
