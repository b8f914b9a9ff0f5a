"""The environment, in which `NAME_FILE` may name the file that holds `NAME`, as containers get their secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from glasnost.errors import ConfigError, Problem


class Environ(Mapping[str, str]):
    """Variables by name; one that is not set is read from its file, anew each time."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        """Give a variable without the line end of its file; ConfigError when that file cannot be read."""
        path = self._variables.get(f"{name}_FILE")
        if name in self._variables or not path:
            return self._variables[name]
        try:
            return Path(path).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            told = Problem(f"{name}_FILE", f"names the file {path}, which cannot be read: {why}")
            raise ConfigError("the environment", [told]) from None

    def __iter__(self) -> Iterator[str]:
        """Go through what is set as a variable: files are for those who ask for what they hold."""
        return iter(self._variables)

    def __len__(self) -> int:
        """Count the same."""
        return len(self._variables)
