"""A job goes to another process through a socket."""

import random
import socket
import sys
import time
from contextlib import suppress

from examples._two_hosts import start_host
from examples.cross_host.routines import DataProcessor, DataSource
from examples.socket_transfer.transfer import send_to_host_b
from routilux import Flow


def free_port() -> int:
    """A port that nothing listens on, and that the system gives to nobody unasked."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port
    raise SystemExit("there is no free port")


def send_when_host_b_listens(flow_data, job_state_data, address) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            return send_to_host_b(flow_data, job_state_data, address)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def main() -> None:
    port = free_port()
    host_b = start_host("examples.socket_transfer.host_b", str(port))

    flow = Flow(flow_id="socket_flow")
    source_id = flow.add_routine(DataSource(), "source")
    processor_id = flow.add_routine(DataProcessor(), "processor")
    flow.connect(source_id, "output", processor_id, "input")

    job_state = flow.execute(source_id)
    flow.pause(job_state, reason="Transfer to Host B")

    print("Host A: sending", flush=True)
    send_when_host_b_listens(flow.serialize(), job_state.serialize(), ("127.0.0.1", port))
    sys.exit(host_b.wait(60))


if __name__ == "__main__":
    main()
