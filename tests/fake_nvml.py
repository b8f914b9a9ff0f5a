"""A pynvml that tells of GPUs which are not there."""

from __future__ import annotations

from types import SimpleNamespace

GIB = 1 << 30


class NVMLError(Exception):
    """NVML could not do it."""


def nvml(*free: int, error: Exception | None = None) -> SimpleNamespace:
    """Give a pynvml of as many GPUs; it notes that it was shut down."""

    def init() -> None:
        if error is not None:
            raise error

    fake = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=init,
        nvmlDeviceGetCount=lambda: len(free),
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(free=free[handle], total=80 * GIB, used=0),
        nvmlDeviceGetUUID=lambda handle: f"GPU-{handle}{handle}{handle}-x",
        ended=0,
    )

    def shutdown() -> None:
        fake.ended += 1

    fake.nvmlShutdown = shutdown
    return fake
