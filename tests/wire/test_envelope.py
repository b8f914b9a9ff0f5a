"""The error object: what clients see of our exceptions, and what they never see."""

from glasnost.errors import InvalidRequest, QueueFull, UpstreamRejected
from glasnost.wire.envelope import error_body, error_headers


def test_an_unexpected_exception_shows_nothing_of_itself():
    body = error_body(RuntimeError("password=hunter2"))
    assert "hunter2" not in str(body)
    assert body["error"]["code"] == "internal_error"


def test_an_error_names_its_field_its_code_and_whose_fault_it_is():
    body = error_body(InvalidRequest("`n` is wrong.", param="n"))["error"]
    assert body == {
        "message": "`n` is wrong.",
        "type": "invalid_request_error",
        "param": "n",
        "code": "invalid_value",
        "src": "client",
    }


def test_an_upstreams_own_error_object_is_passed_on_but_only_its_known_fields():
    error = UpstreamRejected("x", status=422, error={"message": "bad", "code": "c", "secret": "s"})
    assert error_body(error)["error"] == {
        "message": "bad",
        "type": "upstream_error",
        "param": None,
        "code": "c",
        "src": "upstream",
    }


def test_retry_after_stays_within_what_clients_obey():
    assert error_headers(QueueFull("full", retry_after=900)) == {"retry-after": "120"}
    assert error_headers(QueueFull("full", retry_after=0)) == {"retry-after": "1"}
    assert error_headers(InvalidRequest("x")) == {}
