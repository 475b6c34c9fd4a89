from django.apps import AppConfig


class ApexChainXConfig(AppConfig):
    """The project itself: its commands."""

    name = "apexchainx"
