from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from apexchainx.accounts.models import Role, User
from audit.events import Event
from audit.log import record

AUDITED = ("email", "full_name", "stellar_wallet", "role", "is_active", "is_staff")

# A role is a set of scopes; groups of single permissions would be a second mechanism.
admin.site.unregister(Group)


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "full_name", "role", "is_staff")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """A change of role, password or activity ends the user's tokens: the database sees to it."""

    list_display = ("email", "full_name", "role", "is_active", "is_staff", "last_login")
    list_filter = ("role", "is_active", "is_staff")
    search_fields = ("email", "full_name")
    date_hierarchy = "date_joined"
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    add_form = UserCreationForm
    fieldsets = (
        (None, {"fields": ("email", "password", "full_name", "stellar_wallet")}),
        ("Access", {"fields": ("role", "is_active", "is_staff")}),
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

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        obj.is_superuser = obj.role == Role.ADMIN
        super().save_model(request, obj, form, change)
        changed = [name for name in AUDITED if name in form.changed_data]
        if change and not changed:
            return
        changes = {name: [form.initial.get(name), getattr(obj, name)] for name in changed}
        event = Event.USER_CHANGED if change else Event.USER_CREATED
        record(event, f"user:{obj.pk}", email=obj.email, role=obj.role, changes=changes)

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        return super().user_change_password(request, id, form_url)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """The log names people by id: an account is deactivated, not deleted."""
        return False
