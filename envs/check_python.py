"""Says in one sentence what is missing of Python before an environment is made; runs on any Python 3."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "SC-EGG needs Python 3.11 or newer, this is %d.%d; name another with: make PYTHON=python3.12 …"
        % sys.version_info[:2]
    )
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError as error:
    sys.exit(
        "this Python has no module %s, so no environment can be made; install it (Debian, Ubuntu: apt install python3-venv)."
        % error.name
    )
