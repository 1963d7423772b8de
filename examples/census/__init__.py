"""A census of Python source files: started on one host, paused half way, finished on another.

`python -m examples.census` (or `make demo`) shows it. Read `flow.py` for what is wired to what, `routines.py` for what
is done, `host_a.py` and `host_b.py` for the move.
"""
