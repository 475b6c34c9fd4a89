"""Once: a request repeated with its idempotency key gets the first answer, and nothing happens twice."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, overload

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import HttpResponse, QueryDict, UnreadablePostError
from django.utils import timezone
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx import context
from apexchainx.accounts.models import IdempotencyRecord
from apexchainx.api.parsers import FileParser
from apexchainx.api.renderers import encode
from apexchainx.errors import Conflict, Invalid, NotReady

Handler = Callable[..., HttpResponse]

NAMES = ("X-Idempotency-Key", "Idempotency-Key")
KEY = re.compile(r"[\x20-\x7e]{1,255}")
REFUSALS = {409, 422}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request under a key. `scope` says which key of whom it is, `digest` what is asked."""

    principal: str
    path: str
    scope: str
    digest: str

    @classmethod
    def of(cls, request: Request, key: str) -> "Attempt":
        here, path = context.current(), f"{request.method} {request.path_info}"
        principal = f"{here.actor} by {here.impersonator}" if here.impersonator else here.actor
        query = request.META.get("QUERY_STRING", "")
        return cls(principal, path, digest(f"{principal}\n{path}\n{key}"), digest(query, said(request)))

    def found(self) -> IdempotencyRecord | None:
        """The answer to an earlier one, if still kept. Raises NotReady where that asked something else."""
        record = IdempotencyRecord.objects.kept(timezone.now()).filter(scope=self.scope).first()
        if record and record.request_digest != self.digest:
            raise NotReady(
                "This idempotency key was used for another request.", code="IDEMPOTENCY_KEY_REUSED"
            )
        return record

    def lock(self) -> bool:
        """Nobody else works under this key until the transaction ends; False where somebody does."""
        number = int.from_bytes(bytes.fromhex(self.scope)[:8], "big", signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            return bool(cursor.fetchone() == (True,))

    def keep(self, response: Response, *, without: str) -> None:
        """The answer, with null for its secret. One that is kept no longer makes room."""
        data = response.data
        if without and without in data:
            data = {**data, without: None}
        record = IdempotencyRecord(
            scope=self.scope,
            principal=self.principal,
            path=self.path,
            request_digest=self.digest,
            status=response.status_code,
            body=b"" if data is None else encode(data),
        )
        kept = ("request_digest", "status", "body", "created_at")
        IdempotencyRecord.objects.bulk_create(
            [record], update_conflicts=True, unique_fields=("scope",), update_fields=kept
        )


@overload
def idempotent(handler: Handler) -> Handler: ...
@overload
def idempotent(*, prepare: str = "", shown_once: str = "") -> Callable[[Handler], Handler]: ...
def idempotent(handler: Handler | None = None, *, prepare: str = "", shown_once: str = "") -> Any:
    """A POST handler that takes an idempotency key and runs in the transaction that keeps its answer.

    `prepare` names a method of the view that gets the request before the transaction begins; the handler gets
    what it returns. Networks are asked and passwords hashed there. `shown_once` names a secret in the answer,
    which is not kept.
    """
    if handler is None:
        return partial(idempotent, prepare=prepare, shown_once=shown_once)

    @wraps(handler)
    def once(view: APIView, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        key = key_of(request)
        attempt = Attempt.of(request, key) if key else None
        if attempt and (record := attempt.found()):
            return replay(record)
        if prepare:
            args = (getattr(view, prepare)(request), *args)
        run = partial(handler, view, request, *args, **kwargs)
        return execute(view, attempt, run, shown_once=shown_once) if attempt else run()

    once.is_idempotent = True  # type: ignore[attr-defined]
    return once


def key_of(request: Request) -> str | None:
    given = {request.headers[name] for name in NAMES if name in request.headers}
    if len(given) > 1:
        raise Invalid("Idempotency-Key", f"{' and '.join(NAMES)} are the same thing, and they differ here.")
    for key in given:
        if not KEY.fullmatch(key):
            raise Invalid("Idempotency-Key", "Give 1 to 255 printable ASCII characters.")
        return key
    return None


def execute(view: APIView, attempt: Attempt, run: Callable[[], Any], *, shown_once: str) -> HttpResponse:
    """Effects and answer are committed together, or neither is."""
    with transaction.atomic():
        if not attempt.lock():
            response = view.handle_exception(Conflict("A request with this idempotency key is under way."))
            response["Retry-After"] = "1"
            return response
        if record := attempt.found():
            return replay(record)
        response = outcome(view, run)
        if response.status_code < 300 or response.status_code in REFUSALS:
            attempt.keep(response, without=shown_once)
    return response


def outcome(view: APIView, run: Callable[[], Response]) -> Response:
    """What the handler answers. A refusal undoes what was written before it; other failures are raised."""
    try:
        with transaction.atomic():
            response = run()
            if response.status_code >= 400:
                transaction.set_rollback(True)
    except (Conflict, NotReady) as refusal:
        response = view.handle_exception(refusal)
    return response


def replay(record: IdempotencyRecord) -> HttpResponse:
    body = bytes(record.body)
    response = HttpResponse(body, status=record.status)
    if body:
        response["Content-Type"] = "application/json"
    else:
        del response["Content-Type"]
    response["Idempotency-Replayed"] = "true"
    return response


def said(request: Request) -> bytes:
    """The body, or of a form what it holds: sent again, the same form has another boundary."""
    try:
        body: bytes = request.body
    except UnreadablePostError:
        raise ParseError("The body ended too early.") from None
    takes_forms = any(isinstance(parser, FileParser) for parser in request.parsers or ())
    if not takes_forms or not isinstance(request.data, QueryDict):
        return body
    files = [[name, file.name, content_digest(file)] for name, file in request.FILES.items()]
    texts = [[name, texts] for name, texts in request.data.lists() if name not in request.FILES]
    return encode([files, texts])


def content_digest(file: "UploadedFile[Any]") -> str:
    found = hashlib.sha256()
    for chunk in file.chunks():
        found.update(chunk)
    file.seek(0)
    return found.hexdigest()


def digest(text: str, body: bytes = b"") -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape") + b"\n" + body).hexdigest()
