"""Quick starts of scripts: each is a fork of a process that has loaded the large libraries, which takes longer than many jobs.

`python -ISP forks.py FOLDER script.py …` does what `python script.py …` does: in the same folder, environment and
streams, stopped by the same signals, with the same exit status. The first script starts the process that is forked; it
ends with the process that FOLDER is named after, or when it is not used for a while. Nothing of the project is loaded before a fork, so a script meets the
code that is there when it starts. Where anything of this fails before the script has begun, it is started as usual.
This file alone runs in both processes, and imports of Python's own library what each of them needs.
"""

import gc
import os
import sys
from contextlib import suppress

#: "PID-START" of the process with which the forked ones end, if it is not the one that asks; 0: no forks.
OWNER = "SCEGG_FORKS_OF"

#: What libraries read from the environment when they are loaded: scripts that differ in it share no process.
READ_AT_START = (
    *("PYTHON", "LC_", "LANG", "LD_", "MALLOC", "GLIBC", "OMP_", "GOMP", "KMP_", "MKL", "OPENBLAS", "GOTO", "BLIS"),
    *("NUMEXPR", "VECLIB", "TORCH", "ATEN", "DNNL", "ONEDNN", "CUDA", "CUBLAS", "NVIDIA", "ARROW", "NPY_", "TQDM"),
    *("HOME", "XDG", "TMP", "TEMP"),
)
LONGEST_PATH = 100  # bytes that the path of a socket may have
IDLE = 60  # seconds without a script after which the process that is forked makes room
BEGUN = b"b"


def command(python: str, modules: tuple[str, ...], further: tuple[str, ...] = ()) -> list[str]:
    """Return the words that stand in for `python` before a script; `modules` are loaded first, `further` ones in pauses."""
    import tempfile

    owner = os.environ.get(OWNER) or f"{os.getpid()}-{start_of(os.getpid())}"
    folder = os.path.join(tempfile.gettempdir(), f"scegg-{os.getuid()}-{owner}")
    if owner == "0" or not sys.platform.startswith("linux") or len(folder) + 30 > LONGEST_PATH:
        return [python]
    return [python, "-ISP", os.path.abspath(__file__), folder, ";".join([",".join(modules), ",".join(further)])]


def start_of(pid: int) -> str:
    """Return when a process has started, in ticks since the machine has; empty where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except OSError:
        return ""


def _read_at_start() -> dict[str, str]:
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith(READ_AT_START)}


def ask(folder: str, modules: str, words: list[str]) -> None:
    """Run the script of `words` in a fork and end as it does; start it as usual where that cannot be."""
    try:
        connection = _connection(folder, modules) if words[0].endswith(".py") else None
        begun = connection is not None and _sent(connection, words)
    except OSError:
        begun = False
    if not begun:
        os.execv(sys.executable, [sys.executable, *words])
    _end_as(connection.recv(4))


def _connection(folder: str, modules: str):
    """A connection to the process that is forked, which is started where it does not run."""
    import socket
    from hashlib import blake2b

    _own_folder(folder)
    key = blake2b(repr((sys.executable, modules, _read_at_start())).encode(), digest_size=8).hexdigest()
    path = os.path.join(folder, key)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except (FileNotFoundError, ConnectionRefusedError):
        _start(folder, path, modules)
        connection.connect(path)
    return connection


def _own_folder(folder: str) -> None:
    """Make the folder, which nobody else can read or write; OSError where somebody else made it."""
    import stat

    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise PermissionError(folder) from None


def _start(folder: str, path: str, modules: str) -> None:
    """Start the process that is forked, once, and wait until it listens."""
    import fcntl
    import socket

    with open(f"{path}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with socket.socket(socket.AF_UNIX) as trial:
            if trial.connect_ex(path) == 0:
                return
        listens, tell = os.pipe()
        words = [sys.executable, "-P", os.path.abspath(__file__), "--serve", folder, path, modules, str(tell)]
        os.set_inheritable(tell, True)
        streams = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
        os.posix_spawn(sys.executable, words, os.environ, file_actions=streams, setsid=True)
        os.close(tell)
        os.read(listens, 1)


def _sent(connection, words: list[str]) -> bool:
    """Whether the script has begun in a fork; from then on, signals are passed on to it."""
    import json
    import signal
    import socket

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, lambda number, _: connection.send(bytes([number])))
    request = json.dumps({"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
    socket.send_fds(connection, [len(request).to_bytes(4, "little")], [0, 1, 2])
    connection.sendall(request)
    return connection.recv(1) == BEGUN


def _end_as(answer: bytes) -> None:
    """End with the script's exit status, or by the signal that ended it."""
    import signal

    if len(answer) < 4:
        sys.exit("the process in which this script ran is gone")
    status = os.waitstatus_to_exitcode(int.from_bytes(answer, "little"))
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


class Server:
    """Forks itself for each script that is asked for, until nobody will ask or has asked for long."""

    def __init__(self, path: str, further: list[str]):
        import selectors
        import signal
        import socket

        self.listener = socket.socket(socket.AF_UNIX)
        if os.path.exists(path):
            os.unlink(path)
        self.listener.bind(path)
        self.listener.listen(128)
        self.waiting = selectors.DefaultSelector()
        self.ended, writes = os.pipe()
        os.set_blocking(writes, False)  # as set_wakeup_fd wants it
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writes)
        self.waiting.register(self.listener, selectors.EVENT_READ)
        self.waiting.register(self.ended, selectors.EVENT_READ)
        self.connections, self.further = {}, further  # by the process that runs a script; modules not yet loaded

    def script(self, alive) -> dict | None:
        """Return, in a fork, what it is to run; None in the process itself, at the end: no script runs, and `alive()` says
        that nobody will ask, or none has run for IDLE seconds."""
        import time

        used = time.monotonic()
        while self.connections or (alive() and time.monotonic() - used < IDLE):
            used = time.monotonic() if self.connections else used
            ready = self.waiting.select(timeout=0 if self.further else 1)
            if not ready and self.further:
                load(self.further.pop(0))
            for key, _ in ready:
                if key.fileobj is self.listener:
                    if (request := self._forked()) is not None:
                        return request
                elif key.fileobj == self.ended:
                    self._reap()
                else:
                    self._pass_on(key.data)
        return None

    def _forked(self) -> dict | None:
        import json
        import socket

        connection, _ = self.listener.accept()
        try:
            length, streams, _, _ = socket.recv_fds(connection, 4, 3)
            request = json.loads(connection.recv(int.from_bytes(length, "little"), socket.MSG_WAITALL))
        except (OSError, ValueError):
            connection.close()
            return None
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            self._leave(parent)
            return {**request, "streams": streams}
        for stream in streams:
            os.close(stream)
        self.connections[child] = connection
        self.waiting.register(connection, 1, child)
        with suppress(OSError):
            connection.sendall(BEGUN)
        return None

    def _leave(self, parent: int) -> None:
        """Make a fork forget the others; it is killed where the process that it comes from is."""
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.waiting.close()
        self.listener.close()
        for connection in self.connections.values():
            connection.close()

    def _reap(self) -> None:
        os.read(self.ended, 4096)
        for child in list(self.connections):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                connection = self.connections.pop(child)
                with suppress(KeyError):
                    self.waiting.unregister(connection)
                with suppress(OSError):  # who asked may be gone
                    connection.sendall(status.to_bytes(4, "little"))
                connection.close()

    def _pass_on(self, child: int) -> None:
        """Send a script the signals that who asked for it got; kill it where that process was killed."""
        import signal

        if child not in self.connections:
            return
        numbers = b""
        with suppress(OSError):
            numbers = self.connections[child].recv(64)
        if not numbers:
            self.waiting.unregister(self.connections[child])
        for number in numbers or [signal.SIGKILL]:
            os.kill(child, number)


def load(name: str) -> None:
    """Import a module, which stays shared in memory with the forks; who needs it says what is wrong with it."""
    with suppress(Exception):
        __import__(name)
    gc.freeze()


def serve(folder: str, path: str, modules: str, tell: str) -> dict | None:
    """Return, in each fork, what it is to run; None in the process itself, at the end."""
    os.chdir("/")
    os.closerange(3, int(tell))  # none of them is ours
    server = Server(path, modules.split(";")[1].split(","))
    os.write(int(tell), b"listening")
    os.close(int(tell))
    for name in modules.split(";", maxsplit=1)[0].split(","):
        load(name)
    pid, start = folder.split("-")[-2:]
    request = server.script(lambda: start_of(int(pid)) == start)
    if request is None:
        with suppress(OSError):
            os.unlink(path)
            os.unlink(f"{path}.lock")
            os.rmdir(folder)
    return request


def become(words: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> str:
    """Take over streams, folder, environment and arguments of who asks; return the path of the script."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.dup2(streams[number], number)
        os.close(streams[number])
        old = getattr(sys, name)
        buffering = 1 if name == "stderr" else -1
        new = open(number, old.mode, buffering, old.encoding, old.errors, closefd=False)  # noqa: SIM115 - lives as long as we do
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    sys.path.insert(0, os.path.dirname(os.path.abspath(words[0])))
    return words[0]


if __name__ == "__main__":
    if sys.argv[1] != "--serve":
        ask(sys.argv[1], sys.argv[2], sys.argv[3:])
    elif (asked := serve(*sys.argv[2:])) is not None:
        import runpy

        runpy.run_path(become(**asked), run_name="__main__")
