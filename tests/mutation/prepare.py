"""Makes the mutants, and notes which tests reach which function: `python -m tests.mutation.prepare`.

mutmut does both; its own way of trying them, a pytest of its own for each mutant, takes five times as long as ours.
"""

import os

from mutmut import __main__ as mutmut
from mutmut.mutation.trampoline import set_mutant_under_test

WORKERS = 2


def prepare() -> None:
    """Make what is not made yet in the folder `mutants`; results of functions that are as they were are kept."""
    set_mutant_under_test("mutant_generation")
    os.makedirs("mutants", exist_ok=True)
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.setup_source_paths()
    mutmut.create_mutants(WORKERS)
    mutmut.collect_or_load_stats(mutmut.get_mutant_runner(WORKERS))


if __name__ == "__main__":
    prepare()
