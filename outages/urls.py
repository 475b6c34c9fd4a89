from django.urls import path
from rest_framework.routers import SimpleRouter

from outages.views.intake import AlertmanagerView, GenericView
from outages.views.maintenance import MaintenanceWindowViewSet
from outages.views.outages import OutageViewSet
from outages.views.rca import FollowUpViewSet, RcaViewSet
from outages.views.timeline import TimelineView
from outages.views.transfers import BulkHistoryView, BulkView, ExportView, ImportView

router = SimpleRouter(trailing_slash=False)
router.register("outages", OutageViewSet)
router.register("maintenance-windows", MaintenanceWindowViewSet)
urlpatterns = [
    path("intake/alertmanager", AlertmanagerView.as_view()),
    path("intake/generic", GenericView.as_view()),
    path("outages/<str:outage_id>/timeline", TimelineView.as_view()),
    path("outages/import", ImportView.as_view()),
    path("outages/bulk", BulkView.as_view()),
    path("outages/bulk/history", BulkHistoryView.as_view()),
    path("outages/export", ExportView.as_view()),
    path("outages/<str:outage_id>/rca", RcaViewSet.as_view({"get": "retrieve", "post": "create"})),
    path("outages/<str:outage_id>/rca/versions", RcaViewSet.as_view({"get": "versions"})),
    path("outages/<str:outage_id>/rca/publish", RcaViewSet.as_view({"post": "publish"})),
    path("outages/<str:outage_id>/rca/export", RcaViewSet.as_view({"get": "export"})),
    path("follow-ups", FollowUpViewSet.as_view({"get": "list"})),
    path(
        "outages/<str:outage_id>/follow-ups/<int:number>",
        FollowUpViewSet.as_view({"patch": "partial_update"}),
    ),
    *router.urls,
]
