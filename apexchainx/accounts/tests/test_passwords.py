import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.utils.http import int_to_base36
from rest_framework.test import APIClient

from apexchainx import settings as written
from apexchainx.accounts import mail, tasks
from apexchainx.accounts.models import User
from apexchainx.accounts.passwords import CompositionValidator, PassphraseValidator, normalised
from apexchainx.accounts.services import passwords
from apexchainx.accounts.services.sessions import begin
from apexchainx.errors import Invalid
from audit.models import AuditEvent


@pytest.mark.parametrize(
    "password", ["Blue-horse-7", "Aa1 aaaa", "Пароль-7", "Aa1\u00a7\u00a7\u00a7\u00a7\u00a7"]
)
def test_a_good_password(password: str) -> None:
    CompositionValidator().validate(password)


@pytest.mark.parametrize(
    "password", ["", "Blue-7h", "blue-horse-7", "BLUE-HORSE-7", "Blue-horse-x", "Bluehorse77"]
)
def test_a_password_that_lacks_something(password: str) -> None:
    with pytest.raises(ValidationError):
        CompositionValidator().validate(password)


def test_length_is_counted_in_the_normal_form() -> None:
    CompositionValidator().validate("Aa1-" + "e\u0301" * 124)
    with pytest.raises(ValidationError, match="at most 128"):
        CompositionValidator().validate("Aa1-" + "\ufdfa" * 8)


def test_normalising_twice_is_normalising_once() -> None:
    for text in ("\uff22\uff4c\uff55\uff45", "Cafe\u0301", "\ufb01sh", "\ufdfa", "\u1e9b\u0323"):
        assert normalised(normalised(text)) == normalised(text)


def test_a_long_password_counts_to_its_last_character() -> None:
    """Plain bcrypt stops at 72 bytes."""
    assert written.PASSWORD_HASHERS == ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
    hasher = BCryptSHA256PasswordHasher()
    hasher.rounds = 4
    kept = hasher.encode("é" * 100 + "a", hasher.salt())

    assert hasher.verify("é" * 100 + "a", kept)
    assert not hasher.verify("é" * 100 + "b", kept)


@pytest.mark.parametrize("password", ["correct horse battery", "fifteen letters", "\u00e9" * 128])
def test_a_passphrase_is_long_and_of_any_kind(password: str) -> None:
    PassphraseValidator().validate(password)


@pytest.mark.parametrize("password", ["fourteen chars", "e\u0301" * 14, "x" * 129])
def test_a_passphrase_of_another_length_is_refused(password: str) -> None:
    with pytest.raises(ValidationError, match=r"at (least 15|most 128) characters"):
        PassphraseValidator().validate(password)


@pytest.mark.parametrize("name", ["CompositionValidator", "PassphraseValidator"])
@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("Password123", "password_too_common"),
        ("\uff30assword123", "password_too_common"),
        ("My-ADA.obi-password-7", "password_own_address"),
        ("My-\uff21DA.obi-password-7", "password_own_address"),
    ],
)
def test_both_policies_refuse_the_common_and_the_own_address(
    settings: Any, name: str, password: str, code: str
) -> None:
    policy = f"apexchainx.accounts.passwords.{name}"
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": policy}, *written.AUTH_PASSWORD_VALIDATORS[1:]]

    with pytest.raises(ValidationError) as refusal:
        validate_password(password, User(email="ada.obi@example.com"))

    assert code in {error.code for error in refusal.value.error_list}


def test_an_address_of_two_letters_is_in_many_a_word() -> None:
    validate_password("Blue-horse-7", User(email="se@example.com"))


def run(code: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command, environment = (sys.executable, "-c", code), {**os.environ, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize(
    ("policy", "first"), [("standard", "CompositionValidator"), ("nist", "PassphraseValidator")]
)
def test_the_environment_chooses_the_policy(policy: str, first: str) -> None:
    code = "from apexchainx.settings import AUTH_PASSWORD_VALIDATORS as all; print([v['NAME'] for v in all])"

    said = run(code, PASSWORD_POLICY=policy)

    names = (first, "BlocklistValidator", "OwnAddressValidator")
    assert said.stdout == f"{[f'apexchainx.accounts.passwords.{name}' for name in names]}\n"


def test_a_policy_that_is_none_stops_the_start() -> None:
    said = run("import apexchainx.settings", PASSWORD_POLICY="strict")  # noqa: S106

    assert said.returncode == 1
    assert "PASSWORD_POLICY must be standard or nist." in said.stderr


def test_people_are_told_the_rule() -> None:
    assert "At least 8 characters" in password_validators_help_texts()[0]


@pytest.mark.django_db
def test_a_password_that_django_changes_is_recorded(facts: object, monkeypatch: pytest.MonkeyPatch) -> None:
    user = User.objects.create(email="ada@example.com")
    session = begin(user).session
    monkeypatch.setattr("getpass.getpass", lambda **_: "Blue-horse-7")

    call_command("changepassword", "ada@example.com", verbosity=0)

    user.refresh_from_db()
    assert user.check_password("Blue-horse-7")
    session.refresh_from_db()
    assert session.ended_reason == "password_changed"
    assert facts() == [("user.changed", f"user:{user.pk}")]  # type: ignore[operator]


# A new password for the old one

LOGIN, ME = "/api/v1/auth/login", "/api/v1/auth/me"
CHANGE = "/api/v1/auth/password/change"
RESET, CONFIRM = "/api/v1/auth/password/reset", "/api/v1/auth/password/reset/confirm"
RIGHT, NEW = "Blue-horse-7", "Red-horse-77"


def log_in(password: str) -> int:
    response = APIClient().post(LOGIN, {"email": "ada@example.com", "password": password})
    return int(response.status_code)


def me(token: str) -> int:
    return int(APIClient().get(ME, headers={"Authorization": f"Bearer {token}"}).status_code)


@pytest.mark.django_db
def test_a_change_ends_every_session_and_answers_a_new_one(ada: User, facts: Callable[..., Any]) -> None:
    here, there = begin(ada).access_token, begin(ada).access_token
    client = APIClient(headers={"Authorization": f"Bearer {here}"})

    response = client.post(CHANGE, {"current_password": RIGHT, "new_password": NEW})

    assert response.status_code == 200
    assert (me(here), me(there), me(response.json()["access_token"])) == (401, 401, 200)
    assert response.cookies["noc_access_token"].value == response.json()["access_token"]
    assert facts(event="user.changed", actor=str(ada.pk)) == [("user.changed", f"user:{ada.pk}")]
    assert (log_in(RIGHT), log_in(NEW)) == (401, 200)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("Blue-horse-8", NEW, "current_password"),
        (RIGHT, "weak", "new_password"),
        (RIGHT, "My-ada-password-7", "new_password"),
    ],
)
def test_a_refused_change_changes_nothing(
    client_of: Callable[[User], APIClient],
    ada: User,
    facts: Callable[..., Any],
    current: str,
    new: str,
    field: str,
) -> None:
    client = client_of(ada)

    response = client.post(CHANGE, {"current_password": current, "new_password": new})

    assert (response.status_code, response.json()["error"]["details"]["field"]) == (400, field)
    assert client.get(ME).status_code == 200
    assert facts(event="user.changed", actor=str(ada.pk)) == []
    assert log_in(RIGHT) == 200


@pytest.mark.django_db
def test_guessing_the_current_password_is_limited(
    client_of: Callable[[User], APIClient], ada: User, facts: Callable[..., Any]
) -> None:
    client = client_of(ada)
    guesses = [
        client.post(CHANGE, {"current_password": word, "new_password": NEW})
        for word in (*["Blue-horse-8"] * 5, RIGHT)
    ]

    assert [guess.status_code for guess in guesses] == [400] * 5 + [429]
    assert guesses[-1].json()["error"]["code"] == "ACCOUNT_LOCKED"
    assert facts(event__in=["auth.proof_failed", "auth.account_locked"]) == [
        *[("auth.proof_failed", f"user:{ada.pk}")] * 5,
        ("auth.account_locked", f"user:{ada.pk}"),
    ]
    assert log_in(RIGHT) == 200


# A new password by mail


@pytest.fixture
def mailed(ada: User, mailoutbox: list[Any]) -> str:
    """The token that Ada has in her mail."""
    tasks.send_password_reset(ada.pk)
    return token_in(mailoutbox[-1])


def token_in(message: Any) -> str:
    found = re.search(r"token=(\S+)", message.body)
    assert found
    return found[1]


@pytest.mark.django_db
def test_mail_goes_to_the_user_after_the_commit(
    ada: User,
    mailoutbox: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    facts: Callable[..., Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(tasks.send_password_reset, "delay", tasks.send_password_reset)

    with django_capture_on_commit_callbacks(execute=True):
        response = APIClient().post(RESET, {"email": "ADA@example.com"})
        assert (response.status_code, mailoutbox) == (202, [])

    message = mailoutbox[0]
    assert (message.to, message.subject) == (["ada@example.com"], "A new password for ApexChainX")
    assert f"http://localhost:8000/reset-password?token={token_in(message)}" in message.body
    assert "within 60 minutes" in message.body
    assert facts(event="auth.password_reset_asked") == [("auth.password_reset_asked", f"user:{ada.pk}")]


@pytest.mark.django_db
def test_nobody_else_gets_mail(make_user: Callable[..., User], mailoutbox: list[Any]) -> None:
    for user_id in (0, 4711, make_user(is_active=False).pk):
        tasks.send_password_reset(user_id)

    assert mailoutbox == []


@pytest.mark.django_db
def test_a_token_from_the_mail_sets_a_password_once(
    ada: User, mailed: str, facts: Callable[..., Any]
) -> None:
    session = begin(ada)

    first = APIClient().post(CONFIRM, {"token": mailed, "new_password": NEW})
    second = APIClient().post(CONFIRM, {"token": mailed, "new_password": "Grey-horse-77"})

    assert (first.status_code, second.status_code) == (200, 400)
    assert second.json()["error"]["details"]["field"] == "token"
    assert me(session.access_token) == 401
    assert (log_in(RIGHT), log_in("Grey-horse-77"), log_in(NEW)) == (401, 401, 200)
    assert facts(event="auth.password_reset", actor=str(ada.pk)) == [
        ("auth.password_reset", f"user:{ada.pk}")
    ]


@pytest.mark.django_db
def test_a_reset_opens_a_locked_account(ada: User, mailed: str) -> None:
    assert [log_in("Blue-horse-8") for _ in range(6)] == [401] * 5 + [429]

    APIClient().post(CONFIRM, {"token": mailed, "new_password": NEW})

    assert log_in(NEW) == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_resets_at_once_one_wins(make_user: Callable[..., User]) -> None:
    ada = make_user(email="ada@example.com", password=RIGHT)
    token = mail.reset_token(ada)

    def reset(password: str) -> str:
        try:
            passwords.reset(token, new=password)
        except Invalid:
            return ""
        finally:
            connection.close()
        return password

    with ThreadPoolExecutor(8) as pool:
        winners = [
            word for word in pool.map(reset, [f"Red-horse-{number}" for number in range(70, 78)]) if word
        ]

    assert len(winners) == 1
    assert log_in(winners[0]) == 200


@pytest.mark.django_db
def test_a_token_is_good_for_an_hour(clock: time_machine.Traveller, ada: User) -> None:
    token = mail.reset_token(ada)

    clock.shift(3600)
    assert mail.holder_of(token) == ada
    clock.shift(1)
    response = APIClient().post(CONFIRM, {"token": token, "new_password": NEW})

    assert (response.status_code, log_in(RIGHT)) == (400, 200)


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "x", ".", "1.", "1.x-y", "-1.a-b", "zzzzzzzzzzzzz.a-b", "\u0663.a-b"])
def test_what_is_no_token(ada: User, token: str) -> None:
    response = APIClient().post(CONFIRM, {"token": token, "new_password": NEW})

    assert (response.status_code, response.json()["error"]["details"]["field"]) == (400, "token")


@pytest.mark.django_db
def test_a_token_serves_nobody_else(ada: User, make_user: Callable[..., User], mailed: str) -> None:
    bob = make_user(email="bob@example.com", password=RIGHT)
    forged = f"{int_to_base36(bob.pk)}.{mailed.partition('.')[2]}"

    response = APIClient().post(CONFIRM, {"token": forged, "new_password": NEW})

    bob.refresh_from_db()
    assert (response.status_code, bob.check_password(RIGHT)) == (400, True)


@pytest.mark.django_db
def test_a_weak_password_does_not_spend_the_token(mailed: str) -> None:
    weak = APIClient().post(CONFIRM, {"token": mailed, "new_password": "weak"})
    strong = APIClient().post(CONFIRM, {"token": mailed, "new_password": NEW})

    assert (weak.status_code, strong.status_code) == (400, 200)
    assert weak.json()["error"]["details"]["field"] == "new_password"


@pytest.mark.django_db
def test_neither_token_nor_password_is_recorded_or_logged(
    mailed: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    APIClient().post(CONFIRM, {"token": mailed, "new_password": NEW})
    APIClient().post(CONFIRM, {"token": mailed, "new_password": NEW})

    said = caplog.text + "".join(capfd.readouterr()) + str(list(AuditEvent.objects.values()))
    assert AuditEvent.objects.filter(event="auth.password_reset").exists()
    assert mailed not in said
    assert NEW not in said
