from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION outages_next_reference() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    number bigint;
    candidate text;
    taken integer := 0;
BEGIN
    LOOP
        number := nextval('outages_reference');
        candidate := 'OUT' || lpad(number::text, greatest(3, length(number::text)), '0');
        EXIT WHEN NOT EXISTS (SELECT FROM outages_outage WHERE reference = candidate);
        taken := taken + 1;
        {jump}
    END LOOP;
    RETURN candidate;
END $$;
"""
JUMP = """
        IF taken = 100 THEN
            PERFORM setval('outages_reference', greatest(number, max(substring(reference FROM 4)::bigint)))
                FROM outages_outage WHERE reference ~ '^OUT[0-9]{3,9}$';
        END IF;
"""


class Migration(migrations.Migration):
    """Where a whole range of numbers is taken, as by an import, the next one is behind all that are."""

    dependencies = [("outages", "0007_facts_of_place")]
    operations = [migrations.RunSQL(FUNCTION.replace("{jump}", JUMP), FUNCTION.replace("{jump}", ""))]
