"""The web process. It knows public keys only."""

import io
import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

for name in (
    "STELLAR_POOL_SECRET",
    "STELLAR_POOL_SECRET_FILE",
    "STELLAR_CONTRACT_OPERATOR_SECRET_FILE",
    "STELLAR_CONTRACT_ADMIN_SECRET_FILE",
):
    if os.environ.get(name):
        raise ImproperlyConfigured(f"{name} is set in a web process: only the signer may see secret keys.")

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apexchainx.settings")
django = get_wsgi_application()

UTF_8 = {"utf-8", "utf8", "us-ascii"}


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What Django would stumble over before any middleware runs takes a form that it can refuse."""
    for header in ("CONTENT_TYPE", "HTTP_ACCEPT"):
        if not is_readable(environ.get(header, "")):
            environ[header] = "application/x-unreadable"
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and environ.get(
        "wsgi.input_terminated"
    ):
        count(environ)
    return django(environ, start_response)


def is_readable(header: str) -> bool:
    """Django can parse it, and it names no charset but UTF-8, by which Django also decodes the query."""
    try:
        parameters = [parse_header_parameters(part)[1] for part in header.split(",")]
    except ValueError:
        return False
    return all(found.get("charset", "utf-8").lower() in UTF_8 for found in parameters)


def count(environ: WSGIEnvironment) -> None:
    """Django takes a body without a length for none. Of one that is too large, only so much is read."""
    try:
        body = environ["wsgi.input"].read(settings.MAX_REQUEST_BODY_SIZE_BYTES + 1)
    except OSError:
        environ["CONTENT_LENGTH"] = "1"  # It broke off: whoever reads it finds less than announced.
        return
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
