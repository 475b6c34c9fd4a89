"""The Celery application: the hands that carry what the rows say is due."""

from celery import Celery

app = Celery("apexchainx")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
