from django.urls import path

from sla import views

urlpatterns = [
    path("sla/configs", views.ConfigsView.as_view()),
    path("sla/config", views.ConfigsView.as_view()),
    path("sla/status/<str:outage_id>", views.StatusView.as_view()),
    path("sla/calculate", views.CalculateView.as_view()),
    path("sla/preview", views.PreviewView.as_view()),
]
