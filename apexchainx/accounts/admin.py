from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest

from apexchainx.accounts.models import User
from audit.events import Event
from audit.log import record


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "full_name", "role")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    list_display = ("email", "full_name", "role", "is_active", "is_staff", "last_login")
    list_filter = ("role", "is_active", "is_staff")
    search_fields = ("email", "full_name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    add_form = UserCreationForm
    fieldsets = (
        (None, {"fields": ("email", "password", "full_name", "stellar_wallet")}),
        ("Access", {"fields": ("role", "is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "full_name", "role", "usable_password", "password1", "password2")}),
    )

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            facts: dict[str, Any] = {"email": obj.email, "role": obj.role}
            changed = [name for name in form.changed_data if "password" not in name]
            record(Event.USER_CHANGED if change else Event.USER_CREATED, f"user:{obj.pk}", changed=changed, **facts)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """The log names people by id: an account is deactivated, not deleted."""
        return False
