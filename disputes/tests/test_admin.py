import pytest
from django.test import Client

from disputes.models import Dispute
from disputes.services import file

DISPUTES = "/admin/disputes/dispute/"


@pytest.fixture
def dispute(settled):
    return file(settled.outage.reference, reason="The clock is wrong.")


@pytest.fixture
def browser(make_user):
    client = Client()
    client.force_login(make_user("admin", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("query", ["", "?status=open", "?q=clock"])
def test_disputes_are_listed(browser, dispute, query):
    assert dispute.reference in browser.get(f"{DISPUTES}{query}").content.decode()


def test_a_dispute_is_shown_and_cannot_be_changed(browser, dispute):
    path = f"{DISPUTES}{dispute.pk}/change/"

    assert "The clock is wrong." in browser.get(path).content.decode()
    assert browser.post(path, {"status": "resolved"}).status_code == 403
    assert browser.get(f"{DISPUTES}{dispute.pk}/delete/").status_code == 403
    assert browser.get(f"{DISPUTES}add/").status_code == 403
    assert Dispute.objects.get().status == "open"
