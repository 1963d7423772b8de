"""Host A: Execute and Prepare for Transfer"""

import json

from examples.cross_host.routines import DataProcessor, DataSource
from routilux import Flow

# Create flow on Host A
flow = Flow(flow_id="cross_host_flow")
source = DataSource()
processor = DataProcessor()
source_id = flow.add_routine(source, "source")
processor_id = flow.add_routine(processor, "processor")
flow.connect(source_id, "output", processor_id, "input")

# Execute and pause (simulating transfer point)
job_state = flow.execute(source_id)
flow.pause(job_state, reason="Transfer to Host B")

# Serialize both Flow and JobState
flow_data = flow.serialize()
job_state_data = job_state.serialize()

# Prepare for transfer (JSON format)
transfer_data = {"flow": flow_data, "job_state": job_state_data}

# Save to file (or send over network)
with open("transfer.json", "w") as f:
    json.dump(transfer_data, f, indent=2)

print("✅ Host A: Flow and JobState serialized and ready for transfer")
