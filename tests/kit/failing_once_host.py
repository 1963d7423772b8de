"""Imported by another process, it has the first job fail there that goes on; the file `failed` says that it has."""

from pathlib import Path
from typing import Any

from routilux.testing.stored_runs import Host

finish = Host.finish


def fail_once(*given: Any) -> Any:
    flag = Path("failed")
    if flag.exists():
        return finish(*given)
    flag.touch()
    raise ValueError("no luck")


Host.finish = fail_once  # type: ignore[method-assign]
