"""The Django app of the ledger: no models, one command."""

from django.apps import AppConfig


class StellarConfig(AppConfig):
    name = "apexchainx.stellar"
    label = "stellar"
