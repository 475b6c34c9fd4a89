from collections.abc import Callable
from typing import Any

import pytest

from apexchainx.accounts.models import Role, User

RIGHT = "Blue-horse-7"


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.REGISTRATION_MODE = "open"


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    """An engineer with the password Blue-horse-7."""
    user = make_user(Role.ENGINEER, email="ada@example.com", password=RIGHT, full_name="Ada")
    user.refresh_from_db()
    return user
