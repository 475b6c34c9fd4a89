from django.db import migrations

CREATE = """
CREATE SEQUENCE outages_reference;
CREATE FUNCTION outages_next_reference() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    number bigint;
    candidate text;
BEGIN
    LOOP
        number := nextval('outages_reference');
        candidate := 'OUT' || lpad(number::text, greatest(3, length(number::text)), '0');
        EXIT WHEN NOT EXISTS (SELECT FROM outages_outage WHERE reference = candidate);
    END LOOP;
    RETURN candidate;
END $$;
"""
DROP = "DROP FUNCTION outages_next_reference(); DROP SEQUENCE outages_reference;"


class Migration(migrations.Migration):
    """Numbers for outages: OUT001, OUT002, ..., skipping what clients have taken."""

    dependencies = []
    operations = [migrations.RunSQL(CREATE, DROP)]
