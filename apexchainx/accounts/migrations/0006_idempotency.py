import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """What is done once, and the shared cache that counts."""

    dependencies = [("accounts", "0005_keys")]
    operations = [
        migrations.CreateModel(
            name="IdempotencyRecord",
            fields=[
                (
                    "scope",
                    models.CharField(
                        help_text="SHA-256 of principal, method, path and key.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("principal", models.CharField(max_length=64)),
                ("path", models.TextField(help_text="Method and path.")),
                (
                    "request_digest",
                    models.CharField(help_text="SHA-256 of the query and the body.", max_length=64),
                ),
                ("status", models.PositiveSmallIntegerField()),
                ("body", models.BinaryField(help_text="As it was sent, without secrets.")),
                ("created_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="Counter",
            fields=[
                ("key", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE accounts_counter SET UNLOGGED", "ALTER TABLE accounts_counter SET LOGGED"
        ),
    ]
