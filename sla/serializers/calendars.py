"""Calendars as clients write and read them."""

from typing import Any

from rest_framework import serializers

from apexchainx.api.fields import TextField
from sla.models import Calendar
from sla.services.calendars import Hours

WALL_TIME = r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z"
WALL_TIME_OR_END = r"^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z"


class HoursSerializer(serializers.Serializer[Any]):
    weekday = serializers.IntegerField(min_value=1, max_value=7, help_text="1 is Monday.")
    opens = serializers.RegexField(WALL_TIME, help_text="08:00")
    closes = serializers.RegexField(WALL_TIME_OR_END, help_text="18:00; 24:00 is the end of the day.")


class ScheduleSerializer(serializers.Serializer[Any]):
    """Openings of one day do not overlap; a wall time is the zone's, in summer and in winter."""

    name = TextField(max_length=100)
    timezone = TextField(max_length=64, help_text="A name of the IANA database: Africa/Lagos.")
    weekly = serializers.ListField(child=HoursSerializer(), min_length=1, max_length=100)
    holidays = serializers.ListField(child=serializers.DateField(), max_length=1000, required=False)

    def validate_weekly(self, value: list[dict[str, Any]]) -> tuple[Hours, ...]:
        """Each opening is whole, also in a change that names only some fields of the calendar."""
        openings = HoursSerializer(data=value, many=True)
        openings.is_valid(raise_exception=True)
        return tuple(Hours(**day) for day in openings.validated_data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As `sla.services.calendars.Schedule` names them; what a whole schedule leaves out, it empties."""
        return attrs if self.partial else {"holidays": [], **attrs}


class CalendarSerializer(serializers.ModelSerializer[Calendar]):
    id = serializers.CharField(source="reference")
    weekly = HoursSerializer(many=True)

    class Meta:
        model = Calendar
        fields = (
            "id",
            "name",
            "timezone",
            "weekly",
            "holidays",
            "created_by",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields
