"""History to measure on, as the services would have written it: `benchmarks/seed.py --rows 1000000`

Outages with their facts, results, payments and log entries, in a few statements each; the same rows every
time, the newest of them open. The tables named in DATABASE_URL must be empty of outages.
"""

import argparse
import os
import sys
import time
from typing import Any

import django
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("outages_outage", "outages_fact", "sla_slaresult", "payments_payment", "audit_auditevent")

# A number from 0 to `of`-1 that depends on the row and on `salt` alone.
PICK = """
CREATE FUNCTION pg_temp.pick(n bigint, salt bigint, "of" bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT abs(hashint8extended(n, salt) % "of") $$;
CREATE FUNCTION pg_temp.word(n bigint, salt bigint, words text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT (string_to_array(words, ' '))
    [1 + abs(hashint8extended(n, salt) % (length(words) - length(replace(words, ' ', '')) + 1))] $$;
"""
CITIES = (
    "Lagos Abuja Kano Ibadan Nairobi Mombasa Accra Kumasi Dakar Kampala Kigali Lusaka Harare Douala Tunis"
)
KINDS = "Tower Hub Exchange Relay Rooftop Mast Switch Junction Datacentre Shelter"
SYMPTOMS = "down degraded unreachable flapping overloaded misrouting dropping congested silent restarting"
PARTS = (
    "transmitter rectifier antenna baseband router backhaul battery generator fibre switch microwave cooling "
    "controller amplifier feeder gateway firewall transponder inverter multiplexer"
)
CAUSES = (
    "power fibre|cut battery|failure software|defect configuration|error lightning|strike vandalism "
    "overheating flooding maintenance|overrun fuel|exhausted licence|expired hardware|fault human|error "
    "theft congestion"
)
SERVICES = "4G 5G Voice SMS Broadband Enterprise|VPN Roaming USSD IPTV Emergency"
PEOPLE = "amina chidi kwame fatou juma nadia tendai otieno zainab sipho"
# Of the newest thousand every fourth is open, and every ninth of those stands still.
OUTAGES = f"""
INSERT INTO outages_outage (
    reference, site_name, site_id, region, severity, state, description, affected_services,
    affected_subscribers, latitude, longitude, assigned_to, created_by, detected_at, recorded_at, resolved_at,
    resolved_by, mttr_minutes, acknowledged_by, paused_at, source, fingerprint, root_cause, resolution_notes,
    correlation_id, updated_at, version)
SELECT
    'OUT' || lpad(n::text, greatest(3, length(n::text)), '0'),
    pg_temp.word(site, 1, '{CITIES}') || ' ' || pg_temp.word(site, 2, '{KINDS}') || ' '
        || lpad(site::text, 4, '0'),
    'SITE' || lpad(site::text, 5, '0'),
    'Region ' || 1 + pg_temp.pick(site, 18, 12),
    severity,
    CASE WHEN is_open THEN CASE WHEN mod(n, 3) = 0 THEN 'investigating' ELSE 'active' END ELSE 'resolved' END,
    initcap(pg_temp.word(n, 3, '{PARTS}')) || ' ' || pg_temp.word(n, 4, '{SYMPTOMS}') || ', '
        || pg_temp.word(n, 5, '{PARTS}') || ' ' || pg_temp.word(n, 6, '{SYMPTOMS}')
        || ' since the alarm of unit U-' || pg_temp.pick(n, 7, 20000) || '; ticket '
        || substr(md5(n::text), 1, 8),
    ARRAY[replace(pg_temp.word(n, 8, '{SERVICES}'), '|', ' '), 'Data'],
    pg_temp.pick(n, 9, 50000),
    round(4 + pg_temp.pick(site, 10, 9000000) / 1000000.0, 6),
    round(3 + pg_temp.pick(site, 11, 11000000) / 1000000.0, 6),
    pg_temp.word(n, 12, '{PEOPLE}'),
    '1', detected_at, detected_at,
    CASE WHEN NOT is_open THEN detected_at + minutes * interval '1 minute' + interval '20 seconds' END,
    CASE WHEN is_open THEN '' ELSE '1' END,
    CASE WHEN NOT is_open THEN minutes END,
    '',
    CASE WHEN is_open AND mod(n, 9) = 0 THEN detected_at + interval '1 minute' END,
    'api', '',
    CASE WHEN is_open THEN '' ELSE replace(pg_temp.word(n, 13, '{CAUSES}'), '|', ' ') END,
    CASE WHEN is_open THEN '' ELSE 'Replaced the ' || pg_temp.word(n, 14, '{PARTS}') END,
    md5('c' || n), detected_at, 1
FROM (
    SELECT n, pg_temp.pick(n, 15, 4000) AS site,
        (ARRAY['critical', 'high', 'medium', 'low'])[1 + pg_temp.pick(n, 16, 4)] AS severity,
        now() - interval '3 hours' - (%(rows)s - n) * interval '90 seconds' AS detected_at,
        n > %(rows)s - 1000 AND mod(n, 4) = 0 AS is_open,
        1 + pg_temp.pick(n, 17, 150) AS minutes
    FROM generate_series(1, %(rows)s) n
) made
"""  # noqa: S608
FACTS = """
INSERT INTO outages_fact (outage_id, kind, detail, occurred_at, recorded_at, actor)
SELECT o.id, f.kind, f.detail, f.at, f.at, '1' FROM outages_outage o, LATERAL (VALUES
    ('detected', '', o.detected_at), ('severity', o.severity, o.detected_at),
    ('paused', 'waiting', o.paused_at),
    ('resolved', '', o.resolved_at)
) AS f(kind, detail, at) WHERE f.at IS NOT NULL
"""
RESULTS = """
INSERT INTO sla_slaresult (
    id, outage_id, policy_id, severity, status, outcome, rating, mttr_minutes, threshold_minutes, amount,
    reason_code, decision_trace, clock_source, is_latest, computed_at)
SELECT gen_random_uuid(), o.id, p.id, o.severity, v.*, o.mttr_minutes, p.threshold_minutes, a.amount,
    CASE WHEN over > 0 THEN 'mttr_exceeded' ELSE 'met_' || v.rating END,
    jsonb_build_array(format('%%s of %%s minutes', o.mttr_minutes, p.threshold_minutes)), 'measured', true,
    o.resolved_at
FROM outages_outage o
JOIN sla_policyversion p ON p.severity = o.severity AND p.effective_to IS NULL
CROSS JOIN LATERAL (SELECT o.mttr_minutes - p.threshold_minutes AS over,
    o.mttr_minutes * 100 / p.threshold_minutes AS ratio) m
CROSS JOIN LATERAL (SELECT
    CASE WHEN over > 0 THEN 'violated' ELSE 'met' END AS status,
    CASE WHEN over > 0 THEN 'penalty' ELSE 'reward' END AS outcome,
    CASE WHEN over > 0 THEN 'poor' WHEN ratio < 50 THEN 'exceptional' WHEN ratio < 75 THEN 'excellent'
        ELSE 'good' END AS rating) v
CROSS JOIN LATERAL (SELECT CASE WHEN over > 0 THEN -over * p.penalty_per_minute
    ELSE p.reward_base * CASE v.rating WHEN 'exceptional' THEN 2 WHEN 'excellent' THEN 1.5 ELSE 1 END
    END AS amount) a
WHERE o.mttr_minutes IS NOT NULL
"""
PAYMENTS = """
INSERT INTO payments_payment (
    source_key, type, sla_result_id, outage_id, payer, payee, amount, asset_code, from_address, to_address,
    state, reason, transaction_hash, ledger, correlation_id, created_at, confirmed_at)
SELECT 'sla:' || r.id, r.outcome, r.id, r.outage_id,
    CASE r.outcome WHEN 'reward' THEN 'pool' ELSE 'operator' END,
    CASE r.outcome WHEN 'reward' THEN 'operations' ELSE 'pool' END,
    abs(r.amount), 'USDC', '', '',
    CASE r.outcome WHEN 'reward' THEN 'paid' ELSE 'awaiting_payer' END,
    CASE r.outcome WHEN 'reward' THEN '' ELSE 'payer_has_not_paid' END,
    CASE r.outcome WHEN 'reward' THEN md5(r.id::text) || md5(r.outage_id::text) ELSE '' END,
    CASE r.outcome WHEN 'reward' THEN 1000 + r.outage_id END,
    md5('c' || r.outage_id), r.computed_at,
    CASE r.outcome WHEN 'reward' THEN r.computed_at + interval '6 seconds' END
FROM sla_slaresult r
"""
EVENTS = """
INSERT INTO audit_auditevent (event, subject, stream, actor, source, correlation_id, data, recorded_at)
SELECT e.event, 'outage:' || o.reference, 'outage:' || o.reference, '1', 'api', o.correlation_id,
    jsonb_build_object('outage_id', o.reference, 'site_name', o.site_name, 'severity', o.severity, 'status',
        CASE o.state WHEN 'resolved' THEN 'resolved' ELSE 'open' END, 'mttr_minutes', o.mttr_minutes), e.at
FROM outages_outage o, LATERAL (VALUES
    ('outage.created', o.detected_at), ('outage.resolved', o.resolved_at)
) AS e(event, at) WHERE e.at IS NOT NULL ORDER BY e.at
"""
NUMBER = "SELECT setval('outages_reference', %(rows)s)"


def seed(connection: BaseDatabaseWrapper, rows: int) -> None:
    """So many outages, the last of them detected three hours ago; statistics are taken afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET maintenance_work_mem = '512MB'")
        with transaction.atomic(using=connection.alias):
            fill(cursor, rows)
        for table in TABLES:
            cursor.execute(f"VACUUM ANALYZE {table}")


def fill(cursor: Any, rows: int) -> None:
    cursor.execute(PICK)
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    indexes = dropped(cursor)
    for statement in (OUTAGES, FACTS, RESULTS, PAYMENTS, EVENTS, NUMBER):
        cursor.execute(statement, {"rows": rows})
    for definition in indexes:
        cursor.execute(definition)


def dropped(cursor: Any) -> list[str]:
    """The definitions of what is no constraint's index; built at the end they cost a fraction."""
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique",
        [list(TABLES)],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=15_000, help="how many outages")
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apexchainx.settings")
    django.setup()
    begin = time.perf_counter()
    seed(connection, given.rows)
    sys.stdout.write(f"{given.rows} outages in {time.perf_counter() - begin:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
