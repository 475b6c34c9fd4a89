"""What may happen to a webhook."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from apexchainx import context
from apexchainx.errors import Invalid, NotFound
from audit.events import Event
from audit.log import record
from webhooks import sender, signing
from webhooks.models import SUBSCRIBABLE, Webhook, WebhookQuerySet, WebhookStatus

BY_HAND = "Disabled by hand."
CHANGEABLE = (
    "name",
    "url",
    "events",
    "encrypted_secret",
    "status",
    "disabled_reason",
    "consecutive_failures",
    "failing_since",
    "updated_at",
)


def facts(webhook: Webhook) -> dict[str, Any]:
    """What every event about a webhook says; never its secret."""
    return {
        "name": webhook.name,
        "url": webhook.url,
        "events": webhook.events,
        "status": webhook.status,
        "reason": webhook.disabled_reason,
    }


def draft(
    *, url: str, events: Sequence[str], name: str = "", secret: str = "", status: str = WebhookStatus.ACTIVE
) -> Webhook:
    """A new subscription, not stored yet, signed for with `secret` or one that we make up.

    The URL's host is looked up, so this stands before any transaction. Raises Invalid for a URL, an event or
    a secret that cannot be used.
    """
    webhook = Webhook(name=name, url=allowed(url), events=known(events), created_by=context.current().actor)
    webhook.secret = usable(secret) if secret else signing.new_secret()
    turn(webhook, status)
    return webhook


@transaction.atomic
def create(webhook: Webhook) -> Webhook:
    """Store a draft: from here on it is told."""
    webhook.save(force_insert=True)
    record(Event.WEBHOOK_CREATED, webhook.subject, **facts(webhook))
    return webhook


def update(
    webhook_id: int,
    *,
    name: str | None = None,
    url: str | None = None,
    events: Sequence[str] | None = None,
    secret: str | None = None,
    status: str | None = None,
) -> Webhook:
    """Change what is given; enabling resets the counters. Raises NotFound, and Invalid as `create` does."""
    given = {
        "name": name,
        "url": None if url is None else allowed(url),
        "events": None if events is None else known(events),
        "secret": None if secret is None else usable(secret),
        "status": status,
    }
    with transaction.atomic():
        webhook = found(Webhook.objects.select_for_update(no_key=True), webhook_id)
        changed = change(webhook, {field: value for field, value in given.items() if value is not None})
        if not changed:
            return webhook
        webhook.save(update_fields=CHANGEABLE)
        disabled = "status" in changed and webhook.status == WebhookStatus.DISABLED
        event = Event.WEBHOOK_DISABLED if disabled else Event.WEBHOOK_UPDATED
        record(event, webhook.subject, **facts(webhook), changed=changed)
    return webhook


@transaction.atomic
def delete(webhook_id: int) -> None:
    """The webhook goes with its deliveries; what was sent is then in the audit log alone. Raises NotFound."""
    webhook = found(Webhook.objects.select_for_update(), webhook_id)
    subject, stated = webhook.subject, facts(webhook)
    webhook.delete()
    record(Event.WEBHOOK_DELETED, subject, **stated)


def found(webhooks: WebhookQuerySet, webhook_id: int) -> Webhook:
    webhook = webhooks.filter(pk=webhook_id).first()
    if webhook is None:
        raise NotFound(f"There is no webhook {webhook_id}.")
    return webhook


def change(webhook: Webhook, given: dict[str, Any]) -> list[str]:
    """Set what differs, and name it. A secret always counts: the old one may not be readable any more."""
    changed = [field for field in given if field == "secret" or getattr(webhook, field) != given[field]]
    for field in changed:
        setattr(webhook, field, given[field])
    if "status" in changed:
        turn(webhook, given["status"])
    return changed


def turn(webhook: Webhook, status: str) -> None:
    webhook.status = status
    webhook.disabled_reason = BY_HAND if status == WebhookStatus.DISABLED else ""
    if status == WebhookStatus.ACTIVE:
        webhook.consecutive_failures, webhook.failing_since = 0, None


def allowed(url: str) -> str:
    try:
        sender.check(url)
    except sender.BlockedError as error:
        raise Invalid("url", str(error)) from error
    return url


def known(events: Sequence[str]) -> list[str]:
    """Each once, in the order given: the first name that fits an event is the one it is delivered under."""
    unknown = [event for event in events if event not in SUBSCRIBABLE]
    if unknown:
        message = f"There is no event {', '.join(unknown)}. Allowed: {', '.join(SUBSCRIBABLE)}."
        raise Invalid("events", message, allowed_values=list(SUBSCRIBABLE))
    return list(dict.fromkeys(events))


def usable(secret: str) -> str:
    if not signing.is_secret(secret):
        raise Invalid("secret", "Give whsec_ and the base64 of 24 to 64 random bytes, or leave it out.")
    return secret
