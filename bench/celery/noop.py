"""A task that does nothing, as durable as Celery makes it: confirmed and persistent messages, acknowledged after the work."""

import os

from celery import Celery

app = Celery("noop", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_default_delivery_mode="persistent",
    broker_transport_options={"confirm_publish": True},
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    broker_connection_retry_on_startup=True,
)


@app.task(name="tasks.process_content")
def process_content(content_id, operations):
    return {operation: "completed" for operation in operations}
