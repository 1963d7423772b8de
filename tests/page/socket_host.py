"""Host B of the socket transfer: prints its port once it listens, then finishes the job that it received."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from routilux import Flow, JobState
from tests.page import page, page_routines


class AnnouncingSocket(socket.socket):
    """Tells its port as soon as somebody may connect to it."""

    announce: Callable[[int], object]

    def listen(self, *backlog: int) -> None:
        super().listen(*backlog)
        AnnouncingSocket.announce(self.getsockname()[1])


@contextmanager
def announced_ports(announce: Callable[[int], object]) -> Iterator[None]:
    """Have the page's function, which makes its socket itself, tell the port that it was given for port 0."""
    plain = socket.socket
    AnnouncingSocket.announce = staticmethod(announce)
    socket.socket = AnnouncingSocket
    try:
        yield
    finally:
        socket.socket = plain


if __name__ == "__main__":
    assert page_routines.PageSource  # imported, so registered
    with announced_ports(lambda port: print(port, flush=True)):
        flow_data, job_state_data = page.run(444)["receive_from_host_a"](0)
    names = page.run(307, Flow=Flow, JobState=JobState, flow_data=flow_data, job_state_data=job_state_data)
    resumed = names["resumed"]
    resumed.wait(30)
    history = [[record.routine_id, record.event_name] for record in resumed.execution_history]
    print(json.dumps({"status": resumed.status, "history": history}))
