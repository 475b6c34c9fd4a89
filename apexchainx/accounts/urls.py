from django.urls import path

from apexchainx.accounts import views

urlpatterns = [
    path("auth/login", views.LoginView.as_view()),
    path("auth/register", views.RegisterView.as_view()),
    path("auth/refresh", views.RefreshView.as_view()),
    path("auth/logout", views.LogoutView.as_view()),
    path("auth/me", views.MeView.as_view()),
]
