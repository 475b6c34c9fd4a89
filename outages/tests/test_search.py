"""Outages by words: stems, beginnings, errors of typing, ids, and signs that mean nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient
from time_machine import Traveller

from conftest import NOW, PREFIX
from outages.models import Learning, Outage, Word
from outages.models.words import LATEST_COMMIT
from outages.tasks import learn_words

pytestmark = pytest.mark.django_db
SEARCH = f"{PREFIX}/outages/search"
Make = Callable[..., Outage]
Found = Callable[..., list[str]]


@pytest.fixture
def viewer(clock: Traveller, client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("viewer")


@pytest.fixture
def found(viewer: APIClient) -> Found:
    """The ids that a search finds, the most relevant first; the list finds the same."""

    def ask(text: str, **query: str) -> list[str]:
        ids = [row["id"] for row in viewer.get(SEARCH, {"q": text, **query}).json()["results"]]
        listed = viewer.get(f"{PREFIX}/outages", {"search": text, **query}).json()["results"]
        assert sorted(ids) == sorted(row["id"] for row in listed)
        return ids

    return ask


@pytest.fixture
def told(clock: Traveller, make_outage: Make) -> dict[str, str]:
    """Four outages by a short name."""
    stories: dict[str, dict[str, Any]] = {
        "lagos": {
            "site_name": "Lagos Tower",
            "site_id": "SITE-0042",
            "description": "Rectifier batteries are failing",
            "affected_services": ["4G", "Enterprise VPN"],
        },
        "kano": {
            "site_name": "Kano Hub",
            "region": "North",
            "root_cause": "Battery theft",
            "severity": "low",
        },
        "odd": {"site_name": "O'Neil 100% & Söhne", "description": "It will fail: a|b (c) !d <-> e:* \\ x_y"},
        "late": {"site_name": "Abuja Exchange", "description": "Fibre cut near the Lagos tower; see INC7731"},
    }
    made = {name: make_outage(**story).reference for name, story in stories.items()}
    learn_words()
    return made


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("lagos", {"lagos", "late"}),
        ("LAGOS tower", {"lagos", "late"}),
        ("lagos battery", {"lagos"}),
        ("lagos kano", set()),
        ("failed", {"lagos", "odd"}),
        ("batteries", {"lagos", "kano"}),
        ("rect", {"lagos"}),
        ("theft batt", {"kano"}),
        ("batt theft", {"kano"}),
        ("will", {"odd"}),
        ("söhne", {"odd"}),
        ("SÖHNE", {"odd"}),
        ("4g", {"lagos"}),
        ("vpn enterprise", {"lagos"}),
        ("site-0042", {"lagos"}),
        ("SITE 0042", {"lagos"}),
        ("0042", {"lagos"}),
        ("inc77", {"late"}),
        ("7731", {"late"}),
        ("ectifie", {"lagos"}),
        ("bat", {"lagos", "kano"}),
        ("lgaos", {"lagos", "late"}),
        ("recitfier", {"lagos"}),
        ("batery thfet", {"kano"}),
        ("kno", {"kano"}),
        ("zyxgate", set()),
        ("lagos zyxgate", set()),
    ],
)
def test_words_find(found: Found, told: dict[str, str], text: str, names: set[str]) -> None:
    assert set(found(text)) == {told[name] for name in names}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("100%", {"odd"}),
        ("o'neil", {"odd"}),
        ("a|b", {"odd"}),
        ("e:*", {"odd"}),
        ("x_y", {"odd"}),
        ("xay", set()),
        ("lagos & tower", {"lagos", "late"}),
        ("lagos | kano", set()),
        ("!lagos", set()),
        ("lagos%", set()),
        ("l_gos", set()),
        ("lag.s", set()),
        ("(lagos)", set()),
        ('"lagos tower"', set()),
        ("'lagos':*", set()),
        ("lagos <-> tower", {"lagos", "late"}),
        ("\\", set()),
        ("\\ lagos", {"lagos", "late"}),
        ("%", set()),
        ("___", set()),
        ("'; DROP TABLE outages_outage; --", set()),
        ("\U0001f525", set()),
        ("٣", set()),
        ("é", set()),
        ("a " * 90, {"odd"}),
        ("x" * 200, set()),
        ("NaN Infinity 1e400 0x10 -1", set()),
    ],
)
def test_signs_mean_themselves(found: Found, told: dict[str, str], text: str, names: set[str]) -> None:
    assert set(found(text)) == {told[name] for name in names}


def test_the_site_weighs_more_than_the_rest(found: Found, told: dict[str, str]) -> None:
    assert found("lagos tower") == [told["lagos"], told["late"]]
    assert found("battery") == [told["kano"], told["lagos"]]


def test_what_is_new_goes_first(found: Found, make_outage: Make) -> None:
    old, new = (make_outage(detected_at=NOW - timedelta(days=days)).reference for days in (200, 1))

    assert found("alpha") == [new, old]


def test_an_id_goes_first(found: Found, make_outage: Make) -> None:
    named = make_outage(reference="Alpha", site_name="Kano", detected_at=NOW - timedelta(days=300)).reference
    others = [make_outage().reference for _ in range(2)]

    assert found("ALPHA") == [named, *reversed(others)]


def test_a_search_is_combined_with_filters(found: Found, told: dict[str, str]) -> None:
    assert found("battery", severity="low") == [told["kano"]]
    assert found("battery", region="north", status="open") == [told["kano"]]
    assert found("battery", status="resolved") == []
    assert found("battery", date_to="2026-01-15") == []


def test_a_word_is_found_before_it_is_learnt(found: Found, make_outage: Make) -> None:
    reference = make_outage(description="Transponder silent").reference

    assert not Word.objects.exists()
    assert found("transponder") == found("transp") == found("ponder sil") == [reference]


def test_more_than_a_batch_of_one_moment_is_learnt(
    clock: Traveller, make_outage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just now, too: the last minutes are read again by the next run and not by this one."""
    monkeypatch.setattr("outages.models.words.BATCH", 2)
    for name in ("Accra", "Bamako", "Conakry", "Dakar", "Enugu"):
        make_outage(site_name=name)

    learn_words()

    learnt = Word.objects.filter(word__in=("accra", "bamako", "conakry", "dakar", "enugu"))
    assert learnt.count() == 5
    assert Learning.objects.get().read_until == NOW - LATEST_COMMIT


def test_a_known_word_is_never_put_right(found: Found, make_outage: Make) -> None:
    fibre, fiber = (make_outage(site_name=name).reference for name in ("Fibre", "Fiber"))
    learn_words()

    assert (found("fibre"), found("fiber")) == ([fibre], [fiber])


def test_pages_of_a_search(viewer: APIClient, make_outage: Make) -> None:
    made = [make_outage().reference for _ in range(5)][::-1]

    by_offset = viewer.get(SEARCH, {"q": "alpha", "limit": "2", "offset": "2"}).json()
    assert [row["id"] for row in by_offset["results"]] == made[2:4]
    assert (by_offset["total"], by_offset["total_exact"]) == (5, True)
    by_page = viewer.get(SEARCH, {"q": "alpha", "page": "3", "page_size": "2"}).json()
    assert ([row["id"] for row in by_page["items"]], by_page["total"]) == (made[4:], 5)
    assert viewer.get(SEARCH, {"q": "alpha", "offset": "9"}).json()["total"] == 5
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = viewer.get(SEARCH, {"q": "alpha", "cursor": cursor, "limit": "2"}).json()
        seen += [row["id"] for row in page["results"]]
        cursor = page["next_cursor"]
    assert seen == made


def test_the_newest_matches_are_ranked_and_the_total_says_so(
    viewer: APIClient, make_outage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("filters", "views.lists"):
        monkeypatch.setattr(f"outages.{module}.MOST_RANKED", 3)
    made = [make_outage(detected_at=NOW - timedelta(minutes=age)).reference for age in range(5)]

    answer = viewer.get(SEARCH, {"q": "alpha"}).json()

    assert sorted(row["id"] for row in answer["results"]) == sorted(made[:3])
    assert (answer["total"], answer["total_exact"]) == (3, False)


@pytest.mark.parametrize("span", [1, 3, 100])
def test_a_common_search_finds_what_the_newest_have_not(
    make_outage: Make, monkeypatch: pytest.MonkeyPatch, clock: Traveller, span: int
) -> None:
    monkeypatch.setattr("outages.models.outage.SOON_READ", span)
    made = [make_outage(detected_at=NOW - timedelta(minutes=age)).pk for age in range(6)]
    sought = Word.objects.sought("alpha")
    common = type(sought)(sought.text, sought.condition, sought.query, is_common=True)

    ranked = Outage.objects.all().most_relevant(common, of=4)

    assert sorted(ranked.values_list("pk", flat=True)) == sorted(made[:4])


@pytest.mark.parametrize("query", [{}, {"q": ""}, {"q": " "}, {"q": "x" * 201}, {"q": "x", "cursor": "Mg"}])
def test_a_bad_search_is_refused_by_name(viewer: APIClient, query: dict[str, str]) -> None:
    answer = viewer.get(SEARCH, query)

    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == ("cursor" if "cursor" in query else "q")


# The vocabulary


def words() -> set[str]:
    return set(Word.objects.values_list("word", flat=True))


def test_words_are_learnt_of_what_is_new_and_what_has_changed(make_outage: Make, clock: Traveller) -> None:
    outage = make_outage(site_name="Kano 7 x9y", description="Batteries, of an o'er")
    learn_words()
    assert words() == {"kano", "batteries", "batteri"}
    assert Learning.objects.get().read_until == timezone.now() - timedelta(minutes=5)

    clock.shift(timedelta(hours=1))
    outage.root_cause = "Theft"
    outage.store("root_cause")
    learn_words()

    assert words() == {"kano", "batteries", "batteri", "theft"}
    assert Learning.objects.get().read_until == NOW + timedelta(minutes=55)


def test_all_words_are_learnt_though_many_at_a_time(
    make_outage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outages.models.words.BATCH", 2)
    for number, name in enumerate(("Aba", "Bida", "Cotonou", "Dakar", "Enugu")):
        outage = make_outage(site_name=name)
        Outage.objects.filter(pk=outage.pk).update(updated_at=NOW - timedelta(days=9 - number))

    learn_words()

    assert words() == {"aba", "bida", "cotonou", "dakar", "enugu"}
    learn_words()
    assert Word.objects.count() == 5
