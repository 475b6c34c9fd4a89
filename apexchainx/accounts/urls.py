from django.urls import path

from apexchainx.accounts.views import auth, events, keys, passwords, people, sessions, twofactor, users

urlpatterns = [
    path("auth/login", auth.LoginView.as_view()),
    path("auth/password/change", passwords.PasswordChangeView.as_view()),
    path("auth/password/reset", passwords.PasswordResetView.as_view()),
    path("auth/password/reset/confirm", passwords.PasswordResetConfirmView.as_view()),
    path("auth/2fa/setup", twofactor.SetupView.as_view()),
    path("auth/2fa/verify", twofactor.VerifyView.as_view()),
    path("auth/2fa/disable", twofactor.DisableView.as_view()),
    path("auth/2fa/backup-codes", twofactor.BackupCodesView.as_view()),
    path("users/<str:user_id>/unlock", auth.UnlockView.as_view()),
    path("auth/register", auth.RegisterView.as_view()),
    path("auth/me", people.AccountView.as_view()),
    path("auth/me/profile", people.ProfileView.as_view()),
    path("auth/me/export", people.ExportView.as_view()),
    path("user/preferences", people.PreferencesView.as_view()),
    path("auth/refresh", sessions.RefreshView.as_view()),
    path("auth/logout", sessions.LogoutView.as_view()),
    path("auth/logout-all", sessions.LogoutEverywhereView.as_view()),
    path("auth/events", events.EventsView.as_view()),
    path("auth/sessions", sessions.SessionViewSet.as_view({"get": "list"})),
    path("auth/sessions/<str:session_id>", sessions.SessionViewSet.as_view({"delete": "destroy"})),
    path("users", users.UserViewSet.as_view({"get": "list"})),
    path("users/<str:user_id>", users.UserViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("users/<str:user_id>/impersonate", users.UserViewSet.as_view({"post": "impersonate"})),
    path("users/<str:user_id>/sessions", sessions.UserSessionsViewSet.as_view({"get": "list"})),
    path("users/<str:user_id>/logout", sessions.UserSessionsViewSet.as_view({"post": "logout"})),
    path("api-keys", keys.ApiKeyViewSet.as_view({"get": "list", "post": "create"})),
    path("api-keys/<str:key_id>", keys.ApiKeyViewSet.as_view({"delete": "destroy"})),
]
