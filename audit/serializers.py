from rest_framework import serializers

from audit.models import AuditEvent


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    id = serializers.CharField(source="pk", read_only=True)
    event_type = serializers.CharField(source="event", read_only=True)
    actor_id = serializers.CharField(source="actor", read_only=True)
    impersonator_id = serializers.SerializerMethodField()
    timestamp = serializers.DateTimeField(source="recorded_at", read_only=True)

    class Meta:
        model = AuditEvent
        fields = (
            "id",
            "event_type",
            "subject",
            "stream",
            "actor_id",
            "impersonator_id",
            "source",
            "correlation_id",
            "timestamp",
            "data",
        )

    def get_impersonator_id(self, event: AuditEvent) -> str | None:
        return event.impersonator or None
