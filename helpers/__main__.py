"""`python -m helpers`: see `helpers.commands`."""

import sys

from helpers.commands import main

if __name__ == "__main__":
    sys.exit(main())
