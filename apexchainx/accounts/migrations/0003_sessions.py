import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

END = """
CREATE FUNCTION accounts_end_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts_session
    SET ended_at = clock_timestamp(),
        ended_reason = CASE
            WHEN OLD.is_active IS DISTINCT FROM NEW.is_active THEN 'deactivated'
            WHEN OLD.password IS DISTINCT FROM NEW.password THEN 'password_changed'
            ELSE 'role_changed'
        END
    WHERE (user_id = NEW.id OR impersonator_id = NEW.id) AND ended_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_sessions_end_with_password_role_or_activity AFTER UPDATE ON accounts_user
    FOR EACH ROW
    WHEN ((OLD.password, OLD.role, OLD.is_active) IS DISTINCT FROM (NEW.password, NEW.role, NEW.is_active))
    EXECUTE FUNCTION accounts_end_sessions();
"""
LEAVE = """
DROP TRIGGER accounts_sessions_end_with_password_role_or_activity ON accounts_user;
DROP FUNCTION accounts_end_sessions();
"""
REASONS = [
    ("logged_out", "Logged Out"),
    ("logged_out_everywhere", "Logged Out Everywhere"),
    ("removed", "Removed from the list by its owner"),
    ("admin_logout", "Admin Logout"),
    ("token_reused", "Token Reused"),
    ("password_changed", "Password Changed"),
    ("role_changed", "Role Changed"),
    ("deactivated", "Deactivated"),
]


class Migration(migrations.Migration):
    """Sessions as families of tokens: a change of what they rest on ends them, whoever makes it."""

    dependencies = [("accounts", "0002_signing_keys")]
    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "last_used_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="When it was begun, refreshed or renewed; not every request counts.",
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_reason", models.CharField(blank=True, choices=REASONS, max_length=32)),
                ("address", models.CharField(blank=True, max_length=64)),
                ("user_agent", models.CharField(blank=True, max_length=200)),
                (
                    "refresh_digest",
                    models.CharField(help_text="SHA-256 of the newest refresh token.", max_length=64, unique=True),
                ),
                (
                    "generation",
                    models.PositiveIntegerField(default=1, help_text="How many refresh tokens there have been."),
                ),
                (
                    "refreshed_at",
                    models.DateTimeField(blank=True, help_text="When the newest one was made.", null=True),
                ),
                (
                    "impersonator",
                    models.ForeignKey(
                        blank=True,
                        help_text="The admin who acts as the user.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="impersonations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=["user", "-created_at"],
                        name="accounts_open_sessions",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_reason", "")),
                            models.Q(
                                ("ended_at__isnull", False), models.Q(("ended_reason", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="accounts_an_ended_session_says_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="accounts_session_expires_after_it_began",
                    ),
                ],
            },
        ),
        migrations.RunSQL(END, LEAVE),
    ]
