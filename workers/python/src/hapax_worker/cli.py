"""``hapax-worker -A tasks -Q youtube,content``: the arguments of ``celery worker``, with Hapax's consumer."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from celery import maybe_patch_concurrency, signals
from celery._state import connect_on_app_finalize

from hapax_worker.canvas import add_tasks
from hapax_worker.refusals import refuse
from hapax_worker.settings import Settings

#: Options of ``celery`` itself. They stand before the word ``worker``, but people write them behind it.
_OPTIONS_OF_CELERY = ("-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config", "--workdir")


def celery_arguments(arguments: Sequence[str]) -> list[str]:
    """The command line of Celery's own program. The options of ``celery`` go before the word ``worker``, the others behind it."""
    before: list[str] = []
    behind: list[str] = []
    words = iter(arguments)
    for word in words:
        if word in _OPTIONS_OF_CELERY:
            before += [word, *(value for value in [next(words, None)] if value is not None)]
        elif word.split("=")[0] in _OPTIONS_OF_CELERY:
            before.append(word)
        else:
            behind.append(word)
    return ["celery", *before, "worker", *behind]


def _take_over(instance, conf, options, **_) -> None:
    """Prepares Celery's worker before it is built: its consumer is Hapax's."""
    from kombu.utils.compat import detect_environment

    refuse(conf, options)
    conf.worker_consumer = "hapax_worker.consumer:HapaxConsumer"
    # Celery asks its broker whether it can be polled. Here no broker is polled.
    instance.should_use_eventloop = lambda: detect_environment() == "default" and not instance.app.IS_WINDOWS


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs until the worker is stopped; exits as ``celery worker`` does. A fault in the settings exits with one line."""
    sys.argv = celery_arguments(sys.argv[1:] if arguments is None else arguments)
    Settings.from_environment()
    maybe_patch_concurrency()
    signals.celeryd_init.connect(_take_over, weak=False)
    connect_on_app_finalize(add_tasks)
    from celery.bin.celery import main as celery

    celery()
