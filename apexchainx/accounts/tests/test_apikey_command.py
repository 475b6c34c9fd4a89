import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from apexchainx.accounts.models import ApiKey, User
from apexchainx.accounts.services.keys import create_key
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db


def apikey(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("apikey", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def status_with(raw: str) -> int:
    return int(APIClient().get("/api/v1/outages", headers={"X-Api-Key": raw}).status_code)


def test_a_key_stands_alone_on_standard_output_and_works() -> None:
    said, aside = apikey(
        "create", "--name", "ci", "--scope", "outages:read", "--expires", "2099-01-01T00:00:00Z"
    )

    key = ApiKey.objects.get()
    assert status_with(said.strip()) == 200
    assert (key.name, key.scopes, key.created_by, key.prefix) == ("ci", ["outages:read"], None, said[:8])
    assert str(key.pk) in aside
    assert said.strip() not in aside
    fact = AuditEvent.objects.get()
    assert (fact.event, fact.subject, fact.actor, fact.source) == (
        "api_key.created",
        f"api_key:{key.pk}",
        "system",
        "command",
    )


def test_a_dry_run_makes_nothing() -> None:
    assert apikey("create", "--scope", "sla:read", "--dry-run") == ("A key would be made for sla:read.\n", "")
    assert not ApiKey.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("extra", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scope", "outages:delete"], "There is no scope outages:delete."),
        (["--expires", "2020-01-01T00:00:00Z"], "A key ends in the future."),
        (["--expires", "tomorrow"], "Give the time with an offset"),
        (["--expires", "2099-01-01T00:00:00"], "Give the time with an offset"),
    ],
)
def test_what_makes_no_key(arguments: list[str], said: str, extra: list[str]) -> None:
    with pytest.raises(CommandError, match=said):
        apikey("create", *arguments, *extra)
    assert not ApiKey.objects.exists()


def test_all_keys_are_listed_without_the_keys(make_user: Callable[..., User], clock: Any) -> None:
    maker = make_user("admin")
    first = create_key(name="ci", scopes=["sla:read", "outages:read"], maker=maker)
    clock.shift(1)
    second = create_key()
    apikey("revoke", str(second.key.pk))

    assert apikey("list")[0].splitlines() == [
        f"{second.key.pk}  {second.raw[:8]}...  revoked   -  ",
        f"{first.key.pk}  {first.raw[:8]}...  live      outages:read,sla:read  ci",
    ]


def test_a_revoked_key_is_refused() -> None:
    new = create_key(scopes=["outages:read"])

    assert apikey("revoke", str(new.key.pk))[0] == f"Key {new.key.pk} is revoked.\n"
    assert status_with(new.raw) == 401
    assert AuditEvent.objects.filter(event="api_key.revoked").count() == 1


@pytest.mark.parametrize("key_id", ["nonsense", "7b5a1c1e-3f4d-4a7e-9c77-000000000001"])
def test_what_is_no_key_is_not_revoked(key_id: str) -> None:
    with pytest.raises(CommandError, match="There is no such key"):
        apikey("revoke", key_id)


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("apikey", "--help")

    assert ended.value.code == 0
    assert "manage.py apikey revoke" in capsys.readouterr().out
