"""Secrets are taken out wherever they stand, and nothing else is."""

import pytest

from glasnost.record.redactor import REDACTED, Redactor

KEY = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"Authorization: Bearer {KEY}", f"Authorization: Bearer {REDACTED}"),
        (f"curl -H 'authorization: {KEY}' x", f"curl -H 'authorization: {REDACTED}' x"),
        (f"use bearer {KEY}, please", f"use bearer {REDACTED}, please"),
        (f'{{"api_key": "{KEY}"}}', f'{{"api_key": {REDACTED}}}'),
        ("Set-Cookie: session=abcdef; Path=/", f"Set-Cookie: {REDACTED}; Path=/"),
        (f"sk-{KEY} and sk-proj-{KEY}", f"{REDACTED} and {REDACTED}"),
        (f"glasnost-{KEY}xyz", REDACTED),
        (f"ghp_{KEY} hf_{KEY} xoxb-{KEY}", f"{REDACTED} {REDACTED} {REDACTED}"),
        ("AKIAIOSFODNN7EXAMPLE", REDACTED),
        (f"eyJhbGciOiJIUzI1NiJ9.{KEY}.{KEY}", REDACTED),
        ("postgresql://user:hunter2@host/db", f"postgresql://{REDACTED}@host/db"),
        (f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----", REDACTED),
    ],
)
def test_what_looks_like_a_secret_goes(text, left):
    assert Redactor().text(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "The authorization of the march was refused. Bearers carried flags.",
        "我不能讨论这个话题。",
        "https://example.org:8080/a@b",
        "a password is a word; cookies are baked",
        "sk-8 and pk-12",
        "",
    ],
)
def test_what_does_not_stays(text):
    assert Redactor().text(text) == text


def test_what_this_process_knows_goes_wherever_it_stands():
    redactor = Redactor(["short", "known-secret", "known-secret-longer"])
    value = {"known-secret": ["x known-secret-longer y", 1, None, {"a": "short"}]}
    assert redactor.value(value) == {"known-secret": [f"x {REDACTED} y", 1, None, {"a": "short"}]}


def test_a_long_text_takes_no_long_time():
    text = "bearer: " * 50_000 + "://:" * 50_000
    assert Redactor().text(text) == text
