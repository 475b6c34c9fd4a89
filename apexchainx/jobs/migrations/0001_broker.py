from django.db import migrations
from pgmq.install import get_embedded_install_sql


def install(apps, schema_editor):
    """The queues' own schema, so that kombu's pgmq transport needs no extension."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pgmq.meta') IS NOT NULL")
        if not cursor.fetchone()[0]:
            cursor.execute(get_embedded_install_sql())


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.RunPython(install, migrations.RunPython.noop),
        migrations.RunSQL(migrations.RunSQL.noop, "DROP SCHEMA IF EXISTS pgmq CASCADE"),
    ]
