"""A process that has no cryptography package."""

import json
import sys

from routilux.errors import TransferKeyError
from routilux.testing import StepRunner
from routilux.transfer import Key, KeyRing, dumps, loads
from tests.engine.engine_parts import pipeline


def main() -> None:
    sys.modules["cryptography"] = None  # type: ignore[assignment]  # which is how Python is told that there is none
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = runner.start(flow, "source")
    flow.pause(job_state)
    ring, told = KeyRing([Key.generate("hmac")]), ""
    statuses = [loads(dumps(flow, job_state, keys=keys), keys=keys)[1].status for keys in (None, ring)]
    try:
        dumps(flow, job_state, keys=KeyRing([Key.generate("ed", "Ed25519")]))
    except TransferKeyError as error:
        told = str(error).partition(" (")[0]
    loaded = any(name.startswith("cryptography.") for name in sys.modules)
    print(json.dumps({"plain": statuses[0], "hmac": statuses[1], "sign": told, "loaded": loaded}))


if __name__ == "__main__":
    main()
