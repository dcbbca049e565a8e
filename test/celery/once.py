"""Makes what several test files need, once: `once.py MARK STATE COMMAND...` runs the command unless the file MARK holds STATE.

Of several processes that ask at the same time, one runs the command and the others wait for it. A command that was cut off leaves
no mark, and is run again.
"""

import fcntl
import pathlib
import subprocess
import sys

mark, state, command = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
mark.parent.mkdir(parents=True, exist_ok=True)
with open(f"{mark}.lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not mark.exists() or mark.read_text() != state:
        mark.unlink(missing_ok=True)
        subprocess.run(command, check=True)
        mark.write_text(state)
