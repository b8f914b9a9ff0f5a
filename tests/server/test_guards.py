"""What the server refuses, and that every refusal is the same JSON error whatever asks."""

import hashlib
import socket
import time

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from gateway import CONFIG, HARMLESS, body, gateway, rule, script

KEY = "glasnost-test-key"
OTHER = KEY[:-1] + "x"


def hashed(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture(scope="module")
def running():
    with gateway(CONFIG + "server: {max_body_bytes: 20000, body_seconds: 0.5}\n") as each:
        yield each


@pytest.fixture(scope="module")
def keyed():
    first = f"{{hash: '{hashed('first')}', scopes: ['audit:read']}}"
    with gateway(CONFIG + f"server: {{keys: [{first}, '{hashed(KEY)}']}}\n") as each:
        yield each


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1/nothing", 404, "not_found"),
        ("POST", "/v1/images/generations", 404, "not_found"),
        ("POST", "/v1/audio/speech", 404, "not_found"),
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("GET", "/v1/models/", 404, "model_not_found"),
        ("GET", "//v1/models", 404, "not_found"),
        ("GET", "/V1/models", 404, "not_found"),
    ],
)
def test_an_unknown_path_or_method_is_a_json_error(running, method, path, status, code):
    response = httpx.request(method, running.url + path)
    assert response.status_code == status
    assert response.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{}", {"content-type": "text/plain"}, 415, "unsupported_media_type"),
        (b"a=b", {"content-type": "multipart/form-data; boundary=x"}, 415, "unsupported_media_type"),
        (b"{}", {"content-type": "application/json", "content-encoding": "gzip"}, 415, "unsupported_media_type"),
        (b"{", {"content-type": "application/json"}, 400, "invalid_json"),
        (b"[]", {"content-type": "application/json"}, 400, "invalid_json"),
        (b'{"model": "asked"}', {"content-type": "application/json; charset=utf-8"}, 400, "invalid_value"),
        (b" " * 20_001, {"content-type": "application/json"}, 413, "payload_too_large"),
    ],
)
def test_a_body_that_is_not_a_small_json_object_is_refused(running, content, headers, status, code):
    response = httpx.post(f"{running.url}/v1/chat/completions", content=content, headers=headers)
    assert response.status_code == status
    assert response.json()["error"]["code"] == code


def test_reading_stops_at_the_limit_when_no_length_was_given(running):
    def pieces():
        for _ in range(100):
            yield b" " * 1000

    response = httpx.post(
        f"{running.url}/v1/chat/completions", content=pieces(), headers={"content-type": "application/json"}
    )
    assert response.status_code == 413


def test_a_body_that_does_not_arrive_is_a_408(running):
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(head + b"Content-Length: 100\r\n\r\n{")
        client.settimeout(5)
        assert b" 408 " in client.recv(4096).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "host", ["attacker.example", "127.0.0.1.attacker.example", "evil/?x=", "localhost.evil:80", ""]
)
def test_a_foreign_host_is_refused_everywhere(running, host):
    for path in ("/v1/models", "/metrics", "/livez"):
        response = httpx.get(running.url + path, headers={"host": host})
        assert response.status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:99", "LOCALHOST:8080"])
def test_the_names_of_loopback_are_served(running, host):
    assert httpx.get(f"{running.url}/v1/models", headers={"host": host}).status_code == 200


def test_a_request_id_is_kept_when_harmless_and_made_otherwise(running):
    kept = httpx.get(f"{running.url}/livez", headers={"x-request-id": "abc-1.2_3"})
    assert kept.headers["x-request-id"] == "abc-1.2_3"
    for bad in ("a b", "x" * 129, "a;b", b"\xc3\xa9"):
        made = httpx.get(f"{running.url}/livez", headers={"x-request-id": bad})
        assert len(made.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": f"Bearer {OTHER}"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": KEY},
        {"authorization": "Bearer ' OR 1=1--"},
        {"authorization": b"Bearer \xff\xfe"},
        {"authorization": "Bearer " + "k" * 50_000},
        [("authorization", f"Bearer {KEY}"), ("authorization", f"Bearer {KEY}")],
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/models", "/metrics", "/v1/nothing", "//v1/models", "/livez/"])
def test_without_a_known_key_every_path_gives_the_same_401(keyed, headers, path):
    response = httpx.get(keyed.url + path, headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert response.json()["error"]["message"] == "A valid API key is needed: send `Authorization: Bearer <key>`."


def test_a_known_key_opens_and_probes_need_none(keyed):
    assert httpx.get(f"{keyed.url}/v1/models", headers={"authorization": f"Bearer {KEY}"}).status_code == 200
    assert httpx.get(f"{keyed.url}/metrics", headers={"authorization": "bearer first"}).status_code == 200
    assert httpx.get(f"{keyed.url}/livez").status_code == 200
    assert httpx.get(f"{keyed.url}/readyz").status_code == 200


def test_unknown_models_and_paths_add_no_series(running):
    before = len(httpx.get(f"{running.url}/metrics").text.splitlines())
    for number in range(30):
        httpx.post(f"{running.url}/v1/chat/completions", json=body() | {"model": f"m{number}\r\nx: y"})
        httpx.get(f"{running.url}/p{number}")
    assert len(httpx.get(f"{running.url}/metrics").text.splitlines()) == before


def test_above_the_limit_of_requests_a_clear_503_tells_when_to_come_back():
    slow = script(rule("The capital of France is Paris.", delay=20.0))
    with gateway(CONFIG + "server: {max_in_flight: 1}\n", gagged=slow) as each:
        with httpx.stream("POST", f"{each.url}/v1/chat/completions", json=body(HARMLESS, stream=True)):
            since = time.monotonic()
            answer = each.post(body(HARMLESS))
            assert time.monotonic() - since < 10
            assert each.metric("glasnost_requests_in_flight", endpoint="chat") == 1
            assert each.metric("glasnost_requests_in_flight") == 1
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["error"]["code"] == "overloaded"
        assert httpx.get(f"{each.url}/readyz").status_code == 200
        assert each.metric("glasnost_rejections_total", reason="overloaded") == 1


def test_the_metrics_are_valid_in_both_formats(running):
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    assert {family.name for family in openmetrics(httpx.get(f"{running.url}/metrics", headers=accept).text)}
    names = {family.name for family in plain(httpx.get(f"{running.url}/metrics").text)}
    assert {"glasnost_requests", "glasnost_actions", "glasnost_ready", "process_cpu_seconds"} <= names
