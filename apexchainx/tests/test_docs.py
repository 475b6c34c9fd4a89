import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

ASSET = re.compile(r'(?:src|href)="([^"]+)"')


@pytest.mark.parametrize(
    ("path", "assets"),
    [
        (
            "/docs",
            [
                "swagger-ui-bundle.js",
                "swagger-ui-standalone-preset.js",
                "swagger-ui.css",
                "favicon-32x32.png",
            ],
        ),
        ("/redoc", ["redoc.standalone.js"]),
    ],
)
def test_pages_need_nothing_from_elsewhere(client: Client, path: str, assets: list[str]) -> None:
    response = client.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    page = response.content.decode()
    assert response.status_code == 200
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert "//" not in page.replace("</", "<")
    named = [url for url in ASSET.findall(page) if url.startswith("/static/")]
    assert sorted(url.rpartition("/")[2] for url in named) == sorted(assets)
    assert all(finders.find(url.removeprefix("/static/")) for url in named)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_hold_no_script_that_the_policy_forbids(client: Client, path: str) -> None:
    response = client.get(path)

    page = response.content.decode()
    assert re.findall(r"<script(?! src=)", page) == []
    assert re.findall(r"\son\w+=", page) == []
    policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert "script-src" not in policy
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["worker-src"] == "'self' blob:"
    assert policy["img-src"] == "'self' data:"


def test_swaggers_start_up_script_is_a_file_that_names_the_description(client: Client) -> None:
    page = client.get("/docs").content.decode()
    (script,) = [url for url in ASSET.findall(page) if url.startswith("/docs")]

    response = client.get(script)

    assert response["Content-Type"].startswith("application/javascript")
    assert '"/openapi.json"' in response.content.decode()
    assert '"validatorUrl": null' in response.content.decode()


def test_redoc_names_the_description(client: Client) -> None:
    assert 'spec-url="/openapi.json"' in client.get("/redoc").content.decode()


def test_the_front_page_is_the_documentation(client: Client) -> None:
    assert client.get("/")["Location"] == "/docs"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html,*/*;q=0.8"])
def test_the_description_is_json(client: Client, accept: str) -> None:
    response = client.get("/openapi.json", headers={"Accept": accept})

    assert response.status_code == 200
    assert "json" in response["Content-Type"]
    assert response.json()["info"]["title"] == "ApexChainX"
