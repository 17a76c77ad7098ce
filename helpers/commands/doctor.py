"""`python -m helpers doctor`: does everything work here, how long will it take, and what is missing?"""

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from helpers.commands._shared import add_command, say

if TYPE_CHECKING:
    from helpers.doctor import Machine


def add_doctor(commands: Any) -> None:
    """Add `doctor`."""
    parser = add_command(
        commands,
        "doctor",
        run_doctor,
        help="Say what this machine has, how long each lesson runs on it, and what is missing, with the command that "
        "mends it. The exit code is 1 if the course needs what is missing.",
        example="doctor --json",
    )
    parser.add_argument("--json", action="store_true", help="for other programs: all that was found, as JSON")
    parser.add_argument("--quick", action="store_true", help="do not measure a pass, and so no minutes")


def run_doctor(options: argparse.Namespace) -> int:
    """Examine this machine and say what was found; 1 if the course needs what is missing."""
    from helpers import doctor

    if not options.quick:
        print("Looking at this machine, and measuring how fast it is ...", file=sys.stderr)
    machine = doctor.examine(measure=not options.quick)
    if options.json:
        print(json.dumps(as_json(machine), indent=2, ensure_ascii=False))
    else:
        for line in "\n".join(doctor.describe(machine)).split("\n"):
            say(line)
    return 1 if any(problem.needed for problem in doctor.find_problems(machine)) else 0


def as_json(machine: "Machine") -> dict[str, Any]:
    """Return what was found, and what follows from it, as plain data."""
    from helpers import doctor

    problems = doctor.find_problems(machine)
    return {
        "ready": not any(problem.needed for problem in problems),
        "problems": [asdict(problem) for problem in problems],
        "minutes": doctor.estimate_minutes(machine),
        "machine": asdict(machine),
    }
