"""Child processes that start together, are watched together and leave nothing behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_TICK_SECONDS = 0.1
_TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running. It is ready when its log holds `ready_text` and `is_ready` says so."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_text: str = ""
    is_ready: Callable[[], bool] = lambda: True


class ChildFailed(Exception):
    """A child ended, or did not become ready; the message holds the last lines of its log."""


class Stopped(BaseException):
    """Somebody asked for the end with Ctrl-C or SIGTERM."""


@dataclass(frozen=True, slots=True)
class _Running:
    child: Child
    process: "subprocess.Popen[bytes]"
    log: Path


class Supervisor:
    """A context in which children run; leaving it, however that comes about, ends all of them."""

    def __init__(self, *, logs: Path, cwd: Path, patience: float = 60, grace: float = 10) -> None:
        self._logs = logs
        self._cwd = cwd
        self._patience = patience
        self._grace = grace
        self._running: list[_Running] = []

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._handlers = {number: signal.signal(number, stop) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self._end(self._running)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(self, child: Child) -> None:
        log = self._logs / f"{child.name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603
                child.command,
                cwd=self._cwd,
                env=dict(child.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )
        self._running.append(_Running(child, process, log))

    def adopt(self, name: str, process: "subprocess.Popen[bytes]", *, log: Path) -> None:
        """Watch, but do not stop, a process that somebody else has started and will stop."""
        self._running.append(_Running(Child(name, ()), process, log))

    def finish(self, child: Child) -> None:
        """Run a child to its end, which must be a good one, while watching the others."""
        self.start(child)
        current = self._running.pop()
        try:
            while current.process.poll() is None:
                self._check()
                time.sleep(_TICK_SECONDS / 2)
        finally:
            self._end([current])
        if current.process.returncode:
            raise ChildFailed(_obituary(current))

    def wait_until_ready(self, names: Iterable[str], *, tell: Callable[[str], object]) -> None:
        """Return when all of them are ready, telling each; raise ChildFailed when one is not in time."""
        deadline = time.monotonic() + self._patience
        waiting = [one for one in self._running if one.child.name in set(names)]
        while waiting:
            self._check()
            for one in [one for one in waiting if _is_ready(one)]:
                waiting.remove(one)
                tell(one.child.name)
            if waiting and time.monotonic() > deadline:
                raise ChildFailed(f"{waiting[0].child.name} is not ready in time.{_tail(waiting[0].log)}")
            time.sleep(_TICK_SECONDS)

    def watch(self) -> None:
        """Stay until a child ends (ChildFailed) or somebody asks for the end (Stopped)."""
        while True:
            self._check()
            time.sleep(_TICK_SECONDS * 2)

    def _check(self) -> None:
        for one in self._running:
            if one.process.poll() is not None:
                raise ChildFailed(_obituary(one))

    def _end(self, ones: list[_Running]) -> None:
        """Ask the leader of each group to end; what is left of the group after the grace is killed."""
        ours = [one for one in ones if one.child.command]
        for one in ours:
            one.process.terminate()
        deadline = time.monotonic() + self._grace
        for one in ours:
            with suppress(subprocess.TimeoutExpired):
                one.process.wait(max(0.0, deadline - time.monotonic()))
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


def die_with_parent(number: int = signal.SIGTERM) -> None:
    """In a new child on Linux: get this signal when the parent dies, even of SIGKILL. Elsewhere nothing."""
    if _libc:
        _libc.prctl(_PR_SET_PDEATHSIG, number)


def stop(_number: int = 0, _frame: object = None) -> NoReturn:
    """A signal handler."""
    raise Stopped


def _is_ready(one: _Running) -> bool:
    text = one.child.ready_text
    return (not text or text in one.log.read_text(errors="replace")) and one.child.is_ready()


def _obituary(one: _Running) -> str:
    return f"{one.child.name} ended with exit code {one.process.returncode}.{_tail(one.log)}"


def _tail(log: Path) -> str:
    with suppress(OSError):
        lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "".join(f"\n    {line}" for line in [f"Last lines of {log}:", *lines])
    return ""
