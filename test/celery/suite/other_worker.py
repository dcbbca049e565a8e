"""Has Celery's own integration tests use a worker that runs already, in the place of the one that they start in their process."""

import celery.contrib.pytest
import pytest
from celery.contrib.testing.manager import Manager


@pytest.fixture(scope="session")
def celery_session_worker(celery_session_app):
    return None


celery.contrib.pytest.celery_session_worker = celery_session_worker
# It asks the worker by remote control what it does.
Manager.wait_until_idle = lambda self: None


def pytest_collection_modifyitems(items):
    # Some of them allow a tenth of it: 6 s. They say what must happen, and not how fast the machine is.
    for module in {item.module for item in items}:
        module.TIMEOUT = 10 * getattr(module, "TIMEOUT", 60)
