from django.apps import AppConfig


class WalletsConfig(AppConfig):
    """Who can be paid, and at which address."""

    name = "wallets"
