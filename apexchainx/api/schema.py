"""What the OpenAPI description says beyond the views: scopes, tokens and the error envelope."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from apexchainx.api.api_keys import ApiKeyScheme
from apexchainx.api.scopes import PUBLIC, required, takes_keys

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

# Text as we take it.
STORABLE = r"^[^\u0000]*$"
NOT_BLANK = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
PRECISE = {"enum", "format", "pattern"}


class Schema(AutoSchema):
    """An operation with the scope it needs; only what needs none goes without a token."""

    @property
    def scope(self) -> str:
        return required(self.view, self.method)

    def get_auth(self) -> list[dict[str, Any]]:
        if self.scope == PUBLIC:
            return []
        by_key = takes_keys(self.view, self.method)
        return [way for way in super().get_auth() if by_key or ApiKeyScheme.name not in way]

    @property
    def is_idempotent(self) -> bool:
        """It takes an idempotency key; see the description of the API."""
        handler = getattr(self.view, "action", None) or self.method.lower()
        return hasattr(getattr(self.view, handler, None), "is_idempotent")

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        """A DELETE has a body where its view names one."""
        asked = getattr(self.view, "delete_body", None)
        if self.method != "DELETE" or asked is None:
            body: dict[str, Any] | None = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
            return body
        schema = self.resolve_serializer(asked, "request").ref
        return {"content": {"application/json": {"schema": schema}}, "required": True}

    def get_extensions(self) -> dict[str, Any]:
        scope = {"x-scope": self.scope} if self.scope != PUBLIC else {}
        return {**super().get_extensions(), **scope, **({"x-idempotent": True} if self.is_idempotent else {})}


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


def say_what_is_text(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook: text goes in without NULs, and not blank where it may not be empty."""
    asked = [schema for name, schema in result["components"]["schemas"].items() if name.endswith("Request")]
    for operations in result["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = (
                    or_empty(parameter) if parameter["in"] == "query" else parameter["schema"]
                )
                asked.append(parameter["schema"])
    for schema in asked:
        restrict(schema)
    return result


def restrict(schema: dict[str, Any]) -> None:
    if schema.get("type") == "string" and not PRECISE & schema.keys():
        schema["pattern"] = NOT_BLANK if schema.get("minLength") else STORABLE
    for nested in schema.get("properties", {}).values():
        restrict(nested)
    if "items" in schema:
        restrict(schema["items"])


def or_empty(parameter: dict[str, Any]) -> dict[str, Any]:
    """A time to filter by may be left empty; true and false are no words in need of a list."""
    schema: dict[str, Any] = parameter["schema"]
    if schema.get("type") == "boolean":
        schema.pop("enum", None)
    return {"anyOf": [schema, {"type": "string", "maxLength": 0}]} if "format" in schema else schema
