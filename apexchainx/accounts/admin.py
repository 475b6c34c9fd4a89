from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from apexchainx.accounts.backends import SignInForm
from apexchainx.accounts.models import EVERY_SCOPE, ApiKey, Role, Session, User
from apexchainx.accounts.services import keys, lockout, sessions, twofactor
from apexchainx.accounts.services.administration import ACCESS, change_user
from apexchainx.errors import DomainError
from apexchainx.read_only_admin import ReadOnly
from audit.events import Event
from audit.log import record

# What the change form saves by itself; name, role and activity go through the service.
AUDITED = ("email", "stellar_wallet", "is_staff")

admin.site.login_form = SignInForm
admin.site.login_template = "accounts/sign_in.html"
# Their page shows secrets; a device is removed by an action on its user.
admin.site.unregister(TOTPDevice)
# A role is a set of scopes; groups of single permissions would be a second mechanism.
admin.site.unregister(Group)


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "full_name", "role", "is_staff")


class UserForm(UserChangeForm):
    """Why a role or an activity changes is part of the change."""

    reason = forms.CharField(
        required=False, max_length=500, help_text="Needed for a change of role or activity."
    )

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean()
        if not self.cleaned_data.get("reason") and not set(ACCESS).isdisjoint(self.changed_data):
            self.add_error("reason", "Say why.")
        return cleaned


class NewKeyForm(ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in sorted(EVERY_SCOPE)],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")


class Saying(admin.ModelAdmin):
    """What a service refuses is said on the page."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.path)


class OpenSessions(admin.TabularInline):
    """Where a user is logged in. Sessions are ended by an action, all of them."""

    model = Session
    fk_name = "user"
    fields = readonly_fields = ("address", "user_agent", "created_at", "last_used_at", "expires_at")
    verbose_name_plural = "open sessions"
    extra = max_num = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        return Session.objects.live(timezone.now())

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    has_add_permission = has_delete_permission = has_change_permission


@admin.register(User)
class UserAdmin(Saying, DjangoUserAdmin):
    """A change of role, password or activity ends the user's tokens: the database sees to it."""

    list_display = ("email", "full_name", "role", "is_active", "is_staff", "last_login")
    list_filter = ("role", "is_active", "is_staff")
    search_fields = ("email", "full_name")
    date_hierarchy = "date_joined"
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined", "locked_until", "second_factor_at")
    actions = ("end_sessions", "unlock", "remove_second_factor")
    filter_horizontal = ()
    form = UserForm
    add_form = UserCreationForm
    fieldsets = (
        (None, {"fields": ("email", "password", "full_name", "stellar_wallet")}),
        ("Access", {"fields": ("role", "is_active", "is_staff", "reason")}),
        ("The door", {"fields": ("locked_until", "second_factor_at")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "email",
                    "full_name",
                    "role",
                    "is_staff",
                    "usable_password",
                    "password1",
                    "password2",
                ),
            },
        ),
    )

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return (OpenSessions,) if obj else ()

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        obj.is_superuser = obj.role == Role.ADMIN
        if change:
            through_service = {name: getattr(obj, name) for name in (*ACCESS, "full_name")}
            change_user(obj.pk, **through_service, reason=form.cleaned_data["reason"])
        super().save_model(request, obj, form, change)
        changed = [name for name in AUDITED if name in form.changed_data]
        if change and not changed:
            return
        event = Event.USER_CHANGED if change else Event.USER_CREATED
        record(event, f"user:{obj.pk}", role=obj.role, changed=changed)

    @admin.display(description="Locked until")
    def locked_until(self, user: User) -> datetime | None:
        """For clients that the user has not used before; one that they have counts for itself."""
        return lockout.locked_until(user)

    @admin.action(description="Log the selected users out, everywhere")
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        ended = [sessions.end_sessions_of(user) for user in queryset]
        self.message_user(request, f"{sum(ended)} sessions have ended.")

    @admin.action(description="Unlock the selected users")
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            lockout.unlock(user)
        self.message_user(request, f"{len(queryset)} users are unlocked.")

    @admin.action(description="Remove the second factor of the selected users, who have lost it")
    def remove_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = queryset.filter(second_factor_at__isnull=False)
        for user in users:
            twofactor.remove(user)
        self.message_user(request, f"{len(users)} users log in with their password alone.")

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        return super().user_change_password(request, id, form_url)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """The log names people by id: an account is deactivated, not deleted."""
        return False


@admin.register(Session)
class SessionAdmin(ReadOnly):
    """Who is logged in, from where. A session is ended, with all of its user's; tokens are never shown."""

    list_display = ("user", "address", "created_at", "last_used_at", "ended_at", "ended_reason")
    list_filter = ("ended_reason",)
    search_fields = ("user__email", "address")
    date_hierarchy = "created_at"
    list_select_related = ("user",)
    exclude = ("refresh_digest",)
    actions = ("log_users_out",)

    @admin.action(description="Log the users of the selected sessions out, everywhere")
    def log_users_out(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        users = User.objects.filter(sessions__in=queryset).distinct()
        ended = [sessions.end_sessions_of(user) for user in users]
        self.message_user(request, f"{sum(ended)} sessions have ended.")


@admin.register(ApiKey)
class ApiKeyAdmin(Saying, ReadOnly):
    """A key is shown once, when it is made; afterwards it can only be revoked."""

    list_display = (
        *("name", "prefix", "scopes", "created_by", "created_at"),
        *("expires_at", "revoked_at", "last_used_at"),
    )
    list_filter = ("revoked_at",)
    search_fields = ("name", "prefix", "created_by__email")
    date_hierarchy = "created_at"
    list_select_related = ("created_by",)
    form = NewKeyForm
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return self.list_display if obj else NewKeyForm.Meta.fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ModelForm, change: bool) -> None:
        new = keys.create_key(**form.cleaned_data, maker=cast("User", request.user))
        obj.pk, obj.prefix = new.key.pk, new.key.prefix
        shown = f"The key is {new.raw} - store it securely. It will not be shown again."
        self.message_user(request, shown, messages.WARNING)

    @admin.action(description="Revoke the selected keys")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Each for itself: one that is refused does not stop the others."""
        for key in queryset:
            try:
                keys.revoke(key.pk, among=ApiKey.objects.all())
            except DomainError as refusal:
                self.message_user(request, f"{key}: {refusal.message}", messages.ERROR)
            else:
                self.message_user(request, f"{key} is revoked.", messages.SUCCESS)
