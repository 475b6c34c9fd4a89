from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("outages", "0004_facts_are_append_only")]
    operations = []
