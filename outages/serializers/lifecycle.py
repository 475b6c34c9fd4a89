"""What clients ask for of an outage: the bodies of actions and updates."""

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from apexchainx.api.fields import AwareDateTimeField, MinutesField, TextField
from outages.models import Outage
from outages.models.evidence import LONGEST_DETAIL
from outages.serializers.outage import NewOutageSerializer
from outages.services.changing import OPEN, Changes
from payments.services.updating import End

WORDS = (OPEN, *Outage.State.values)
NOWHERE = {"latitude": None, "longitude": None}


class AssignmentSerializer(serializers.Serializer[Any]):
    assigned_to = TextField(max_length=255)


class PauseSerializer(serializers.Serializer[Any]):
    reason = TextField(max_length=LONGEST_DETAIL)
    occurred_at = AwareDateTimeField(required=False)


class ResumptionSerializer(serializers.Serializer[Any]):
    occurred_at = AwareDateTimeField(required=False)


class CommentSerializer(serializers.Serializer[Any]):
    text = TextField(max_length=5000)


class MergerSerializer(serializers.Serializer[Any]):
    into = TextField(max_length=64, help_text="The outage that this one is a duplicate of.")


class UpdateSerializer(NewOutageSerializer):
    """What is not named stays as it is. `status` and `state` are the same; `resolved` ends the outage.

    The document of an outage may be sent back whole.
    """

    id = None  # type: ignore[assignment]
    status = serializers.ChoiceField(choices=WORDS)
    state = serializers.ChoiceField(choices=WORDS)
    assigned_to = TextField(max_length=255, allow_blank=True, allow_null=True)
    root_cause = TextField(max_length=settings.MAX_DESCRIPTION_LENGTH, allow_blank=True)
    resolution_notes = TextField(max_length=settings.MAX_DESCRIPTION_LENGTH, allow_blank=True)
    resolved_at = AwareDateTimeField(allow_null=True)
    mttr_minutes = MinutesField(allow_null=True)
    reason = TextField(
        max_length=LONGEST_DETAIL, allow_blank=True, help_text="Why the detection is corrected."
    )

    def validate_assigned_to(self, value: str | None) -> str:
        return value or ""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As `payments.services.updating.update` names them."""
        word, reason = word_of(attrs), attrs.pop("reason", "")
        end = end_of(attrs, word)
        if "location" in attrs:
            attrs |= attrs.pop("location") or NOWHERE
        if word and end is None:
            attrs["state"] = word
        return {"changes": Changes(**attrs), "reason": reason, "end": end}


def word_of(attrs: dict[str, Any]) -> str:
    """What `status` and `state` ask for; open says less than another word for the same."""
    words = {attrs.pop(name) for name in ("status", "state") if name in attrs}
    if len(words) > 1 and Outage.State.RESOLVED not in words:
        words.discard(OPEN)
    if len(words) > 1:
        raise ValidationError({"status": ["status and state are the same thing, and they differ here."]})
    return next(iter(words), "")


def end_of(attrs: dict[str, Any], word: str) -> End | None:
    times = {name: attrs.pop(name, None) for name in ("resolved_at", "mttr_minutes")}
    if word == Outage.State.RESOLVED:
        return End(at=times["resolved_at"], minutes=times["mttr_minutes"])
    stray = [name for name, value in times.items() if value is not None]
    if stray:
        raise ValidationError({name: ["Only the end has this; say status resolved too."] for name in stray})
    return None
