"""The app of Celery's own integration tests, as a worker has it: the one that their session fixture would start."""

import os

from celery import Celery

app = Celery("celery.tests", broker=os.environ["TEST_BROKER"], backend=os.environ["TEST_BACKEND"])
app.conf.update(result_extended=True, broker_connection_retry_on_startup=True)
app.set_default()

import t.integration.tasks as tasks  # noqa: E402

app.register_task(tasks.ClassBasedAutoRetryTask())
