"""`python -m helpers`: see `helpers.commands`."""

import sys

try:
    from helpers.commands import main
except ModuleNotFoundError as error:  # another Python than the course's
    print(
        f"python -m helpers: this Python has no package '{error.name}'. Run `make setup`, then use .venv/bin/python "
        "(with conda, or on Windows: see README.md, Windows and conda).",
        file=sys.stderr,
    )
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(main())
