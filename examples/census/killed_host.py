"""Runs the census in a store, and is killed: `python -m examples.census.killed_host STORE STARTS PARAMS`."""

import json
import sys
from pathlib import Path

from examples.census.flow import census_flow
from examples.census.progress import never, watch
from routilux.stores import open_store


def main(store_url: str, starts: Path, params: dict[str, object]) -> None:
    """Run the job; that it is killed is nothing it could know of."""
    with open_store(store_url) as store, census_flow(starts) as flow:
        watch(flow.execute("list", params, store=store), "host A", stop=never)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
