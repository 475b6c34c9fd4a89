from django.db import migrations

# STABLE, not IMMUTABLE, because to_char is: so the planner writes them into the statement that calls them.
CREATE = """
CREATE FUNCTION json_moment(timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_char($1 AT TIME ZONE 'UTC', CASE WHEN date_trunc('second', $1) = $1
        THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"' ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' END)
$$;
CREATE FUNCTION json_money(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT round($1, greatest(min_scale($1), 2))
$$;
"""
DROP = "DROP FUNCTION json_moment(timestamptz); DROP FUNCTION json_money(numeric);"


class Migration(migrations.Migration):
    """Times and amounts as our renderer writes them, for documents that the database writes."""

    dependencies = [("audit", "0003_impersonator")]
    operations = [migrations.RunSQL(CREATE, DROP)]
