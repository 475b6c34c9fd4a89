from django.apps import AppConfig


class DisputesConfig(AppConfig):
    """Objections to SLA results."""

    name = "disputes"
