"""Where durable jobs are kept. The only I/O there is; all that is kept is opaque to it."""
