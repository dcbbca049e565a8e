"""``python -m hapax_worker``: the same as ``hapax-worker``."""

from hapax_worker.cli import main

main()
