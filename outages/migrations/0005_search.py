import django.contrib.postgres.indexes
import django.contrib.postgres.search
import outages.models.columns
from django.contrib.postgres.operations import CreateExtension, TrigramExtension
from django.db import migrations, models

CREATE = """
CREATE FUNCTION outages_told(text, "char") RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('english', told) || to_tsvector('simple', told), $2)
    FROM regexp_replace($1, '[^[:alnum:]]+', ' ', 'g') told
$$;
CREATE FUNCTION outages_search_vector(
    site_name text, site_id text, reference text, services text[], root_cause text, description text, notes text
) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT outages_told(site_name || ' ' || site_id, 'A')
        || outages_told(array_to_string(services, ' ') || ' ' || root_cause, 'B')
        || outages_told(description || ' ' || notes, 'C')
$$;
CREATE FUNCTION outages_search_text(
    site_name text, site_id text, reference text, services text[], root_cause text, description text, notes text
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(concat_ws(' ', site_name, site_id, reference, array_to_string(services, ' '), root_cause,
        description, notes))
$$;
CREATE FUNCTION outages_relevance(told tsvector, asked tsquery, detected_at timestamptz) RETURNS float8
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ts_rank('{0.05, 0.2, 0.5, 1.0}', told, asked)
        / (1 + greatest(extract(epoch FROM statement_timestamp() - detected_at)::float8, 0) / (86400 * 90))
$$;
"""
DROP = """
DROP FUNCTION outages_relevance(tsvector, tsquery, timestamptz);
DROP FUNCTION outages_search_text(text, text, text, text[], text, text, text);
DROP FUNCTION outages_search_vector(text, text, text, text[], text, text, text);
DROP FUNCTION outages_told(text, "char");
"""


class Migration(migrations.Migration):
    """Full text, parts of words and small errors of typing."""

    dependencies = [("outages", "0004_facts_are_append_only")]
    operations = [
        TrigramExtension(),
        CreateExtension("fuzzystrmatch"),
        migrations.RunSQL(CREATE, DROP),
        migrations.CreateModel(
            name='Learning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('read_until', models.DateTimeField(help_text='Outages that changed before this have been read.')),
            ],
        ),
        migrations.CreateModel(
            name='Word',
            fields=[
                ('word', models.CharField(max_length=64, primary_key=True, serialize=False)),
            ],
        ),
        migrations.AddField(
            model_name='outage',
            name='search_text',
            field=outages.models.columns.SearchField(db_persist=True, expression=outages.models.columns.SearchText(), output_field=models.TextField()),
        ),
        migrations.AddField(
            model_name='outage',
            name='search_vector',
            field=outages.models.columns.SearchField(db_persist=True, expression=outages.models.columns.SearchVector(), output_field=django.contrib.postgres.search.SearchVectorField()),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search_vector'], name='outage_search_words'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass('search_text', 'gin_trgm_ops'), name='outage_search_parts'),
        ),
        migrations.AddIndex(
            model_name='word',
            index=django.contrib.postgres.indexes.GistIndex(django.contrib.postgres.indexes.OpClass('word', 'gist_trgm_ops'), name='word_by_likeness'),
        ),
    ]
