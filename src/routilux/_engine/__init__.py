"""All the concurrency there is: clock, workers, event loop, and the jobs that run on them."""
