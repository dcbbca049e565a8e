"""The half of the worker that speaks to Temporal: a process of its own, which knows nothing of the app."""
