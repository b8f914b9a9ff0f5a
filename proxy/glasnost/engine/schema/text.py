"""Strings as rules: any, of a length, of a format, or of a pattern."""

from __future__ import annotations

from glasnost.engine.grammar import Rules
from glasnost.engine.schema.characters import PatternError
from glasnost.engine.schema.document import Document, Place, count
from glasnost.engine.schema.pattern import read_pattern
from glasnost.engine.schema.repeat import MAX_CHARACTERS, characters

_HEX = "[0-9a-fA-F]"
# Readers of dates commonly know no year 0.
_YEAR = '[1-9] [0-9]{3} | "0" ([1-9] [0-9]{2} | "0" ([1-9] [0-9] | "0" [1-9]))'
_FOURTH = '("0" [48] | [2468] [048] | [13579] [26])'
_DATE = (
    'YEAR "-" (("0" [13578] | "1" [02]) "-" ("0" [1-9] | [12] [0-9] | "3" [01])'
    ' | ("0" [469] | "11") "-" ("0" [1-9] | [12] [0-9] | "30") | "02-" ("0" [1-9] | "1" [0-9] | "2" [0-8]))'
    f' | ([0-9]{{2}} {_FOURTH} | {_FOURTH} "00") "-02-29"'
)
_TIME = (
    '("0" | "1") [0-9] TIME-REST | "2" [0-3] TIME-REST',
    '":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? ("Z" | [-+] (("0" | "1") [0-9] | "2" [0-3]) ":" [0-5] [0-9])',
)


def string(rules: Rules, document: Document, place: Place) -> str:
    """Give the rule body of a string within what a schema says of it.

    Of formats, `date`, `time`, `date-time` and `uuid` are kept to; any other is a remark, as JSON Schema has it.
    """
    least, most = count(document, place, "minLength") or 0, count(document, place, "maxLength")
    pattern, body = place.schema.get("pattern"), _format(rules, place.schema.get("format"))
    if least > MAX_CHARACTERS or (most is not None and least > most):
        raise document.wrong(place, f"`minLength` must be at most `maxLength` and {MAX_CHARACTERS}")
    if (pattern is not None) + (body is not None) + (least > 0 or most is not None) > 1:
        raise document.wrong(place, "only one of `pattern`, `format` and a length is supported; keep the strictest")
    if pattern is not None:
        body = _pattern(rules, document, place, pattern)
    elif body is None and least == 0 and most is None:
        return any_string(rules)
    elif body is None:
        body = characters(rules, character(rules), least, most)
    return rf'"\"" ({body}) "\""'


def any_string(rules: Rules) -> str:
    """Give the name of the rule of any string."""
    return rules.once("STRING", rf'"\"" {character(rules)}* "\""')


def character(rules: Rules) -> str:
    """Give the name of the rule of one character within a string, escaped where it must be and where it may be."""
    # A surrogate on its own is no character; pairs of them are what escapes are not needed for.
    code = f"([0-9abcefABCEF] {_HEX} | [dD] [0-7]) {_HEX} {_HEX}"
    return rules.once("CHAR", rf'[^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u" {code})')


def _pattern(rules: Rules, document: Document, place: Place, pattern: object) -> str:
    if not isinstance(pattern, str):
        raise document.wrong(place, "`pattern` must be a string")
    try:
        return rules.remembered(pattern, lambda: read_pattern(pattern).write(rules, "pattern", document.spend))
    except PatternError as error:
        raise document.wrong(place, f"`pattern` {error}") from error


def _format(rules: Rules, name: object) -> str | None:
    if name == "uuid":
        return f'{_HEX}{{8}} ("-" {_HEX}{{4}}){{3}} "-" {_HEX}{{12}}'
    if name not in ("date", "time", "date-time"):
        return None
    rules.once("YEAR", _YEAR)
    date = rules.once("DATE", _DATE)
    rules.once("TIME-REST", _TIME[1])
    time = rules.once("TIME", _TIME[0])
    return {"date": date, "time": time, "date-time": f'{date} "T" {time}'}[str(name)]
