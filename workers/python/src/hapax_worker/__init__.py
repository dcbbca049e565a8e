"""Runs the tasks of an unchanged Celery app for Hapax.

Two processes work together. The *worker* is Celery's own worker program with another consumer, so that pools, signals, time limits,
hooks, ``self.retry`` and ``--max-tasks-per-child`` are Celery's. The *poller* beside it alone speaks to Temporal, so that nothing of
Temporal is forked. A socket with lines of JSON connects them.
"""

__version__ = "0.1.0"
