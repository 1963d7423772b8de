"""A job as data, and the one function that moves it on. No threads, clock, chance or I/O in here."""
