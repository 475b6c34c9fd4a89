import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from apexchainx.supervisor import Child, ChildFailed, Supervisor

SLEEP = (sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)")


def children_in(directory: Path, **options: float) -> Supervisor:
    return Supervisor(logs=directory / "log", cwd=directory, **options)


def python(name: str, code: str) -> Child:
    return Child(name, (sys.executable, "-c", textwrap.dedent(code)), dict(os.environ))


def is_gone(pid: int, *, seconds: float = 5) -> bool:
    """Neither running nor waiting to be buried by us."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if status == "Z":
            return True
        time.sleep(0.05)
    return False


def test_children_become_ready_and_are_ended(tmp_path: Path) -> None:
    told: list[str] = []
    with children_in(tmp_path) as children:
        children.start(Child("sleeper", SLEEP, dict(os.environ), ready_text="awake"))
        children.wait_until_ready(["sleeper"], tell=told.append)
        pid = children._running[0].process.pid
        assert not is_gone(pid, seconds=0.2)
    assert told == ["sleeper"]
    assert is_gone(pid)


def test_crash_of_a_child_is_told_with_its_last_words_and_ends_the_rest(tmp_path: Path) -> None:
    with children_in(tmp_path) as children:
        children.start(Child("sleeper", SLEEP, dict(os.environ)))
        survivor = children._running[0].process.pid
        children.start(python("crasher", "print('no such table'); raise SystemExit(3)"))
        with pytest.raises(ChildFailed) as failure:
            children.watch()
    assert "crasher ended with exit code 3" in str(failure.value)
    assert "no such table" in str(failure.value)
    assert is_gone(survivor)


def test_child_that_is_never_ready_is_named(tmp_path: Path) -> None:
    with children_in(tmp_path, patience=0.3) as children:
        children.start(Child("sleeper", SLEEP, dict(os.environ), ready_text="never said"))
        with pytest.raises(ChildFailed, match="sleeper is not ready in time"):
            children.wait_until_ready(["sleeper"], tell=str)


def test_child_that_ignores_the_request_is_killed_with_its_own_children(tmp_path: Path) -> None:
    stubborn = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(grandchild.pid, "deaf", flush=True)
        time.sleep(60)
    """
    with children_in(tmp_path, grace=0.3) as children:
        child = python("stubborn", stubborn)
        children.start(Child(child.name, child.command, child.environment, ready_text="deaf"))
        children.wait_until_ready(["stubborn"], tell=str)
        pid = children._running[0].process.pid
        grandchild = int((tmp_path / "log/stubborn.log").read_text().split()[0])
    assert is_gone(pid)
    assert is_gone(grandchild)


def test_finish_runs_to_the_end_and_refuses_a_failure(tmp_path: Path) -> None:
    with children_in(tmp_path) as children:
        children.finish(python("good", "open('done', 'w').close()"))
        assert (tmp_path / "done").exists()
        with pytest.raises(ChildFailed, match="bad ended with exit code 4"):
            children.finish(python("bad", "raise SystemExit(4)"))


def test_log_of_the_previous_start_is_kept(tmp_path: Path) -> None:
    with children_in(tmp_path) as children:
        children.finish(python("one", "print('first')"))
        children.finish(python("one", "print('second')"))
    assert (tmp_path / "log/one.log").read_text() == "second\n"
    assert (tmp_path / "log/one.log.1").read_text() == "first\n"


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells a child of its parent's death.")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_signal_to_the_supervisor_leaves_a_process(tmp_path: Path, number: int) -> None:
    program = f"""
        import os, sys
        from pathlib import Path
        from apexchainx.supervisor import Child, Stopped, Supervisor
        try:
            with Supervisor(logs=Path("log"), cwd=Path()) as children:
                children.start(Child("sleeper", {SLEEP!r}, dict(os.environ)))
                print(children._running[0].process.pid, flush=True)
                children.watch()
        except Stopped:
            print("stopped", flush=True)
    """
    root = str(Path(__file__).parents[2])
    supervisor = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert supervisor.stdout
    with supervisor.stdout:
        pid = int(supervisor.stdout.readline())
        supervisor.send_signal(number)
        rest = supervisor.stdout.read()
    supervisor.wait(10)
    assert is_gone(pid)
    assert rest == ("" if number == signal.SIGKILL else "stopped\n")
