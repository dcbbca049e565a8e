"""What Hapax changes in an app, once in each process: its own tasks, and where results and retries go.

Importing it is enough. A child that was spawned has nothing of its parent, so the worker adds it to the app's ``imports``, which Celery
imports in each child before it prepares the tasks.
"""

from __future__ import annotations

import ctypes
import signal
import sys

from billiard import current_process
from celery import Celery, current_app, signals
from celery._state import connect_on_app_finalize

from hapax_worker.backend import record_results
from hapax_worker.canvas import add_tasks
from hapax_worker.retries import keep_own_messages
from hapax_worker.settings import Settings

_PR_SET_PDEATHSIG = 1

connect_on_app_finalize(add_tasks)


def install(app: Celery) -> None:
    """Has the app record results and retries. Calling it again changes nothing."""
    if getattr(app, "_is_of_hapax", False):
        return
    app._is_of_hapax = True
    record_results(app, forwards=Settings.from_environment().keeps_own_results)
    keep_own_messages(app)


@signals.worker_process_init.connect(weak=False)
def _in_child(**_) -> None:
    install(current_app._get_current_object())
    # The pool `solo` sends the signal in the worker itself, which may outlive the shell that started it.
    if sys.platform == "linux" and current_process().name != "MainProcess":
        # Otherwise the child of a worker that was killed works on, while another worker begins the task again.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
