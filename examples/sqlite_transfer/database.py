"""The page's two functions: a job through a table."""

import json
import sqlite3


# Host A: Save to database
def save_execution_to_db(flow_data, job_state_data, execution_id):
    conn = sqlite3.connect("executions.db")
    cursor = conn.cursor()

    cursor.execute("""
        CREATE TABLE IF NOT EXISTS executions (
            execution_id TEXT PRIMARY KEY,
            flow_data TEXT,
            job_state_data TEXT,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        )
    """)

    cursor.execute(
        """
        INSERT INTO executions (execution_id, flow_data, job_state_data)
        VALUES (?, ?, ?)
    """,
        (execution_id, json.dumps(flow_data), json.dumps(job_state_data)),
    )

    conn.commit()
    conn.close()


# Host B: Load from database
def load_execution_from_db(execution_id):
    conn = sqlite3.connect("executions.db")
    cursor = conn.cursor()

    cursor.execute(
        """
        SELECT flow_data, job_state_data
        FROM executions
        WHERE execution_id = ?
    """,
        (execution_id,),
    )

    row = cursor.fetchone()
    conn.close()

    if row:
        flow_data = json.loads(row[0])
        job_state_data = json.loads(row[1])
        return flow_data, job_state_data
    else:
        return None, None
