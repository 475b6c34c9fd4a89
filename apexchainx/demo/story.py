"""The story, chapter by chapter. Each does one thing over HTTP and tells its evidence."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from apexchainx.demo.client import PREFIX, Api, StoryFailed, require, wait_for
from apexchainx.demo.receiver import Delivery, Receiver

ROLES = ("manager", "engineer", "viewer", "auditor")
ANNOUNCED = ("outage.created", "outage.resolved", "sla.calculated", "payment.completed")
# Critical: threshold 15 minutes, base reward 750 (twice that below half of it), penalty 100 a minute.
REWARD_AT_ONCE = Decimal(1500)
PENALTY_AFTER_25_MINUTES = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Stage:
    """The system as `up` describes it in var/demo.json, who plays, and where the webhooks arrive."""

    facts: dict[str, Any]
    receiver: Receiver
    say: Callable[[str], object]

    @property
    def ledger(self) -> Api:
        return Api(self.facts["sandbox_url"])

    def actors(self, correlation_id: str) -> dict[str, Api]:
        anybody = Api(self.facts["url"], correlation_id)
        logins = {user["role"]: user for user in self.facts["users"]}
        return {role: anybody.log_in(logins[role]["email"], logins[role]["password"]) for role in ROLES}


def tell(stage: Stage) -> None:
    """Raises StoryFailed, naming the chapter that went wrong."""
    book = Book(stage)
    for number, chapter in enumerate(CHAPTERS, 1):
        title = (chapter.__doc__ or "").rstrip(".")
        stage.say(f"{number}. {title}")
        try:
            chapter(book)
        except StoryFailed as failure:
            raise StoryFailed(f"step {number} ({title}) failed: {failure}") from failure
        except (KeyError, TypeError, IndexError) as surprise:
            raise StoryFailed(f"step {number} ({title}) failed: the answer lacks {surprise}") from surprise


class Book:
    """What is known so far."""

    actors: dict[str, Api]
    webhook: str
    secret: str
    outage: str
    payment: dict[str, Any]
    before: Decimal
    violated: str

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.correlation_id = f"demo-{uuid.uuid4()}"

    def note(self, text: str) -> None:
        self.stage.say(f"     {text}")

    def team_balance(self) -> Decimal:
        account = self.stage.ledger.get(f"/accounts/{self.stage.facts['team']}")
        lines = [line for line in account["balances"] if line.get("asset_code") == "USDC"]
        return Decimal(lines[0]["balance"])

    def payment_unless_asking(self, outage: str) -> dict[str, Any] | None:
        """The outage's payment, once the contract has spoken, where there is one in charge."""
        found: dict[str, Any] = self.actors["engineer"].get(f"{PREFIX}/outages/{outage}")["stellar_payment"]
        return None if found["reason"].startswith("contract_") else found

    def report_outage(self, site: str, *, minutes_ago: int = 0) -> str:
        body = {
            "site_name": site,
            "severity": "critical",
            "detected_at": (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat(),
            "description": "Total signal loss",
            "affected_services": ["4G", "5G"],
        }
        created = self.actors["engineer"].post(f"{PREFIX}/outages", body, expect=201)
        self.note(f"{created['id']}: {site}, critical, detected {created['detected_at']}")
        return str(created["id"])

    def resolve(self, outage: str) -> dict[str, Any]:
        body = {"resolution_notes": "Power restored"}
        answer: dict[str, Any] = self.actors["engineer"].post(f"{PREFIX}/outages/{outage}/resolve", body)
        sla = answer["sla"]
        minutes = f"{sla['mttr_minutes']} of {sla['threshold_minutes']} minutes"
        self.note(f"SLA {sla['status']}, {sla['rating']}: {minutes}, amount {sla['amount']}")
        return answer


def enter(book: Book) -> None:
    """Log in as manager, engineer, viewer and auditor."""
    book.actors = book.stage.actors(book.correlation_id)
    book.note(f"tokens for {', '.join(book.actors)}; correlation id {book.correlation_id}")


def subscribe(book: Book) -> None:
    """Register a webhook for every event."""
    body = {"name": "Demo", "url": book.stage.receiver.url, "events": ["*"]}
    webhook = book.actors["manager"].post(f"{PREFIX}/webhooks", body, expect=201)
    book.webhook, book.secret = webhook["id"], webhook["secret"]
    book.note(f"webhook {webhook['id']} -> {book.stage.receiver.url}; its secret is shown this once")


def report(book: Book) -> None:
    """Report a critical outage, detected just now."""
    book.outage = book.report_outage("Cell Tower Alpha")


def knock(book: Book) -> None:
    """Show that a wrong token and a missing right are refused."""
    viewer, path = book.actors["viewer"], f"{PREFIX}/outages/{book.outage}"
    viewer.as_bearer_of("not-a-token").get(path, expect=401)
    viewer.post(f"{path}/resolve", {}, expect=403)
    require("the outage's status", viewer.get(path)["status"], "open")
    book.note("wrong token: 401; viewer resolving: 403; the outage is still open")


def settle(book: Book) -> None:
    """Resolve it: the SLA is met, exceptional, and earns 1500."""
    book.before = book.team_balance()
    answer = book.resolve(book.outage)
    sla = answer["sla"]
    require("the SLA's status", sla["status"], "met")
    require("the rating", sla["rating"], "exceptional")
    require("the evidence", sla["clock_source"], "measured")
    require("the amount", Decimal(sla["amount"]), REWARD_AT_ONCE)
    book.actors["engineer"].post(f"{PREFIX}/outages/{book.outage}/resolve", {}, expect=409)
    book.note("resolving it again: 409")


def wait_for_money(book: Book) -> None:
    """Wait until the payment is confirmed."""

    def confirmed() -> dict[str, Any] | None:
        history = book.actors["engineer"].get(f"{PREFIX}/payments/history", limit="50")["transactions"]
        ours = [payment for payment in history if payment["outage_id"] == book.outage]
        if ours and ours[0]["status"] in {"failed", "cancelled"}:
            raise StoryFailed(f"the payment has {ours[0]['status']}: {ours[0]}")
        return next((payment for payment in ours if payment["status"] == "confirmed"), None)

    book.payment = wait_for("the confirmation of the payment", confirmed)
    book.note(
        f"{book.payment['id']}: {book.payment['amount']} USDC, confirmed {book.payment['confirmed_at']}"
    )
    book.note(f"transaction {book.payment['transaction_hash']}")


def ask_the_ledger(book: Book) -> None:
    """Ask the ledger itself."""
    found = book.stage.ledger.get(f"/transactions/{book.payment['transaction_hash']}")
    require("the transaction's success on the ledger", found["successful"], True)
    gained = book.team_balance() - book.before
    require("what the team's balance has gained", gained, REWARD_AT_ONCE)
    book.note(f"in ledger {found['ledger']}, fee {found['fee_charged']} stroops, memo {found.get('memo')!r}")
    book.note(f"the team's balance: {book.before:f} + {gained:f}")
    sla = book.actors["engineer"].get(f"{PREFIX}/sla/status/{book.outage}")
    if sla["smart_contract_invoked"]:
        called = book.stage.ledger.get(f"/transactions/{sla['contract_tx_hash']}")
        require("the success of the contract's call", called["successful"], True)
        book.note(f"the contract agreed in ledger {called['ledger']}: {called['hash']}")


def receive(book: Book) -> None:
    """Receive the webhooks and verify their signatures."""

    def all_four() -> dict[str, Delivery] | None:
        by_event = {delivery.content["type"]: delivery for delivery in list(book.stage.receiver.deliveries)}
        return by_event if by_event.keys() >= set(ANNOUNCED) else None

    received = wait_for(f"receiving {', '.join(ANNOUNCED)}", all_four)
    for event in ANNOUNCED:
        delivery = received[event]
        require(f"the signature of {event}", delivery.is_signed_with(book.secret), True)
        forged = Delivery(delivery.headers, delivery.body + b" ")
        require(f"the signature of a forged {event}", forged.is_signed_with(book.secret), False)
        book.note(f"{event:<18} {delivery.id} verified")


def dispute(book: Book) -> None:
    """Report an outage late, see its penalty held for a person, and dispute it."""
    book.violated = book.report_outage("Cell Tower Beta", minutes_ago=25)
    answer = book.resolve(book.violated)
    sla = answer["sla"]
    require("the SLA's status", sla["status"], "violated")
    require("the penalty", Decimal(sla["penalty_amount"]), PENALTY_AFTER_25_MINUTES)
    payment = wait_for("the contract's word", lambda: book.payment_unless_asking(book.violated))
    require("the payment's state", (payment["state"], payment["reason"]), ("held", "clock_declared"))
    book.note(
        f"{payment['id']}: {payment['amount']} from the operator, held: a back-dated clock moves no money"
    )
    body = {"outage_id": book.violated, "reason": "The clock began before the engineer was told."}
    filed = book.actors["engineer"].post(f"{PREFIX}/sla/disputes", body, expect=201)
    require("the dispute's status", filed["status"], "open")
    book.note(f"{filed['id']} is open")
    book.actors["viewer"].post(f"{PREFIX}/sla/disputes", body, expect=403)
    book.note("viewer filing one: 403")


def audit(book: Book) -> None:
    """Read the audit log and the outage's timeline."""
    auditor = book.actors["auditor"]
    page = auditor.get(f"{PREFIX}/audit", correlation_id=book.correlation_id, limit="100")
    kinds = [event["event_type"] for event in page["results"]]
    for kind in (*ANNOUNCED, "payment.signed", "dispute.filed"):
        require(f"whether the audit log holds {kind}", kind in kinds, True)
    book.note(f"{page['total']} audit events under {book.correlation_id}")
    timeline = auditor.get(f"{PREFIX}/outages/{book.outage}")["timeline"]
    for entry in timeline:
        book.note(f"{entry['timestamp']}  {entry['event_type']:<18} {entry['user']}")


def unsubscribe(book: Book) -> None:
    """Remove the webhook: nobody listens there any more."""
    path = f"{PREFIX}/webhooks/{book.webhook}"
    book.actors["manager"].delete(path)
    book.actors["manager"].get(path, expect=404)
    book.note(f"webhook {book.webhook} is gone")


CHAPTERS = (
    enter,
    subscribe,
    report,
    knock,
    settle,
    wait_for_money,
    ask_the_ledger,
    receive,
    dispute,
    audit,
    unsubscribe,
)
