from collections.abc import Callable
from typing import Any

import pytest
from celery import states
from celery.app.task import Context
from django.conf import settings
from django_celery_results.models import TaskResult
from rest_framework.test import APIClient

from apexchainx import celery_app, context
from apexchainx.celery import ContextTask
from apexchainx.jobs import signals
from apexchainx.jobs.backend import JobBackend
from apexchainx.jobs.serializers import JobSerializer
from conftest import PREFIX
from payments.tasks import advance

JOBS = f"{PREFIX}/jobs"
PARTICULARS = '{"queue": "signer", "scheduled_for": null, "retries": 2, "correlation_id": "abc"}'


@pytest.fixture
def make_job(db: None) -> Callable[..., TaskResult]:
    def make(task_id: str = "job-1", **fields: Any) -> TaskResult:
        given = {"task_name": "payments.tasks.advance", "status": states.PENDING, "meta": PARTICULARS}
        return TaskResult.objects.create(task_id=task_id, **{**given, **fields})

    return make


@pytest.fixture
def engineer(client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("engineer")


def test_a_waiting_job(engineer: APIClient, make_job: Callable[..., TaskResult]) -> None:
    make_job()
    created_at = TaskResult.objects.values_list("date_created", flat=True).get()

    told = engineer.get(f"{JOBS}/job-1").json()

    assert told == {
        "id": "job-1",
        "job_id": "job-1",
        "task": "payments.tasks.advance",
        "status": "pending",
        "queue": "signer",
        "worker": None,
        "scheduled_for": None,
        "retries": 2,
        "correlation_id": "abc",
        "created_at": created_at.isoformat().replace("+00:00", "Z"),
        "last_attempt_at": None,
        "finished_at": None,
        "result": None,
        "error": None,
    }


def test_a_failed_job_says_why_and_hides_secrets(
    engineer: APIClient, make_job: Callable[..., TaskResult]
) -> None:
    seed = "S" + "A" * 55
    job = make_job(
        status=states.FAILURE,
        result=f'{{"exc_type": "ValueError", "exc_message": ["bad key {seed}"], "exc_module": "builtins"}}',
        traceback="Traceback ...",
    )

    told = engineer.get(f"{JOBS}/job-1").json()

    assert (told["status"], told["error"]) == ("failure", "ValueError: bad key [redacted]")
    done_at = TaskResult.objects.values_list("date_done", flat=True).get(task_id=job.task_id)
    assert told["finished_at"] == done_at.isoformat().replace("+00:00", "Z")
    assert "Traceback" not in str(told)


def test_jobs_are_filtered_and_listed_newest_first(
    engineer: APIClient, make_job: Callable[..., TaskResult]
) -> None:
    make_job("one", status=states.SUCCESS, result="3")
    make_job("two")

    def found(**query: str) -> list[str]:
        return [job["id"] for job in engineer.get(JOBS, query).json()["results"]]

    assert found() == ["two", "one"]
    assert found(status="success") == ["one"]
    assert found(task="nothing") == []
    assert engineer.get(JOBS, {"status": "asleep"}).json()["error"]["details"]["field"] == "status"
    assert engineer.get(f"{JOBS}/unknown").status_code == 404


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("engineer", 200), ("auditor", 200), ("admin", 200)]
)
def test_reading_takes_the_right(client_as: Callable[[str], APIClient], role: str, status: int) -> None:
    assert client_as(role).get(JOBS).status_code == status


@pytest.mark.parametrize("rows", [2, 50])
def test_list_costs_two_queries_for_any_number_of_rows(
    rows: int,
    engineer: APIClient,
    make_job: Callable[..., TaskResult],
    django_assert_num_queries: Callable[..., Any],
) -> None:
    for number in range(rows):
        make_job(f"job-{number}")
    authentication = 1

    with django_assert_num_queries(2 + authentication):
        assert len(engineer.get(JOBS).json()["results"]) == rows


# Where the rows come from


def test_a_queued_task_is_visible_before_a_worker_takes_it(engineer: APIClient) -> None:
    with context.acting_as("7", source="api", correlation_id="from-a-request"):
        queued = advance.delay()

    waiting = engineer.get(f"{JOBS}/{queued.id}").json()

    assert (waiting["task"], waiting["status"], waiting["queue"]) == (
        "payments.tasks.advance",
        "pending",
        "signer",
    )
    assert (waiting["correlation_id"], waiting["retries"], waiting["last_attempt_at"]) == (
        "from-a-request",
        0,
        None,
    )


def test_a_sweep_leaves_no_row(db: None) -> None:
    sweep: dict[str, Any] = {**settings.SWEEP}
    advance.apply_async(**sweep)

    assert not TaskResult.objects.exists()


def test_a_worker_that_was_faster_is_not_overwritten(make_job: Callable[..., TaskResult]) -> None:
    make_job("fast", status=states.SUCCESS)

    signals.show(headers={"id": "fast", "task": "payments.tasks.advance"}, routing_key="signer")

    assert TaskResult.objects.get().status == states.SUCCESS


def test_a_failed_attempt_keeps_schedule_tries_and_origin(db: None) -> None:
    backend = JobBackend(celery_app)
    request = Context(
        id="job-9",
        task="x",
        retries=1,
        eta="2026-01-16T10:00:00Z",
        origin="abc",
        delivery_info={"routing_key": "signer"},
    )

    backend.store_result("job-9", ValueError("no"), states.RETRY, request=request)

    told = JobSerializer(TaskResult.objects.get()).data
    assert (told["status"], told["retries"], told["scheduled_for"]) == ("retry", 1, "2026-01-16T10:00:00Z")
    assert (told["queue"], told["correlation_id"], told["error"]) == ("signer", "abc", "ValueError: no")
    assert told["finished_at"] is None


def test_a_task_acts_as_the_system_under_the_id_of_its_sender() -> None:
    @celery_app.task(bind=True)
    def whisper(self: ContextTask) -> tuple[str, str, str]:
        here = context.current()
        return here.actor, here.source, here.correlation_id

    assert whisper.apply(headers={"origin": "abc"}).get() == ("system", "task", "abc")
