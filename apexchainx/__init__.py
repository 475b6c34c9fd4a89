"""ApexChainX: from a network outage to settled money, with proof."""

from apexchainx.celery import app as celery_app

__all__ = ("celery_app",)
