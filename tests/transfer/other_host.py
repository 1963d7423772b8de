"""Another process: reads a file, brings its job to the end, and sends it back."""

import json
import os
import sys
from pathlib import Path

from routilux.errors import TransferError
from routilux.transfer import SeenEpochs, load_keys, read, write
from tests.engine import engine_parts  # noqa: F401  # whose classes the file names


def main(folder: Path, *key_files: str) -> None:
    keys = load_keys(key_files[0]) if key_files else None
    seen = SeenEpochs(folder / "seen.db")
    flow, job_state = read(folder / "there.transfer", keys=keys, seen=seen)
    with flow:
        flow.resume(job_state).wait(30)
    write(folder / "back.transfer", flow, job_state, seen=seen)
    again = ""
    try:
        read(folder / "there.transfer", keys=keys, seen=seen)
    except TransferError as error:
        again = type(error).__name__
    print(json.dumps({"process": os.getpid(), "log": job_state.shared_log, "again": again}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
