import django.db.models.lookups
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """The keys that sign tokens; one at a time signs."""

    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kid", models.CharField(max_length=32, unique=True)),
                ("encrypted_secret", models.BinaryField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.lookups.IsNull(models.F("retired_at"), True),
                        condition=models.Q(("retired_at__isnull", True)),
                        name="accounts_one_key_signs",
                    )
                ],
            },
        ),
    ]
