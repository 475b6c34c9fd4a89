"""A second factor: set up, asked for, accepted once, and due for admins."""

import time
from base64 import b32decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from django.db import connection
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework.test import APIClient

from apexchainx.accounts.models import AttemptCounter, BackupCode, Role, Session, User
from apexchainx.accounts.services import twofactor
from apexchainx.accounts.services.sessions import begin
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

LOGIN, ME, LOGOUT = "/api/v1/auth/login", "/api/v1/auth/me", "/api/v1/auth/logout"
SETUP, VERIFY = "/api/v1/auth/2fa/setup", "/api/v1/auth/2fa/verify"
DISABLE, BACKUP_CODES = "/api/v1/auth/2fa/disable", "/api/v1/auth/2fa/backup-codes"
RIGHT = "Blue-horse-7"


def shown(secret: str, *, steps: int = 0) -> str:
    """What a device with this secret shows, now or so many steps later."""
    device = TOTP(b32decode(secret))
    device.time = time.time() + 30 * steps
    return f"{device.token():06d}"


def wrong(secret: str) -> str:
    return f"{(int(shown(secret)) + 1) % 1_000_000:06d}"


def log_in(**body: str) -> Any:
    return APIClient().post(LOGIN, {"email": "ada@example.com", "password": RIGHT, **body})


def said(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def switched_on(user: User) -> twofactor.Setup:
    """The second factor of a user who has one; the code of this step is spent."""
    setup = twofactor.start(user)
    twofactor.confirm(user, code=shown(setup.secret))
    user.refresh_from_db()
    return setup


@pytest.fixture
def client(client_of: Callable[[User], APIClient], ada: User) -> APIClient:
    return client_of(ada)


# Setting it up


def test_the_way_to_a_second_factor(
    clock: time_machine.Traveller, client: APIClient, ada: User, facts: Callable[..., Any]
) -> None:
    setup = client.post(SETUP).json()

    assert set(setup) == {"secret", "qrCodeUrl", "backupCodes"}
    assert setup["qrCodeUrl"].startswith("data:image/svg+xml")
    assert "<svg" in unquote(setup["qrCodeUrl"])
    assert len(b32decode(setup["secret"])) == 20
    assert len(set(setup["backupCodes"])) == 10
    assert all(len(code) == 11 and code[5] == "-" for code in setup["backupCodes"])
    assert log_in().status_code == 200

    response = client.post(VERIFY, {"code": shown(setup["secret"])})

    assert (response.status_code, response.json()) == (200, {"success": True})
    assert said(log_in()) == (401, "TWO_FACTOR_REQUIRED")
    assert client.get(ME).status_code == 200
    assert facts(event__startswith="auth.second") == [
        ("auth.second_factor_started", f"user:{ada.pk}"),
        ("auth.second_factor_enabled", f"user:{ada.pk}"),
    ]


def test_the_picture_is_what_a_device_reads(ada: User) -> None:
    setup = twofactor.start(ada)

    url = TOTPDevice.objects.get().config_url
    assert url == (
        f"otpauth://totp/ApexChainX%3Aada%40example.com?secret={setup.secret}"
        "&algorithm=SHA1&digits=6&period=30&issuer=ApexChainX"
    )


def test_a_wrong_code_confirms_nothing(client: APIClient, ada: User) -> None:
    secret = client.post(SETUP).json()["secret"]

    response = client.post(VERIFY, {"code": wrong(secret)})

    ada.refresh_from_db()
    assert (response.status_code, response.json()["error"]["details"]["field"]) == (400, "code")
    assert (ada.second_factor_at, log_in().status_code) == (None, 200)


@pytest.mark.parametrize(
    "code", ["abcdef", "12345", "1234567", "\u0661\u0662\u0663\u0664\u0665\u0666", "-12345"]
)
def test_what_no_device_shows_confirms_nothing(client: APIClient, ada: User, code: str) -> None:
    client.post(SETUP)

    assert client.post(VERIFY, {"code": code}).status_code == 400
    assert TOTPDevice.objects.get().confirmed is False


def test_verifying_what_was_not_started_conflicts(client: APIClient) -> None:
    assert said(client.post(VERIFY, {"code": "123456"})) == (409, "CONFLICT")


def test_a_second_factor_is_not_replaced_from_inside(client: APIClient, ada: User) -> None:
    setup = switched_on(ada)

    assert said(client.post(SETUP)) == (409, "CONFLICT")
    assert TOTPDevice.objects.get().confirmed is True
    assert log_in(code=setup.backup_codes[0]).status_code == 200


def test_starting_again_voids_what_was_started(client: APIClient, ada: User) -> None:
    first, second = client.post(SETUP).json(), client.post(SETUP).json()

    assert client.post(VERIFY, {"code": shown(first["secret"])}).status_code == 400
    assert client.post(VERIFY, {"code": shown(second["secret"])}).status_code == 200
    assert log_in(code=first["backupCodes"][0]).status_code == 401
    assert log_in(code=second["backupCodes"][0]).status_code == 200


# At the door


def test_the_code_is_asked_for_after_the_right_password_only(ada: User) -> None:
    switched_on(ada)

    wrong_password = {"password": "Red-horse-7"}
    assert said(log_in(**wrong_password)) == (401, "UNAUTHORIZED")
    assert said(log_in(**wrong_password, code="123456")) == (401, "UNAUTHORIZED")
    assert said(log_in()) == (401, "TWO_FACTOR_REQUIRED")
    assert Session.objects.count() == 0


def test_each_step_of_the_device_is_accepted_once(clock: time_machine.Traveller, ada: User) -> None:
    secret = switched_on(ada).secret
    assert said(log_in(code=shown(secret))) == (401, "WRONG_CODE")

    clock.shift(30)
    code = shown(secret)
    assert log_in(code=f" {code[:3]} {code[3:]}").status_code == 200
    assert said(log_in(code=code)) == (401, "WRONG_CODE")
    clock.shift(30)
    assert said(log_in(code=code)) == (401, "WRONG_CODE")
    assert log_in(code=shown(secret)).status_code == 200


def test_a_device_may_be_half_a_minute_off(clock: time_machine.Traveller, ada: User) -> None:
    secret = switched_on(ada).secret
    clock.shift(300)

    assert log_in(code=shown(secret, steps=-1)).status_code == 200
    assert said(log_in(code=shown(secret, steps=3))) == (401, "WRONG_CODE")


def test_each_backup_code_is_accepted_once(ada: User, facts: Callable[..., Any]) -> None:
    codes = switched_on(ada).backup_codes

    assert log_in(code=codes[0]).status_code == 200
    assert said(log_in(code=codes[0])) == (401, "WRONG_CODE")
    assert log_in(code=codes[1].upper().replace("-", " ")).status_code == 200

    assert facts(event="auth.backup_code_used") == [("auth.backup_code_used", f"user:{ada.pk}")] * 2
    left = (
        AuditEvent.objects.filter(event="auth.backup_code_used").order_by("id").values_list("data", flat=True)
    )
    assert list(left) == [{"left": 9}, {"left": 8}]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["backup code", "device"])
def test_of_many_at_once_with_one_code_one_is_let_in(
    make_user: Callable[..., User], settings: Any, clock: time_machine.Traveller, kind: str
) -> None:
    settings.AUTH_MAX_FAILED_ATTEMPTS = 100
    setup = switched_on(make_user(email="ada@example.com", password=RIGHT))
    clock.shift(30)
    code = setup.backup_codes[0] if kind == "backup code" else shown(setup.secret)

    def enter(_: int) -> int:
        try:
            return int(log_in(code=code).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(enter, range(16)))

    assert sorted(statuses) == [200] + [401] * 15
    assert Session.objects.count() == 1


def test_wrong_codes_are_failed_attempts(
    clock: time_machine.Traveller, ada: User, facts: Callable[..., Any]
) -> None:
    """Asking without a code in between starts no new count."""
    secret = switched_on(ada).secret
    clock.shift(30)

    answers = [said(log_in(code=wrong(secret))) for _ in range(4)]
    answers += [said(log_in()), said(log_in()), said(log_in(code=wrong(secret)))]

    assert answers == [
        *[(401, "WRONG_CODE")] * 4,
        *[(401, "TWO_FACTOR_REQUIRED")] * 2,
        (401, "WRONG_CODE"),
    ]
    assert said(log_in(code=shown(secret))) == (429, "ACCOUNT_LOCKED")
    assert facts(event="auth.account_locked") == [("auth.account_locked", f"user:{ada.pk}")]
    reasons = (
        AuditEvent.objects.filter(event="auth.login_failed").order_by("id").values_list("data", flat=True)
    )
    assert [data["reason"] for data in reasons] == [
        *["wrong_code"] * 4,
        *["two_factor_required"] * 2,
        "wrong_code",
    ]


# Doing without, and new backup codes


def test_disabling_takes_a_code(client: APIClient, ada: User, facts: Callable[..., Any]) -> None:
    setup = switched_on(ada)
    assert client.post(DISABLE, {"code": wrong(setup.secret)}).status_code == 400
    assert said(log_in()) == (401, "TWO_FACTOR_REQUIRED")

    response = client.post(DISABLE, {"code": setup.backup_codes[3]})

    assert (response.status_code, response.json()) == (200, {"success": True})
    assert (TOTPDevice.objects.count(), BackupCode.objects.count()) == (0, 0)
    assert log_in().status_code == 200
    assert facts(event="auth.second_factor_disabled", actor=str(ada.pk)) == [
        ("auth.second_factor_disabled", f"user:{ada.pk}")
    ]


@pytest.mark.parametrize("path", [DISABLE, BACKUP_CODES])
def test_codes_are_not_guessed_from_inside(client: APIClient, ada: User, path: str) -> None:
    setup = switched_on(ada)

    statuses = [client.post(path, {"code": wrong(setup.secret)}).status_code for _ in range(5)]
    refused = client.post(path, {"code": setup.backup_codes[0]})

    assert statuses == [400] * 5
    assert said(refused) == (429, "ACCOUNT_LOCKED")
    assert 0 < int(refused["Retry-After"]) <= 900
    assert BackupCode.objects.filter(used_at__isnull=True).count() == 10


@pytest.mark.parametrize("proof", [True, False])
def test_new_backup_codes_void_the_old_ones(
    client: APIClient, ada: User, facts: Callable[..., Any], *, proof: bool
) -> None:
    old = switched_on(ada).backup_codes

    response = client.post(BACKUP_CODES, {"code": old[0]} if proof else {})

    new = response.json()["backupCodes"]
    assert (response.status_code, len(new), set(new) & set(old)) == (200, 10, set())
    assert said(log_in(code=old[1])) == (401, "WRONG_CODE")
    assert log_in(code=new[0]).status_code == 200
    assert facts(event="auth.backup_codes_renewed") == [("auth.backup_codes_renewed", f"user:{ada.pk}")]


@pytest.mark.parametrize(("path", "body"), [(DISABLE, {"code": "123456"}), (BACKUP_CODES, {})])
def test_without_a_second_factor_there_is_nothing_to_change(
    client: APIClient, path: str, body: dict[str, str]
) -> None:
    response = client.post(path, body)

    assert response.status_code in {400, 409}
    assert BackupCode.objects.count() == 0


# Secrets


def test_backup_codes_are_kept_as_hashes_and_nothing_is_logged(
    clock: time_machine.Traveller,
    client: APIClient,
    ada: User,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    setup = switched_on(ada)
    clock.shift(30)
    code = shown(setup.secret)
    log_in(code=wrong(setup.secret))
    log_in(code=code)
    log_in(code=setup.backup_codes[0])
    client.post(DISABLE, {"code": "nonsense-code"})

    said = caplog.text + "".join(capfd.readouterr())
    kept = str(list(AuditEvent.objects.values())) + str(list(BackupCode.objects.values()))
    kept += str(list(AttemptCounter.objects.values()))
    for secret in (setup.secret, code, wrong(setup.secret), "nonsense", *setup.backup_codes):
        assert secret not in said + kept
        assert secret.replace("-", "") not in said + kept


# Admins


@pytest.fixture
def root(make_user: Callable[..., User], settings: Any) -> User:
    """An admin without a second factor where one is due."""
    settings.REQUIRE_ADMIN_2FA = True
    return make_user(Role.ADMIN, email="root@example.com", password=RIGHT)


def test_an_admin_without_a_second_factor_can_only_set_one_up(root: User) -> None:
    response = APIClient().post(LOGIN, {"email": "root@example.com", "password": RIGHT})
    client = APIClient(headers={"Authorization": f"Bearer {response.json()['access_token']}"})

    for path in ("outages", "auth/sessions", "users"):
        assert said(client.get(f"/api/v1/{path}")) == (403, "TWO_FACTOR_SETUP_REQUIRED"), path
    for path in ("auth/2fa/backup-codes", "auth/password/change", f"users/{root.pk}/unlock"):
        assert said(client.post(f"/api/v1/{path}")) == (403, "TWO_FACTOR_SETUP_REQUIRED"), path
    assert client.get(ME).status_code == 200

    setup = client.post(SETUP).json()
    assert client.post(VERIFY, {"code": shown(setup["secret"])}).status_code == 200

    assert client.get("/api/v1/outages").status_code == 200
    assert client.post(LOGOUT).status_code == 200


def test_such_an_admin_vouches_for_nobody(root: User, client_of: Callable[[User], APIClient]) -> None:
    response = client_of(root).post(
        "/api/v1/auth/register", {"email": "bob@example.com", "password": RIGHT, "role": "manager"}
    )

    assert response.status_code == 403
    assert User.objects.count() == 1


def test_without_a_second_factor_an_admin_can_log_out(
    root: User, client_of: Callable[[User], APIClient]
) -> None:
    assert client_of(root).post(LOGOUT).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "engineer", "manager", "auditor"])
def test_it_is_due_for_admins_only(settings: Any, client_as: Callable[[str], APIClient], role: str) -> None:
    settings.REQUIRE_ADMIN_2FA = True

    assert client_as(role).get("/api/v1/outages").status_code == 200


def test_authentication_still_takes_one_question(root: User, django_assert_num_queries: Any) -> None:
    switched_on(root)
    token = begin(root).access_token

    with django_assert_num_queries(1):
        APIClient().get(ME, headers={"Authorization": f"Bearer {token}"})
