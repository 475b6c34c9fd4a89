from django.db import migrations, models


class Migration(migrations.Migration):
    """Who acted in the actor's name. A default fills the old rows without an UPDATE, which the log refuses."""

    dependencies = [("audit", "0002_append_only")]
    operations = [
        migrations.AddField(
            model_name="auditevent",
            name="impersonator",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="The id of the admin who acted in the actor's name.",
                max_length=254,
            ),
        ),
    ]
