"""Alarms as monitoring systems write them, and what became of them."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from apexchainx.api.fields import AwareDateTimeField, TextField
from outages.models import Severity
from outages.serializers.outage import CLOCK_SKEW, EARLIEST
from payments.services.intake import Alarm

LONGEST_FINGERPRINT = 128
MOST_ALARMS = 1000
# The words of monitoring systems; with any other one, or none, an outage is of medium severity.
SEVERITIES = {
    **dict.fromkeys(("critical", "page", "disaster", "emergency", "fatal"), Severity.CRITICAL),
    **dict.fromkeys(("high", "error", "major"), Severity.HIGH),
    **dict.fromkeys(("medium", "warning", "warn", "minor", "average"), Severity.MEDIUM),
    **dict.fromkeys(("low", "info", "information", "informational", "notice", "none"), Severity.LOW),
}
FIRING = ("firing", "problem", "alerting", "open", "active", "triggered", "down")
RECOVERED = ("resolved", "ok", "recovery", "recovered", "closed", "clear", "cleared", "up")
STATUSES = (*FIRING, *RECOVERED)
# By label, the first that is there.
SITE = ("site", "site_name", "instance", "host")
SERVICE = ("service", "job")
# What Go programs send for no time.
NO_TIME = "0001-01-01T00:00:00"


class StatusField(serializers.ChoiceField):
    """In any case of letters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=STATUSES, **options)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data.strip().lower() if isinstance(data, str) else data)


class MomentField(AwareDateTimeField):
    """Year one is no time."""

    def to_internal_value(self, value: Any) -> datetime | None:  # type: ignore[override]
        if isinstance(value, str) and value.startswith(NO_TIME):
            return None
        return super().to_internal_value(value)


class AlarmSerializer(serializers.Serializer[Any]):
    """One alarm of any system; `severity` and `status` take the words of most of them."""

    fingerprint = TextField(
        max_length=LONGEST_FINGERPRINT,
        required=False,
        allow_blank=True,
        help_text="What an alarm and its recovery share; without it, site, service, region and title.",
    )
    status = StatusField(required=False, help_text="Firing, if it is not said.")
    site_name = TextField(max_length=255)
    service = TextField(max_length=255, required=False, allow_blank=True)
    region = TextField(max_length=64, required=False, allow_blank=True)
    severity = TextField(max_length=64, required=False, allow_blank=True)
    title = TextField(max_length=255, required=False, allow_blank=True)
    description = TextField(max_length=settings.MAX_DESCRIPTION_LENGTH, required=False, allow_blank=True)
    started_at = MomentField(required=False, allow_null=True)
    ended_at = MomentField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> Any:
        names = ("site_name", "service", "region", "title")
        identity = {name: attrs.get(name, "") for name in names}
        is_firing = attrs.get("status", "firing") in FIRING
        started_at, ended_at = span(attrs, "started_at", "ended_at", is_firing=is_firing)
        return Alarm(
            fingerprint=attrs.get("fingerprint") or digest(identity),
            is_firing=is_firing,
            site_name=identity["site_name"],
            region=identity["region"],
            service=identity["service"],
            severity=severity_of(attrs.get("severity", "")),
            description=described(identity["title"], attrs.get("description", ""), attrs.get("severity", "")),
            started_at=started_at,
            ended_at=ended_at,
        )


class AlarmsSerializer(serializers.Serializer[Any]):
    alerts = serializers.ListField(child=AlarmSerializer(), max_length=MOST_ALARMS)


class AlertSerializer(serializers.Serializer[Any]):
    """One alert of Alertmanager. The labels say where: site, site_name, instance or host; service or job."""

    status = StatusField()
    labels = serializers.DictField(child=TextField(allow_blank=True))
    annotations = serializers.DictField(child=TextField(allow_blank=True), required=False)
    startsAt = MomentField(required=False, allow_null=True)  # noqa: N815
    endsAt = MomentField(required=False, allow_null=True)  # noqa: N815
    generatorURL = TextField(required=False, allow_blank=True)  # noqa: N815
    fingerprint = TextField(max_length=LONGEST_FINGERPRINT, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> Any:
        labels, annotations = attrs["labels"], attrs.get("annotations", {})
        is_firing = attrs["status"] in FIRING
        started_at, ended_at = span(attrs, "startsAt", "endsAt", is_firing=is_firing)
        site = label(labels, SITE, longest=255)
        if not site:
            raise ValidationError({"labels": [f"Name the site in one of {', '.join(SITE)}."]})
        word = labels.get("severity", "")
        return Alarm(
            fingerprint=attrs.get("fingerprint") or digest(labels),
            is_firing=is_firing,
            site_name=site,
            region=label(labels, ("region",), longest=64),
            service=label(labels, SERVICE, longest=255),
            severity=severity_of(word),
            description=described(
                annotations.get("summary", "") or labels.get("alertname", ""),
                annotations.get("description", ""),
                word,
            ),
            started_at=started_at,
            ended_at=ended_at,
        )


class AlertmanagerSerializer(serializers.Serializer[Any]):
    """The body of Alertmanager's webhook, version 4."""

    version = serializers.ChoiceField(choices=["4"], required=False)
    groupKey = TextField(required=False, allow_blank=True)  # noqa: N815
    status = StatusField(required=False)
    alerts = serializers.ListField(child=AlertSerializer(), max_length=MOST_ALARMS)


class IgnoredSerializer(serializers.Serializer[Any]):
    fingerprint = serializers.CharField()
    reason = serializers.CharField()


class IntakeSerializer(serializers.Serializer[Any]):
    """What became of the alarms, with the ids of the outages."""

    received = serializers.IntegerField()
    created = serializers.ListField(child=serializers.CharField())
    repeated = serializers.ListField(child=serializers.CharField())
    resolved = serializers.ListField(child=serializers.CharField())
    ignored = IgnoredSerializer(many=True)


def span(
    attrs: Mapping[str, Any], start: str, end: str, *, is_firing: bool
) -> tuple[datetime | None, datetime | None]:
    """When it began and ended. An alarm that goes on has no end, whatever its system expects."""
    began, ended = attrs.get(start), None if is_firing else attrs.get(end)
    for name, moment in ((start, began), (end, ended)):
        if moment and not EARLIEST <= moment <= timezone.now() + CLOCK_SKEW:
            raise ValidationError({name: ["The time lies between 2000-01-01 and now."]})
    if began and ended and ended < began:
        raise ValidationError({end: [f"It cannot end before it began, at {began.isoformat()}."]})
    return began, ended


def label(labels: Mapping[str, str], names: tuple[str, ...], *, longest: int) -> str:
    for name in names:
        if len(labels.get(name, "")) > longest:
            raise ValidationError({"labels": {name: [f"Give at most {longest} characters."]}})
        if labels.get(name):
            return labels[name]
    return ""


def severity_of(word: str) -> str:
    return SEVERITIES.get(word.lower(), "")


def described(title: str, text: str, severity: str) -> str:
    """Title and text, and the severity where its word is none that we know."""
    unknown = f"Severity: {severity}" if severity and not severity_of(severity) else ""
    said = "\n".join(part for part in (title, text, unknown) if part)
    return said[: settings.MAX_DESCRIPTION_LENGTH]


def digest(identity: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
