from datetime import UTC, datetime

from django.db import migrations

BUILT_IN = (("critical", 15, 100, 750), ("high", 30, 50, 750), ("medium", 60, 25, 750), ("low", 120, 10, 600))


def publish(apps, schema_editor):
    versions = apps.get_model("sla", "PolicyVersion").objects
    for severity, threshold, penalty, reward in BUILT_IN:
        versions.create(
            severity=severity,
            version=1,
            threshold_minutes=threshold,
            penalty_per_minute=penalty,
            reward_base=reward,
            effective_from=datetime(2000, 1, 1, tzinfo=UTC),
            published_by="system",
        )


def withdraw(apps, schema_editor):
    apps.get_model("sla", "PolicyVersion").objects.filter(version=1, published_by="system").delete()


class Migration(migrations.Migration):
    dependencies = [("sla", "0001_initial")]
    operations = [migrations.RunPython(publish, withdraw)]
