import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    """An index for every order and every filter that a list of outages may have."""

    dependencies = [("outages", "0005_search")]
    operations = [
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(fields=['state', 'id'], name='outage_sorted_by_state'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(fields=['severity_rank', 'id'], name='outage_sorted_by_severity'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(fields=['site_name', 'id'], name='outage_sorted_by_site'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(fields=['updated_at', 'id'], name='outage_sorted_by_update'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(models.F('resolved_at'), models.F('id'), name='outage_sorted_by_end'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(models.OrderBy(models.F('resolved_at'), descending=True, nulls_last=True), models.OrderBy(models.F('id'), descending=True), name='outage_sorted_by_end_desc'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(models.F('mttr_minutes'), models.F('id'), name='outage_sorted_by_mttr'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(models.OrderBy(models.F('mttr_minutes'), descending=True, nulls_last=True), models.OrderBy(models.F('id'), descending=True), name='outage_sorted_by_mttr_desc'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(fields=['site_id', '-detected_at', '-id'], name='outage_by_site_id'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(django.db.models.functions.text.Upper('region'), models.OrderBy(models.F('detected_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='outage_by_region'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(fields=['assigned_to', '-detected_at', '-id'], name='outage_by_assignee'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(fields=['source', '-detected_at', '-id'], name='outage_by_source'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['-detected_at', '-id'], name='outage_merged_newest_first'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=models.Index(condition=models.Q(('recurrence_of__isnull', False)), fields=['-detected_at', '-id'], name='outage_chronic_newest_first'),
        ),
        migrations.AddIndex(
            model_name='outage',
            index=django.contrib.postgres.indexes.GinIndex(fields=['affected_services'], name='outage_by_service'),
        ),
    ]
