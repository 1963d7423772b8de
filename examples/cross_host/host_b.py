"""Host B: Receive and Resume Execution"""

import json

import examples.cross_host.routines  # noqa: F401 - registers the classes that the document names
from routilux import Flow
from routilux.job_state import JobState

# Load from file (or receive from network)
with open("transfer.json") as f:
    transfer_data = json.load(f)

# Deserialize Flow
new_flow = Flow()
new_flow.deserialize(transfer_data["flow"])

# Deserialize JobState
new_job_state = JobState()
new_job_state.deserialize(transfer_data["job_state"])

# Verify deserialization (Host A's objects are in another process: its documents stand for them)
assert new_flow.flow_id == transfer_data["flow"]["flow_id"]
assert new_job_state.job_id == transfer_data["job_state"]["job_id"]
assert new_job_state.status == "paused"

# Resume execution on Host B
resumed_job_state = new_flow.resume(new_job_state)

# Wait for completion
JobState.wait_for_completion(new_flow, resumed_job_state, timeout=10.0)

print("✅ Host B: Execution resumed and completed")
print(f"   Final status: {resumed_job_state.status}")
print(f"   Execution history: {len(resumed_job_state.execution_history)} records")
