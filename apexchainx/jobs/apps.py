"""Background work as its users see it; the rows are django-celery-results' own."""

from importlib import import_module

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "apexchainx.jobs"
    label = "jobs"

    def ready(self) -> None:
        import_module("apexchainx.jobs.signals")
