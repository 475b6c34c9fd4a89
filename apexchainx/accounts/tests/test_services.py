"""The services themselves, for callers that are no serializer: commands, the admin, other apps."""

from collections.abc import Callable
from typing import Any

import pytest

from apexchainx.accounts.models import Role, User
from apexchainx.accounts.services.login import login
from apexchainx.accounts.services.users import create_user, register
from apexchainx.errors import Conflict, Invalid, Refused, Unauthenticated

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("acting")]

RIGHT = "Blue-horse-7"
WIDE = "\uff22\uff4c\uff55\uff45-horse-7"


def test_an_address_and_a_password_are_kept_in_their_normal_form() -> None:
    create_user(User(email=" Ada@Example.com"), password=WIDE)

    assert User.objects.get().email == "ada@example.com"
    assert login(email="ADA@example.com", password=RIGHT).user.email == "ada@example.com"
    assert login(email="ada@example.com ", password=WIDE).user.email == "ada@example.com"


def test_a_user_is_made_with_the_fact_that_says_so(facts: Callable[..., Any], acting: object) -> None:
    user = create_user(User(email="ada@example.com", role=Role.MANAGER), password=RIGHT)

    assert facts(actor="7", data={"role": "manager"}) == [("user.created", f"user:{user.pk}")]


@pytest.mark.parametrize(
    ("email", "password", "refusal"),
    [("bob@example.com", "weak", Invalid), ("ADA@example.com", RIGHT, Conflict)],
)
def test_a_refused_user_leaves_nothing(
    make_user: Callable[..., User],
    facts: Callable[..., Any],
    email: str,
    password: str,
    refusal: type[Exception],
) -> None:
    make_user(email="ada@example.com")

    with pytest.raises(refusal):
        create_user(User(email=email), password=password)
    assert User.objects.count() == 1
    assert facts() == []


def test_nobody_enters_with_a_password_that_was_never_set(make_user: Callable[..., User]) -> None:
    ada = make_user(email="ada@example.com")

    for password in ("", ada.password, "None"):
        with pytest.raises(Unauthenticated):
            login(email="ada@example.com", password=password)


def test_somebody_who_is_no_admin_vouches_for_nobody(make_user: Callable[..., User]) -> None:
    with pytest.raises(Refused):
        register(email="bob@example.com", password=RIGHT, role=Role.ADMIN, by=make_user(Role.MANAGER))
    assert User.objects.count() == 1
