"""The vocabulary: every fact the system can state."""

from django.db.models import TextChoices


class Event(TextChoices):
    """A fact's name, `<subject>.<what happened>`."""

    USER_REGISTERED = "user.registered"
    USER_CREATED = "user.created"
    USER_CHANGED = "user.changed"
    USER_IMPERSONATED = "user.impersonated"
    USER_ERASED = "user.erased"
    PREFERENCES_CHANGED = "user.preferences_changed"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    LOGIN_SUCCEEDED = "auth.login_succeeded"
    LOGIN_FAILED = "auth.login_failed"
    TOKEN_REFRESHED = "auth.token_refreshed"  # noqa: S105
    LOGGED_OUT = "auth.logged_out"
    LOGGED_OUT_EVERYWHERE = "auth.logged_out_everywhere"
    TOKEN_RENEWED = "auth.token_renewed"  # noqa: S105
    REFRESH_TOKEN_REUSED = "auth.refresh_token_reused"  # noqa: S105
    SESSION_REMOVED = "auth.session_removed"
    SESSIONS_ENDED = "auth.sessions_ended"
    SIGNING_KEY_ROTATED = "auth.signing_key_rotated"
    PROOF_FAILED = "auth.proof_failed"
    ACCOUNT_LOCKED = "auth.account_locked"
    ACCOUNT_UNLOCKED = "auth.account_unlocked"
    PASSWORD_RESET_ASKED = "auth.password_reset_asked"  # noqa: S105
    PASSWORD_RESET = "auth.password_reset"  # noqa: S105
    SECOND_FACTOR_STARTED = "auth.second_factor_started"
    SECOND_FACTOR_ENABLED = "auth.second_factor_enabled"
    SECOND_FACTOR_DISABLED = "auth.second_factor_disabled"
    BACKUP_CODES_RENEWED = "auth.backup_codes_renewed"
    BACKUP_CODE_USED = "auth.backup_code_used"

    OWNER_CREATED = "owner.created"
    OWNER_CHANGED = "owner.changed"
    WALLET_REGISTERED = "wallet.registered"
    WALLET_APPROVED = "wallet.approved"

    OUTAGE_CREATED = "outage.created"
    OUTAGE_UPDATED = "outage.updated"
    OUTAGE_ASSIGNED = "outage.assigned"
    OUTAGE_ESCALATED = "outage.escalated"
    OUTAGE_ACKNOWLEDGED = "outage.acknowledged"
    OUTAGE_INVESTIGATED = "outage.investigated"
    OUTAGE_PAUSED = "outage.paused"
    OUTAGE_RESUMED = "outage.resumed"
    OUTAGE_COMMENTED = "outage.commented"
    OUTAGE_MERGED = "outage.merged"
    OUTAGE_ABSORBED = "outage.absorbed"
    OUTAGE_REPEATED = "outage.repeated"
    OUTAGE_DETECTION_CORRECTED = "outage.detection_corrected"
    OUTAGE_RESOLVED = "outage.resolved"
    OUTAGE_CHRONIC = "outage.chronic"
    OUTAGE_DELETED = "outage.deleted"
    OUTAGES_IMPORTED = "outage.import_finished"
    RCA_DRAFTED = "rca.drafted"
    RCA_PUBLISHED = "rca.published"
    FOLLOW_UP_ADDED = "follow_up.added"
    FOLLOW_UP_DONE = "follow_up.done"
    FOLLOW_UP_REOPENED = "follow_up.reopened"
    MAINTENANCE_PLANNED = "maintenance.planned"
    MAINTENANCE_CHANGED = "maintenance.changed"
    MAINTENANCE_APPROVED = "maintenance.approved"
    MAINTENANCE_WITHDRAWN = "maintenance.withdrawn"

    CALENDAR_CREATED = "calendar.created"
    CALENDAR_CHANGED = "calendar.changed"
    CALENDAR_DELETED = "calendar.deleted"

    SLA_CALCULATED = "sla.calculated"
    SLA_VIOLATION = "sla.violation"
    SLA_REWARD = "sla.reward"
    SLA_AT_RISK = "sla.at_risk"
    SLA_CONTRACT_CONFIRMED = "sla.contract_confirmed"
    SLA_CONTRACT_MISMATCH = "sla.contract_mismatch"
    SLA_CONTRACT_REFUSED = "sla.contract_refused"

    CONTRACT_ORDERED = "contract.ordered"
    CONTRACT_ORDER_OBEYED = "contract.order_obeyed"
    CONTRACT_ORDER_REFUSED = "contract.order_refused"

    PAYMENT_INITIATED = "payment.initiated"
    PAYMENT_HELD = "payment.held"
    PAYMENT_PARKED = "payment.parked"
    PAYMENT_SIGNED = "payment.signed"
    PAYMENT_COMPLETED = "payment.completed"
    PAYMENT_FAILED = "payment.failed"

    DISPUTE_FILED = "dispute.filed"
    DISPUTE_RESOLVED = "dispute.resolved"

    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_UPDATED = "webhook.updated"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_DISABLED = "webhook.disabled"

    AUDIT_SEALED = "audit.sealed"


def choices() -> list[tuple[str, str]]:
    """For the model's field: named in migrations, so that a new event needs none."""
    return Event.choices


OUTAGE = ("outage_id", "site_name", "severity", "status", "detected_at")
SLA = (
    "outage_id",
    "sla_result_id",
    "status",
    "mttr_minutes",
    "threshold_minutes",
    "amount",
    "payment_type",
    "rating",
    "policy_version",
    "clock_source",
)
PAYMENT = (
    "outage_id",
    "payment_id",
    "sla_result_id",
    "type",
    "amount",
    "asset_code",
    "transaction_hash",
    "reason",
)
DISPUTE = ("outage_id", "dispute_id", "sla_result_id", "status")

# What subscribers outside may learn: the public events, each with the data fields that leave the house. The
# list is closed and may be registered for as a whole, also where a fact is not stated yet.
PUBLIC: dict[Event, tuple[str, ...]] = {
    Event.OUTAGE_CREATED: OUTAGE,
    Event.OUTAGE_UPDATED: (*OUTAGE, "changes"),
    Event.OUTAGE_ASSIGNED: (*OUTAGE, "assigned_to"),
    Event.OUTAGE_RESOLVED: (*OUTAGE, "resolved_at", "mttr_minutes"),
    Event.SLA_CALCULATED: SLA,
    Event.SLA_VIOLATION: SLA,
    Event.SLA_REWARD: SLA,
    Event.SLA_AT_RISK: (*OUTAGE, "percent"),
    Event.PAYMENT_INITIATED: PAYMENT,
    Event.PAYMENT_COMPLETED: (*PAYMENT, "ledger", "confirmed_at"),
    Event.PAYMENT_FAILED: PAYMENT,
    Event.DISPUTE_FILED: DISPUTE,
    Event.DISPUTE_RESOLVED: DISPUTE,
    Event.AUDIT_SEALED: ("seal_id", "root"),
}
