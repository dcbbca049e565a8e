"""An app whose queues are bound to a topic exchange. Its environment: BROKER, BACKEND, and QUEUE, the first of its two queues."""

import os

from celery import Celery
from kombu import Exchange, Queue

QUEUE = os.environ["QUEUE"]
media = Exchange("media", type="topic")

app = Celery("topics", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.update(
    task_queues=[
        Queue(QUEUE, media, routing_key="video.#"),
        Queue(f"{QUEUE}-routed", media, routing_key="image.made"),
    ],
    task_default_queue=QUEUE,
    task_routes={"topics.routed": {"exchange": "media", "routing_key": "image.made"}},
    broker_connection_retry_on_startup=True,
)


@app.task(bind=True)
def retries(self):
    if self.request.retries == 0:
        raise self.retry(countdown=0)
    return self.request.delivery_info["routing_key"]


@app.task(bind=True)
def routed(self):
    return self.request.delivery_info["routing_key"]


@app.task(bind=True)
def replaces(self):
    raise self.replace(routed.s())
