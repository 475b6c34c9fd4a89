"""What the OpenAPI description says beyond the views: scopes, tokens and the error envelope."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from apexchainx.api.scopes import PUBLIC, required

TEXT = {"type": "string"}
ERROR = {
    "type": "object",
    "description": "Every failure has this body.",
    "required": ["error", "detail"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details", "timestamp", "correlation_id"],
            "properties": {
                "code": {**TEXT, "example": "VALIDATION_ERROR"},
                "message": TEXT,
                "details": {"type": "object", "additionalProperties": {}},
                "timestamp": {**TEXT, "format": "date-time"},
                "correlation_id": TEXT,
            },
        },
        "detail": {**TEXT, "description": "The message again."},
    },
}
FAILURE = {
    "description": "The error envelope",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


class Schema(AutoSchema):
    """An operation with the scope it needs; only what needs none goes without a token."""

    @property
    def scope(self) -> str:
        return required(self.view, self.method)

    def get_auth(self) -> list[dict[str, Any]]:
        return super().get_auth() if self.scope != PUBLIC else []

    def get_extensions(self) -> dict[str, Any]:
        return {**super().get_extensions(), **({"x-scope": self.scope} if self.scope != PUBLIC else {})}


def add_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook: failures answer with the envelope, in every operation."""
    components = result["components"]
    components.setdefault("schemas", {})["Error"] = ERROR
    components["responses"] = {"Failure": FAILURE}
    for operations in result["paths"].values():
        for operation in operations.values():
            for status in ("4XX", "5XX"):
                operation["responses"].setdefault(status, {"$ref": "#/components/responses/Failure"})
    return result
