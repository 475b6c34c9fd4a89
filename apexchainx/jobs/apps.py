"""Background work as its users see it; the rows are django-celery-results' own."""

from django.apps import AppConfig

from apexchainx.jobs import signals


class JobsConfig(AppConfig):
    name = "apexchainx.jobs"
    label = "jobs"

    def ready(self) -> None:
        signals.connect()
