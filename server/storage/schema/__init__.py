"""The tables, portable between SQLite and PostgreSQL, by subject; importing one loads all into the metadata."""

from server.storage.schema.accounts import api_token, audit, login_try, staff
from server.storage.schema.alerts import alert, alert_claim, alert_day, alert_event, alert_mute, alert_place, alert_scan
from server.storage.schema.attempts import attempt_day, attempt_place, look_count, look_day, scan
from server.storage.schema.columns import COUNTER_SLOTS, Id, Instant, day_number, day_text, metadata
from server.storage.schema.log import log_head, log_leaf, log_node, log_pending, log_tree
from server.storage.schema.orders import batch, brand, product, range_act
from server.storage.schema.units import gift, handover, keep_try, redemption, remembered, undo
