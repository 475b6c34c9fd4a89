"""Outages of a list as PostgreSQL writes them: what `OutageSerializer` says, by one statement for a page."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import orjson
from django.conf import settings
from django.utils import timezone

from apexchainx.api.documents import fetched
from apexchainx.api.renderers import encode
from outages import clock
from outages.models import MaintenanceWindow, Outage
from payments.models import Payment
from payments.serializers import EXPLORERS
from sla.models import minutes
from sla.serializers import running

WORDS_OF_STATES = " ".join(f"WHEN '{state}' THEN '{word}'" for state, word in Payment.STATUS.items())
PAYMENT = f"""
SELECT row_to_json(said) FROM (SELECT
    'PAY' || lpad(p.id::text, greatest(3, length(p.id::text)), '0') AS id,
    'PAY' || lpad(p.id::text, greatest(3, length(p.id::text)), '0') AS payment_id,
    nullif(p.transaction_hash, '') AS transaction_hash,
    p.type,
    json_money(p.amount) AS amount,
    p.asset_code,
    p.payer,
    p.payee,
    nullif(p.from_address, '') AS from_address,
    nullif(p.to_address, '') AS to_address,
    CASE p.state {WORDS_OF_STATES} END AS status,
    p.state,
    p.reason,
    json_moment(p.next_action_at) AS next_action_at,
    o.reference AS outage_id,
    p.sla_result_id,
    p.ledger,
    json_moment(p.created_at) AS created_at,
    json_moment(p.confirmed_at) AS confirmed_at,
    CASE WHEN p.ledger IS NOT NULL AND p.transaction_hash <> ''
        THEN %(explorer)s || p.transaction_hash END AS explorer_url
) said
"""  # noqa: S608
CONCLUSION = """
SELECT row_to_json(said)::text FROM (SELECT
    r.status,
    r.mttr_minutes,
    r.threshold_minutes,
    NULL AS time_remaining_minutes,
    NULL AS breach_at,
    json_money(CASE WHEN r.amount < 0 THEN -r.amount ELSE 0 * r.amount END) AS penalty_amount,
    json_money(CASE WHEN r.amount > 0 THEN r.amount ELSE 0 * r.amount END) AS reward_amount,
    r.rating AS performance_rating,
    r.rating,
    r.outcome AS payment_type,
    asked.ledger IS NOT NULL AS smart_contract_invoked,
    CASE WHEN asked.ledger IS NOT NULL THEN asked.hash END AS contract_tx_hash
) said
"""
# What the clock of an open outage is read from: as `Evidence` has it, and the policy in force at detection.
READING = """
SELECT json_build_object(
    'threshold', policy.threshold_minutes,
    'calendar', (SELECT row_to_json(c) FROM sla_calendar c WHERE c.id = policy.calendar_id),
    'facts', (SELECT json_agg(json_build_array(f.kind, f.occurred_at, f.recorded_at, f.detail) ORDER BY f.id)
        FROM outages_fact f WHERE f.outage_id = o.id AND f.kind IN ('detected', 'paused', 'resumed')),
    'place', json_build_object(
        'site_name', o.site_name, 'region', o.region, 'affected_services', o.affected_services),
    'windows', (SELECT json_agg(w) FROM outages_maintenancewindow w
        WHERE w.approved_at IS NOT NULL AND w.withdrawn_at IS NULL AND NOT w.sla_relevant
            AND w.ends_at > least(o.detected_at, o.recorded_at))
)::text
FROM (SELECT) this LEFT JOIN sla_policyversion policy ON policy.severity = o.severity
    AND policy.effective_from <= o.detected_at
    AND (policy.effective_to IS NULL OR policy.effective_to > o.detected_at)
LIMIT 1
"""
STATEMENT = f"""
SELECT
    row_to_json(said)::text,
    CASE WHEN o.resolved_at IS NOT NULL THEN ({CONCLUSION}) END,
    CASE WHEN o.resolved_at IS NULL THEN ({READING}) END
FROM unnest(%(keys)s::bigint[]) WITH ORDINALITY AS page (id, place)
JOIN outages_outage o ON o.id = page.id
LEFT JOIN sla_slaresult r ON r.outage_id = o.id AND r.is_latest
LEFT JOIN sla_contractinvocation asked ON asked.result_id = r.id
LEFT JOIN payments_payment p ON p.sla_result_id = r.id
CROSS JOIN LATERAL (SELECT
    o.reference AS id,
    o.site_name,
    o.site_id,
    o.region,
    o.severity,
    CASE o.state WHEN 'resolved' THEN 'resolved' ELSE 'open' END AS status,
    o.state,
    json_moment(o.detected_at) AS detected_at,
    json_moment(o.detected_at) AS created_at,
    json_moment(o.resolved_at) AS resolved_at,
    o.mttr_minutes,
    o.description,
    o.root_cause,
    o.resolution_notes,
    o.affected_services,
    o.affected_services AS services_affected,
    o.affected_subscribers,
    CASE WHEN o.latitude IS NOT NULL AND o.longitude IS NOT NULL THEN json_build_object(
        'latitude', json_money(o.latitude), 'longitude', json_money(o.longitude)) END AS location,
    nullif(o.assigned_to, '') AS assigned_to,
    o.created_by,
    coalesce((SELECT key FROM wallets_owner WHERE id = o.team_id), %(team)s) AS team,
    coalesce((SELECT key FROM wallets_owner WHERE id = o.operator_id), %(operator)s) AS operator,
    o.correlation_id,
    o.source,
    json_moment(o.acknowledged_at) AS acknowledged_at,
    json_moment(o.paused_at) AS paused_since,
    (SELECT reference FROM outages_outage WHERE id = o.merged_into_id) AS merged_into,
    (SELECT reference FROM outages_outage WHERE id = o.recurrence_of_id) AS recurrence_of,
    json_moment(o.updated_at) AS updated_at,
    CASE WHEN p.id IS NOT NULL THEN ({PAYMENT}) END AS stellar_payment
) said
ORDER BY page.place
"""  # noqa: S608


def outage_documents(keys: Sequence[int]) -> list[orjson.Fragment]:
    """The documents of these outages, in this order."""
    return list(map(orjson.Fragment, written(keys)))


def outage_document(key: int, **more: Any) -> orjson.Fragment:
    """The document of one outage, with more to say."""
    [document] = written([key])
    return orjson.Fragment(f"{document[:-1]},{encode(more).decode()[1:]}")


def written(keys: Sequence[int]) -> list[str]:
    now = timezone.now()
    rows = fetched(
        STATEMENT,
        keys=list(keys),
        team=settings.DEFAULT_TEAM,
        operator=settings.DEFAULT_OPERATOR,
        explorer=EXPLORERS[settings.STELLAR_NETWORK],
    )
    return [
        f'{said[:-1]},"sla_status":{concluded or standing(reading, now)}}}'
        for said, concluded, reading in rows
    ]


def standing(reading: str, now: datetime) -> str:
    """`sla_status` of an open outage, from what its clock is read from."""
    read = orjson.loads(reading)
    facts = [
        clock.Fact(kind, moment(at), moment(recorded), text) for kind, at, recorded, text in read["facts"]
    ]
    windows = windows_at(read["place"], read["windows"]) if read["windows"] else ()
    threshold = read["threshold"]
    rule = None if threshold is None else clock.Rule(threshold, hours(read["calendar"]))
    return encode(running(facts, rule=rule, windows=windows, now=now)).decode()


def windows_at(place: dict[str, Any], rows: list[dict[str, Any]]) -> list[clock.Window]:
    outage = Outage(**place)
    return [window.plain for window in map(planned, rows) if window.concerns(outage)]


def planned(row: dict[str, Any]) -> MaintenanceWindow:
    times = {name: row[name] and moment(row[name]) for name in ("starts_at", "ends_at", "approved_at")}
    return MaintenanceWindow(**{**row, **times})


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def hours(calendar: dict[str, Any] | None) -> clock.Calendar | None:
    if calendar is None:
        return None
    openings = (
        clock.Opening(day["weekday"], minutes(day["opens"]), minutes(day["closes"]))
        for day in calendar["weekly"]
    )
    holidays = frozenset(date.fromisoformat(day) for day in calendar["holidays"])
    return clock.Calendar(calendar["timezone"], tuple(openings), holidays)
