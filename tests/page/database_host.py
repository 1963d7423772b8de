"""Host B of the database transfer: loads the job with the page's function, and finishes it."""

import json
import sys

from routilux import Flow, JobState
from tests.page import page, page_routines

if __name__ == "__main__":
    assert page_routines.PageSource  # imported, so registered
    flow_data, job_state_data = page.run(488)["load_execution_from_db"](sys.argv[1])
    names = page.run(307, Flow=Flow, JobState=JobState, flow_data=flow_data, job_state_data=job_state_data)
    resumed = names["resumed"]
    resumed.wait(30)
    history = [[record.routine_id, record.event_name] for record in resumed.execution_history]
    print(json.dumps({"status": resumed.status, "history": history}))
