from typing import Any

import pytest
from django import forms
from django.core.exceptions import PermissionDenied, SuspiciousOperation, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions, serializers

from apexchainx import errors
from apexchainx.api.exceptions import DOMAIN_STATUS, handle
from apexchainx.api.filters import FilterError

SEVERITIES = ["critical", "high", "medium", "low"]


def said(error: Exception) -> tuple[int, str, str, dict[str, Any]]:
    response = handle(error, {})
    assert set(response.data) == {"error", "detail"}
    assert set(response.data["error"]) == {"code", "message", "details", "timestamp", "correlation_id"}
    assert response.data["detail"] == response.data["error"]["message"]
    body = response.data["error"]
    return response.status_code, body["code"], body["message"], body["details"]


# What the domain refuses


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.Invalid("site_name", "Give a name."), 400, "VALIDATION_ERROR"),
        (errors.Unauthenticated("No."), 401, "UNAUTHORIZED"),
        (errors.Refused("No."), 403, "FORBIDDEN"),
        (errors.NotFound("No."), 404, "NOT_FOUND"),
        (errors.Conflict("No."), 409, "CONFLICT"),
        (errors.NotReady("No."), 422, "UNPROCESSABLE_ENTITY"),
        (errors.TooMany("No.", retry_after=7), 429, "RATE_LIMIT_EXCEEDED"),
        (errors.Unavailable("No."), 503, "SERVICE_UNAVAILABLE"),
        (errors.Conflict("No.", code="OWNER_EXISTS"), 409, "OWNER_EXISTS"),
    ],
)
def test_each_refusal_has_its_status(error: errors.DomainError, status: int, code: str) -> None:
    assert said(error)[:3] == (status, code, error.message)


def test_every_kind_of_refusal_has_a_status() -> None:
    assert {
        kind for kind in errors.DomainError.__subclasses__() if kind.__module__ == errors.__name__
    } == set(DOMAIN_STATUS)


def test_a_narrower_refusal_answers_like_the_wider_one() -> None:
    class OwnerTaken(errors.Conflict):
        pass

    assert said(OwnerTaken("Taken."))[:2] == (409, "CONFLICT")


def test_too_many_says_when_to_come_again() -> None:
    assert handle(errors.TooMany("No.", retry_after=7), {})["Retry-After"] == "7"


def test_details_of_a_refusal_are_told() -> None:
    error = errors.Invalid("kind", "One of team, operator.", allowed_values=["team", "operator"])

    assert said(error)[3] == {
        "field": "kind",
        "fields": {"kind": ["One of team, operator."]},
        "allowed_values": ["team", "operator"],
    }


# What Django and its framework raise


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (Http404("secret"), 404, "NOT_FOUND", "There is nothing here."),
        (PermissionDenied("secret"), 403, "FORBIDDEN", "You may not do this."),
        (SuspiciousOperation("secret"), 400, "VALIDATION_ERROR", "The request cannot be understood."),
        (TooManyFieldsSent("secret"), 400, "VALIDATION_ERROR", "The request cannot be understood."),
        (
            OperationalError("secret"),
            503,
            "SERVICE_UNAVAILABLE",
            "The database does not answer. Try again shortly.",
        ),
        (
            InterfaceError("secret"),
            503,
            "SERVICE_UNAVAILABLE",
            "The database does not answer. Try again shortly.",
        ),
        (exceptions.ParseError("Not JSON."), 400, "VALIDATION_ERROR", "Not JSON."),
        (exceptions.NotAuthenticated("Log in."), 401, "UNAUTHORIZED", "Log in."),
        (exceptions.MethodNotAllowed("PUT"), 405, "METHOD_NOT_ALLOWED", 'Method "PUT" not allowed.'),
        (
            exceptions.UnsupportedMediaType("a/b"),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            'Unsupported media type "a/b" in request.',
        ),
        (
            KeyError("secret"),
            500,
            "INTERNAL_SERVER_ERROR",
            "Something failed on our side. The correlation id finds it.",
        ),
    ],
)
def test_each_failure_has_its_sentence(error: Exception, status: int, code: str, message: str) -> None:
    assert said(error) == (status, code, message, {})


def test_whoever_is_not_known_is_told_how_to_introduce_themselves() -> None:
    for error in (exceptions.NotAuthenticated(), errors.Unauthenticated("No.")):
        assert handle(error, {})["WWW-Authenticate"] == 'Bearer realm="api"'
    assert "WWW-Authenticate" not in handle(errors.Refused("No."), {})


def test_a_sentence_does_not_repeat_megabytes() -> None:
    error = exceptions.ValidationError({"severity": [f'"{"x" * 10**6}" is not a valid choice.']})

    status, _, message, details = said(error)

    assert (status, len(message), len(details["fields"]["severity"][0])) == (400, 510, 500)
    assert len(said(exceptions.UnsupportedMediaType("x" * 10**6))[2]) == 500


def test_a_hundred_wrong_fields_are_all_named_but_not_in_one_sentence() -> None:
    error = exceptions.ValidationError({f"f{number}": ["Wrong."] for number in range(100)})

    _, _, message, details = said(error)

    assert message == "f0: Wrong.; f1: Wrong.; f2: Wrong.; f3: Wrong.; f4: Wrong. And 95 more."
    assert len(details["fields"]) == 100
    assert "field" not in details


@pytest.mark.parametrize("detail", [{}, []])
def test_an_error_without_words_is_still_a_sentence(detail: Any) -> None:
    assert said(exceptions.ValidationError(detail)) == (
        400,
        "VALIDATION_ERROR",
        "The request is not valid.",
        {"fields": {}},
    )


def test_an_error_of_the_whole_body_names_no_field() -> None:
    assert said(exceptions.ValidationError(["One or the other."])) == (
        400,
        "VALIDATION_ERROR",
        "One or the other.",
        {"fields": {"non_field_errors": ["One or the other."]}},
    )


# What a serializer refuses


class Row(serializers.Serializer[Any]):
    severity = serializers.ChoiceField(choices=SEVERITIES)


class Body(Row):
    site_name = serializers.CharField(required=False)
    rows = Row(many=True, required=False)
    inner = Row(required=False)
    events = serializers.ListField(child=serializers.ChoiceField(choices=["a", "b"]), required=False)
    named = serializers.DictField(child=serializers.IntegerField(), required=False)


def refused(data: Any) -> dict[str, Any]:
    body = Body(data=data)
    with pytest.raises(exceptions.ValidationError) as caught:
        body.is_valid(raise_exception=True)
    return said(caught.value)[3]


@pytest.mark.parametrize(
    ("data", "field", "allowed"),
    [
        ({"severity": "urgent"}, "severity", SEVERITIES),
        ({"severity": ""}, "severity", SEVERITIES),
        ({"severity": {"a": 1}}, "severity", SEVERITIES),
        ({"severity": None}, "severity", SEVERITIES),
        ({}, "severity", SEVERITIES),
        ({"severity": "low", "inner": {"severity": 7}}, "inner.severity", SEVERITIES),
        (
            {"severity": "low", "rows": [{"severity": "low"}, {"severity": "x"}]},
            "rows.1.severity",
            SEVERITIES,
        ),
        ({"severity": "low", "events": ["a", "c"]}, "events.1", ["a", "b"]),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_ones(data: Any, field: str, allowed: list[str]) -> None:
    details = refused(data)

    assert set(details) == {"fields", "field", "allowed_values"}
    assert list(details["fields"]) == [field]
    assert (details["field"], details["allowed_values"]) == (field, allowed)


def test_a_severity_that_is_none_is_answered_as_the_document_says() -> None:
    assert refused({"severity": "urgent"}) == {
        "fields": {"severity": ['"urgent" is not a valid choice.']},
        "field": "severity",
        "allowed_values": ["critical", "high", "medium", "low"],
    }


def test_a_field_without_a_vocabulary_has_no_allowed_values() -> None:
    assert refused({"severity": "low", "site_name": []}) == {
        "fields": {"site_name": ["Not a valid string."]},
        "field": "site_name",
    }
    assert refused({"severity": "low", "named": {"x": "y"}})["field"] == "named.x"


def test_of_two_wrong_fields_both_are_named() -> None:
    assert refused({"severity": "urgent", "site_name": []}) == {
        "fields": {"severity": ['"urgent" is not a valid choice.'], "site_name": ["Not a valid string."]}
    }


def test_a_list_of_bodies_names_the_row() -> None:
    bodies = Row(data=[{"severity": "low"}, {"severity": "urgent"}], many=True)
    with pytest.raises(exceptions.ValidationError) as caught:
        bodies.is_valid(raise_exception=True)

    details = said(caught.value)[3]
    assert (details["field"], details["allowed_values"]) == ("1.severity", SEVERITIES)


def test_a_filter_form_knows_its_words_too() -> None:
    class Form(forms.Form):
        status = forms.ChoiceField(
            choices=[("", "-"), ("open", "Open"), ("resolved", "Resolved")], required=False
        )

    assert said(FilterError(Form({"status": "closed"})))[3] == {
        "fields": {"status": ["Select a valid choice. closed is not one of the available choices."]},
        "field": "status",
        "allowed_values": ["open", "resolved"],
    }
