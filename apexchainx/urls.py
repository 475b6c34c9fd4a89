"""Every route."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularRedocView, SpectacularSwaggerView

from apexchainx import health
from apexchainx.api.exceptions import answer

admin.site.site_header = admin.site.site_title = "ApexChainX"
admin.site.index_title = "From outage to settled money"


def front(_request: HttpRequest) -> HttpResponse:
    return redirect("/docs")


@csrf_exempt
def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    return answer(404, "There is no such route.", path=request.path_info)


API = [
    path("health", health.health),
    path("", include("apexchainx.accounts.urls")),
    path("", include("apexchainx.jobs.urls")),
    path("", include("audit.urls")),
    path("", include("wallets.urls")),
    path("", include("disputes.urls")),
    path("", include("sla.urls")),
    path("", include("payments.urls")),
    path("", include("outages.urls")),
    path("", include("webhooks.urls")),
    path("<path:rest>", unknown),
]
urlpatterns = [
    path("", front),
    path(f"{settings.API_V1_PREFIX.lstrip('/')}/", include(API)),
    path("health", health.health),
    path("health/liveness", health.health),
    path("health/readiness", health.readiness),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerView.as_view()),
    path("redoc", SpectacularRedocView.as_view()),
    path("admin/", admin.site.urls),
]
handler400 = "apexchainx.api.exceptions.bad_request"
handler403 = "apexchainx.api.exceptions.permission_denied"
handler404 = "apexchainx.api.exceptions.not_found"
handler500 = "apexchainx.api.exceptions.server_error"
