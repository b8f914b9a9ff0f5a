"""A function that the worker's thread runs for somebody who waits for what it gives."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Call(Generic[Result]):
    """Ends in `run` or `fail`; a future that was cancelled before is passed over."""

    function: Callable[[], Result]
    future: Future[Result] = field(default_factory=Future)

    def run(self) -> None:
        """Settle the future with the function's result, or with the exception that it raised."""
        if self.future.set_running_or_notify_cancel():
            try:
                self.future.set_result(self.function())
            except Exception as error:  # noqa: BLE001 - whatever it is, it is for whoever waits
                self.future.set_exception(error)

    def fail(self, error: Exception) -> None:
        """Settle the future without having run the function."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)
