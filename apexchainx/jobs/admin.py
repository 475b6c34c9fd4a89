from django.contrib import admin
from django_celery_results.models import GroupResult, TaskResult

from apexchainx.read_only_admin import ReadOnly

admin.site.unregister((TaskResult, GroupResult))


@admin.register(TaskResult)
class JobAdmin(ReadOnly):
    list_display = ("task_name", "status", "worker", "date_created", "date_started", "date_done")
    list_filter = ("status", "task_name")
    search_fields = ("task_id",)
    date_hierarchy = "date_created"
    exclude = ("content_type", "content_encoding")
