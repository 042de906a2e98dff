"""`relayproof serve` whose interpreter tells of each file, process and connection that requests make it open.

`python watched.py ALLOWED-FOLDER… -- ARGUMENTS OF SERVE`. It watches from SIGUSR1 on, and tells on stderr, a line each.
Modules of Python, which are loaded when they are first needed, are not told of.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

TOLD = "opened: "
FILES = {"open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.symlink", "os.link"}
OTHERS = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "os.system", "socket.connect", "ctypes.dlopen"}
MODULES = (".py", ".pyc", ".so")


def main() -> None:
    split = sys.argv.index("--")
    allowed = [os.path.realpath(one) for one in sys.argv[1:split]]
    armed: list[bool] = []
    signal.signal(signal.SIGUSR1, lambda *_: armed.append(True))

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if not armed:
            return
        if event in OTHERS or (event in FILES and not _is_allowed(arguments[0], allowed)):
            os.write(2, f"{TOLD}{event} {arguments[:1]!r}\n".encode("utf-8", "backslashreplace"))

    sys.addaudithook(watch)
    from mock_server.cli import serve  # noqa: PLC0415 - behind the hook

    serve(sys.argv[split + 1 :])


def _is_allowed(file: object, allowed: list[str]) -> bool:
    """Whether it is a module, a folder of modules, a descriptor that is open already, or in an allowed folder."""
    if not isinstance(file, str | bytes):
        return isinstance(file, int)
    path = os.path.realpath(os.fsdecode(file))
    in_python = any(path.startswith(os.path.realpath(one)) for one in sys.path if one)
    is_module = in_python and (path.endswith(MODULES) or Path(path).is_dir())
    return is_module or any(path == one or path.startswith(one + os.sep) for one in allowed)


if __name__ == "__main__":
    main()
