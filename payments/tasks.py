"""Doorbells: each says only that something may be due."""

import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

from apexchainx.errors import Unavailable
from payments.settlement import contract, payouts
from sla.services.contract import is_in_charge

logger = logging.getLogger(__name__)


@shared_task
def advance() -> int:
    """Carry whatever is due; the answer is the number of steps taken."""
    return payouts.advance()


@shared_task
def advance_contract() -> int:
    """Carry whatever the contract is asked or ordered, and after it the payments that waited for that."""
    steps = contract.advance()
    if steps:
        ring()
    return steps


def ring() -> None:
    """Wake the signer; a lost ring is made good by the next sweep."""
    advance.delay()


def ring_contract() -> None:
    advance_contract.delay()


@worker_ready.connect(dispatch_uid="payments.check_contract")
def check_contract(**_: Any) -> None:
    """The signer says at its start whether it can work with the contract."""
    if not is_in_charge() or not settings.STELLAR_CONTRACT_OPERATOR_SECRET_FILE:
        return
    try:
        logger.info("The SLA contract is %s", contract.check())
    except Unavailable as error:
        logger.warning("The SLA contract cannot be asked: %s", error)
