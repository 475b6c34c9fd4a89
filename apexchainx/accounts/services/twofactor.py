"""The second factor: a device that shows codes, and backup codes for the day it is lost."""

import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime

import segno
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django_otp.plugins.otp_totp.models import TOTPDevice

from apexchainx.accounts.models import BackupCode, User
from apexchainx.accounts.services import lockout
from apexchainx.errors import Conflict, Invalid
from audit.events import Event
from audit.log import record

BACKUP_CODES = 10
# Without what is easily misread; ten of them are 50 bits.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
SHOWN_BY_DEVICE = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Setup:
    """What a device needs, shown once: the secret, the same as a picture, and the backup codes."""

    secret: str
    qr_code_url: str
    backup_codes: list[str]


@transaction.atomic
def start(user: User) -> Setup:
    """A new device, which counts when a code of it is confirmed. Raises Conflict where one counts already."""
    held = locked(user)
    if held.second_factor_at:
        raise Conflict("A second factor is on. Disable it before setting up another.")
    clear(held)
    device = TOTPDevice.objects.create(user=held, name="Authenticator", confirmed=False)
    codes = give_codes(held)
    record(Event.SECOND_FACTOR_STARTED, f"user:{held.pk}")
    picture = segno.make(device.config_url).svg_data_uri(scale=4)
    return Setup(b32encode(device.bin_key).decode(), picture, codes)


def confirm(user: User, *, code: str) -> None:
    """From now on a login takes a code. Raises Invalid for a wrong one, Conflict where none was started."""
    attempt = lockout.inside(user)
    if not switch_on(user, code):
        raise wrong_code(attempt, user)
    lockout.succeeded(attempt)


@transaction.atomic
def switch_on(user: User, code: str) -> bool:
    held = locked(user)
    device = TOTPDevice.objects.select_for_update().filter(user=held, confirmed=False).first()
    if device is None:
        raise Conflict("Set up a second factor first.")
    if not (SHOWN_BY_DEVICE.fullmatch(plain(code)) and device.verify_token(plain(code))):
        return False
    device.confirmed = True
    device.save(update_fields=("confirmed",))
    set_since(held, timezone.now())
    record(Event.SECOND_FACTOR_ENABLED, f"user:{held.pk}")
    return True


def disable(user: User, *, code: str) -> None:
    """A login takes the password alone again."""
    prove(user, code)
    remove(user)


@transaction.atomic
def remove(user: User) -> None:
    """What an admin does for somebody who has lost device and codes."""
    held = locked(user)
    if held.second_factor_at is None:
        raise Conflict("There is no second factor.")
    clear(held)
    set_since(held, None)
    record(Event.SECOND_FACTOR_DISABLED, f"user:{held.pk}")


def renew_codes(user: User, *, code: str = "") -> list[str]:
    """Ten new backup codes; the old ones are void. Where a code is given, it must be right."""
    if code:
        prove(user, code)
    return replace_codes(user)


@transaction.atomic
def replace_codes(user: User) -> list[str]:
    held = locked(user)
    if held.second_factor_at is None:
        raise Conflict("There is no second factor.")
    codes = give_codes(held)
    record(Event.BACKUP_CODES_RENEWED, f"user:{held.pk}")
    return codes


def prove(user: User, code: str) -> None:
    """Raises Invalid for a wrong code, and TooMany after too many of them."""
    attempt = lockout.inside(user)
    if not accept(user, code):
        raise wrong_code(attempt, user)
    lockout.succeeded(attempt)


@transaction.atomic
def accept(user: User, code: str) -> bool:
    """Whether the code is right and was never accepted before."""
    code = plain(code)
    if SHOWN_BY_DEVICE.fullmatch(code):
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
        return device is not None and bool(device.verify_token(code))
    unused = BackupCode.objects.filter(user=user, digest=digest(user, code), used_at__isnull=True)
    if unused.update(used_at=timezone.now()) == 0:
        return False
    left = user.backup_codes.filter(used_at__isnull=True).count()
    record(Event.BACKUP_CODE_USED, f"user:{user.pk}", left=left)
    return True


def wrong_code(attempt: lockout.Attempt, user: User) -> Invalid:
    """The refusal to raise, now that the log has it."""
    lockout.record_failure(attempt, Event.PROOF_FAILED, user, reason="wrong_code")
    return Invalid("code", "The code is wrong.")


def locked(user: User) -> User:
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def set_since(user: User, moment: datetime | None) -> None:
    user.second_factor_at = moment
    user.save(update_fields=("second_factor_at",))


def clear(user: User) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    user.backup_codes.all().delete()


def give_codes(user: User) -> list[str]:
    """New backup codes instead of all that there were. Only their hashes are kept."""
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(BACKUP_CODES)]
    user.backup_codes.all().delete()
    BackupCode.objects.bulk_create(BackupCode(user=user, digest=digest(user, code)) for code in codes)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def plain(code: str) -> str:
    """As people copy codes: with spaces, hyphens, in capitals."""
    return re.sub(r"[\s-]", "", code).lower()


def digest(user: User, code: str) -> str:
    return salted_hmac("apexchainx.backup_code", f"{user.pk} {code}", algorithm="sha256").hexdigest()
