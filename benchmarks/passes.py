"""Measure a pass, the unit in which this course states what things cost (see helpers/doctor.py).

python benchmarks/passes.py              # prints the seconds that one pass takes here and now
"""

from helpers.doctor import measure_pass

if __name__ == "__main__":
    print(f"{measure_pass():.1f}")
