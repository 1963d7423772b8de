"""A thousand coroutines wait at once, without a thread each."""

import asyncio
import time

from routilux import Flow, Routine
from serilux import register_serializable


@register_serializable
class Requests(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.send)
        self.define_event("request", ["number"])

    def send(self, count):
        for number in range(count):
            self.emit("request", number=number)


@register_serializable
class Fetch(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("input", handler=self.fetch)

    async def fetch(self, number):
        await asyncio.sleep(0.5)
        self.get_execution_context().job_state.update_shared_data("answers", lambda answers: (answers or 0) + 1)


async def main() -> None:
    flow = Flow(flow_id="fetching", execution_strategy="concurrent")
    flow.connect(flow.add_routine(Requests(), "requests"), "request", flow.add_routine(Fetch(), "fetch"), "input")
    began = time.perf_counter()
    job_state = await flow.execute_async("requests", {"count": 1000})
    await job_state.wait_async(60)
    took = time.perf_counter() - began
    print(f"{job_state.status}: {job_state.shared_data['answers']} answers")
    print("one after the other: 500 s; took less than 50 s:", took < 50)


if __name__ == "__main__":
    asyncio.run(main())
