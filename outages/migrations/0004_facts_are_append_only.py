from django.db import migrations

BACKFILL = """
INSERT INTO outages_fact (outage_id, kind, detail, occurred_at, recorded_at, actor)
SELECT id, 'detected', '', detected_at, greatest(recorded_at, detected_at), created_by FROM outages_outage
UNION ALL
SELECT id, 'severity', severity, detected_at, greatest(recorded_at, detected_at), created_by FROM outages_outage
UNION ALL
SELECT id, 'resolved', '', resolved_at, greatest(resolution_recorded_at, resolved_at), resolved_by
FROM outages_outage WHERE resolved_at IS NOT NULL;
"""
# A fact goes with its outage and never alone: when the cascade comes to it, the outage is no longer there.
FORBID = """
ALTER TABLE outages_fact ADD CONSTRAINT fact_goes_with_its_outage
    FOREIGN KEY (outage_id) REFERENCES outages_outage (id) ON DELETE CASCADE;
CREATE FUNCTION outages_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_setting('apexchainx.test_database', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM outages_outage WHERE id = OLD.outage_id) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'facts are append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER fact_append_only BEFORE UPDATE OR DELETE ON outages_fact
    FOR EACH ROW EXECUTE FUNCTION outages_refuse();
CREATE TRIGGER fact_never_truncated BEFORE TRUNCATE ON outages_fact
    FOR EACH STATEMENT EXECUTE FUNCTION outages_refuse();
"""
ALLOW = """
DROP TRIGGER fact_never_truncated ON outages_fact;
DROP TRIGGER fact_append_only ON outages_fact;
DROP FUNCTION outages_refuse();
ALTER TABLE outages_fact DROP CONSTRAINT fact_goes_with_its_outage;
"""


class Migration(migrations.Migration):
    """The clock is read from facts; outages of before get theirs from what their row says."""

    dependencies = [("outages", "0003_evidence")]
    operations = [
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
        migrations.RunSQL(FORBID, ALLOW),
        migrations.RemoveField("outage", "resolution_recorded_at"),
    ]
