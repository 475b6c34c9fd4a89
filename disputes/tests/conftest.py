"""Outages that are over, so that there is something to dispute."""

from collections.abc import Callable
from typing import Any

import pytest

from outages.models import Outage
from payments.services.settling import Settlement, settle


@pytest.fixture
def make_settled(make_outage: Callable[..., Outage], parties: None) -> Callable[..., Settlement]:
    """A resolved outage with its result and its payment, which is ready."""

    def make(**fields: Any) -> Settlement:
        return settle(make_outage(**fields).reference)

    return make


@pytest.fixture
def settled(make_settled: Callable[..., Settlement]) -> Settlement:
    return make_settled()
