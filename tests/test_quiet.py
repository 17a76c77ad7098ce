"""helpers._quiet: TensorFlow's remarks are held back, everything else gets through."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers._quiet import without_remarks

ROOT = Path(__file__).resolve().parents[1]
REMARKS = (
    "I0000 00:00:1700000000.000000 1234 cpu_feature_guard.cc:210] This binary is optimised",
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow",
    "Fontconfig warning: no <cachedir> elements found.",
    "",
)
NEWS = (
    "E0000 00:00:1700000000.000000 1234 cuda_dnn.cc:10] Cannot register",
    "W0000 00:00:1700000000.000000 1234 gpu_device.cc:1] Cannot open some library",
    "Traceback (most recent call last):",
    "고양이: an ordinary line",
)


def write_to_descriptor_2(*lines: str) -> None:
    os.write(2, "".join(f"{line}\n" for line in lines).encode())


def test_remarks_are_dropped_and_the_rest_comes_in_order(capfd: pytest.CaptureFixture[str]) -> None:
    with without_remarks():
        write_to_descriptor_2(REMARKS[0], NEWS[0], REMARKS[1], NEWS[1], *REMARKS[2:], *NEWS[2:])
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err.splitlines() == list(NEWS)


def test_afterwards_everything_gets_through_again(capfd: pytest.CaptureFixture[str]) -> None:
    with without_remarks():
        pass
    write_to_descriptor_2(REMARKS[0])
    assert capfd.readouterr().err.splitlines() == [REMARKS[0]]


def test_an_error_passes_and_takes_its_lines_along(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), without_remarks():
        write_to_descriptor_2(NEWS[2])
        raise ZeroDivisionError
    write_to_descriptor_2("after")
    assert capfd.readouterr().err.splitlines() == [NEWS[2], "after"]


@pytest.mark.skipif(os.name == "nt", reason="a shell of another kind")
@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&-", "<&-"])
@pytest.mark.parametrize("call", ["-c 'import helpers; helpers.images'", '-m helpers student 01 --output "$1"'])
def test_a_closed_stream_is_no_fault(closed: str, call: str, tmp_path: Path) -> None:
    done = subprocess.run(["sh", "-c", f'exec "$0" {call} {closed}', sys.executable, tmp_path / "out"], cwd=ROOT)
    assert done.returncode == 0


def test_no_descriptor_is_left_open() -> None:
    def lowest_free() -> int:
        descriptor = os.dup(2)
        os.close(descriptor)
        return descriptor

    before = lowest_free()
    for _ in range(3):
        with without_remarks():
            pass
    assert lowest_free() == before


def test_a_chosen_log_level_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with without_remarks():
        assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"


def test_loading_tensorflow_and_its_first_operation_say_nothing() -> None:
    code = "import helpers; helpers.training; import tensorflow as tf; print(int(tf.constant(1) + 1))"
    environment = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
