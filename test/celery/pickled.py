"""An app that sends pickle, which Hapax does not read."""

from celery import Celery

app = Celery("pickled", broker="amqp://")
app.conf.update(task_serializer="pickle", accept_content=["pickle"])
