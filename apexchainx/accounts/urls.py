from django.urls import path

from apexchainx.accounts.views import auth, sessions

urlpatterns = [
    path("auth/login", auth.LoginView.as_view()),
    path("auth/register", auth.RegisterView.as_view()),
    path("auth/me", auth.MeView.as_view()),
    path("auth/refresh", sessions.RefreshView.as_view()),
    path("auth/logout", sessions.LogoutView.as_view()),
]
