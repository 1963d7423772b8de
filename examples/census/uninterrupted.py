"""The same census in one go, to compare with: `python -m examples.census.uninterrupted RESULT PARAMS`."""

import json
import sys
from pathlib import Path

from examples.census.flow import census_flow


def main(result: Path, params: dict[str, object]) -> None:
    """Run the job from start to end, and save it."""
    with census_flow() as flow:
        job_state = flow.execute("list", params)
        job_state.wait(raise_on_failure=True)
    job_state.save(result)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
