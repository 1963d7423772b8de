"""A census of Python source files: moved from host to host half way, and killed half way, with the same result.

`python -m examples.census` (or `make demo`) shows it. Read `flow.py` for what is wired to what, `routines.py` for what
is done, `host_a.py` and `host_b.py` for the move, `killed_host.py` and `recovering_host.py` for the crash.
"""
