"""Files with plans."""

from json import loads
from pathlib import Path

from routilux._plan import Plan
from serilux.errors import DocumentError, LimitError, SeriluxError


def read_plan(file: Path | None) -> Plan | None:
    """The plan in a file, if there is one; SeriluxError, with the file's name, where it holds none."""
    if file is None:
        return None
    try:
        return Plan.read(loads(file.read_bytes()))
    except RecursionError as error:
        raise LimitError("nested too deeply to be read; it is no plan", str(file)) from error
    except SeriluxError as error:
        error.under(f"{file}: " if error.path else f"{file}")
        raise
    except ValueError as error:
        raise DocumentError(f"the file is no JSON: {error}", str(file)) from error
