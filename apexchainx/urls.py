"""Every route."""

import re

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

from apexchainx.accounts.views.events import EventsView
from apexchainx.api.exceptions import answer
from apexchainx.health import HealthView, ReadinessView

admin.site.site_header = admin.site.site_title = "ApexChainX"
admin.site.index_title = "From outage to settled money"

PREFIX = settings.API_V1_PREFIX.lstrip("/")


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    return answer(404, "There is no such route.", path=request.path_info)


API: list[URLPattern | URLResolver] = [
    path("health", HealthView.as_view(schema=None)),
    path("", include("apexchainx.accounts.urls")),
    path("", include("apexchainx.jobs.urls")),
    path("", include("audit.urls")),
    path("", include("wallets.urls")),
    path("", include("disputes.urls")),
    path("", include("sla.urls")),
    path("", include("payments.urls")),
    path("", include("outages.urls")),
    path("", include("webhooks.urls")),
]
urlpatterns = [
    path("", RedirectView.as_view(url="/docs")),
    path(f"{PREFIX}/", include(API)),
    re_path(rf"^{re.escape(PREFIX)}(?:/|$)", unknown),
    path("health", HealthView.as_view()),
    path("health/liveness", HealthView.as_view()),
    path("health/readiness", ReadinessView.as_view()),
    path("auth/events", EventsView.as_view(schema=None)),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_self="/docs")),
    path("redoc", SpectacularRedocView.as_view(template_name="redoc.html")),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
]
handler400 = "apexchainx.api.exceptions.bad_request"
handler403 = "apexchainx.api.exceptions.permission_denied"
handler404 = "apexchainx.api.exceptions.not_found"
handler500 = "apexchainx.api.exceptions.server_error"
