"""Who may enter, as what, and for how long."""

from apexchainx.accounts.models.counters import Counter
from apexchainx.accounts.models.idempotency import IdempotencyRecord
from apexchainx.accounts.models.keys import EVERY_SCOPE, FULL, PREFIX_LENGTH, ApiKey, ApiKeyQuerySet
from apexchainx.accounts.models.lockout import AttemptCounter, KnownClient
from apexchainx.accounts.models.preferences import Preferences
from apexchainx.accounts.models.sessions import EndReason, Session
from apexchainx.accounts.models.signing import SigningKey
from apexchainx.accounts.models.twofactor import BackupCode
from apexchainx.accounts.models.users import SCOPES, Role, User, UserManager

__all__ = [
    "EVERY_SCOPE",
    "FULL",
    "PREFIX_LENGTH",
    "SCOPES",
    "ApiKey",
    "ApiKeyQuerySet",
    "AttemptCounter",
    "BackupCode",
    "Counter",
    "EndReason",
    "IdempotencyRecord",
    "KnownClient",
    "Preferences",
    "Role",
    "Session",
    "SigningKey",
    "User",
    "UserManager",
]
