from django.urls import path
from rest_framework.routers import SimpleRouter

from sla.views import contract, levels
from sla.views.calendars import CalendarViewSet

router = SimpleRouter(trailing_slash=False)
router.register("calendars", CalendarViewSet)
urlpatterns = [
    *router.urls,
    path("sla/configs", levels.ConfigsView.as_view()),
    path("sla/config", levels.ConfigsView.as_view()),
    path("sla/status/<str:outage_id>", levels.StatusView.as_view()),
    path("sla/calculate", levels.CalculateView.as_view()),
    path("sla/preview", levels.PreviewView.as_view()),
    path("admin/contract", contract.ContractView.as_view()),
    path("admin/propose-admin", contract.ProposeAdminView.as_view()),
    path("admin/accept-admin", contract.AcceptAdminView.as_view()),
    path("admin/cancel-admin-proposal", contract.CancelAdminProposalView.as_view()),
    path("admin/renounce-admin", contract.RenounceAdminView.as_view()),
    path("admin/propose-operator", contract.ProposeOperatorView.as_view()),
    path("admin/accept-operator", contract.AcceptOperatorView.as_view()),
]
