"""Event-driven workflows whose running jobs are plain JSON."""
