"""``hapax-worker -A tasks -Q youtube,content``: the arguments of ``celery worker``, with Hapax's consumer."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from celery import maybe_patch_concurrency, signals

from hapax_worker import installation
from hapax_worker.refusals import refuse, refuse_detach
from hapax_worker.settings import Settings

#: Options of ``celery`` itself. They stand before the word ``worker``, but people write them behind it.
_OPTIONS_OF_CELERY = ("-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config", "--workdir")


def celery_arguments(arguments: Sequence[str]) -> list[str]:
    """The arguments of Celery's own program. The options of ``celery`` go before the word ``worker``, the others behind it."""
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
    return [*before, "worker", *behind]


def _take_over(instance, conf, options, **_) -> None:
    """Prepares Celery's worker before it is built: its consumer is Hapax's."""
    from kombu.utils.compat import detect_environment
    from kombu.utils.functional import maybe_list

    refuse(conf, options)
    conf.imports = (*(maybe_list(conf.imports) or ()), installation.__name__)
    conf.worker_consumer = "hapax_worker.consumer:HapaxConsumer"
    # Celery asks its broker whether it can be polled. Here no broker is polled.
    instance.should_use_eventloop = lambda: detect_environment() == "default" and not instance.app.IS_WINDOWS


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs until the worker is stopped; exits as ``celery worker`` does. A fault in the settings exits with one line."""
    if arguments is not None:
        sys.argv[1:] = arguments  # which Celery runs again at SIGHUP
    Settings.from_environment()
    maybe_patch_concurrency()
    signals.celeryd_init.connect(_take_over, weak=False)
    from celery.bin.celery import celery
    from celery.bin.worker import worker

    # Celery's own option would start Celery's own worker, before it asks anybody.
    next(option for option in worker.params if option.name == "detach").callback = refuse_detach
    celery(celery_arguments(sys.argv[1:]), prog_name="celery", auto_envvar_prefix="CELERY")
