"""The kernel that a student's notebook runs in while it is marked: ipykernel, with limits.

It has found the course before the first cell, so no file of the student's takes its place. It shows what a
cell prints up to a limit, may use so much memory, and gives the next cell what one has taken away. It ends
when the process that started it does: another user's process cannot be killed, but notices that nobody holds
its standard input any more.

A script, not a module: whoever runs it, in a container or as another user, needs nothing but its path.
Settings come as one line of JSON on standard input.
"""

import importlib
import json
import os
import shutil
import sys
import threading
from pathlib import Path

COURSE = str(Path(__file__).resolve().parent.parent)
sys.path[0] = COURSE  # not this folder: its html.py is not Python's
os.environ["PYTHONPATH"] = COURSE  # for processes that the notebook starts
OUTPUT = 2_000_000  # characters that one cell may show, pictures included
TEXT = 100_000  # of them in text
TEXTS = ("text", "text/plain", "evalue", "traceback")
FILE = 1_000_000_000  # bytes of one file


def take_settings():
    """The settings. From here on, end when standard input does."""
    settings = json.loads(sys.stdin.buffer.readline())
    lifeline = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def watch():
        os.read(lifeline, 1)
        if is_others(settings["work"]):  # who cannot remove what is ours
            shutil.rmtree(settings["work"], ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    return settings


def is_others(folder):
    """True if another user made this folder: the one who marks."""
    return os.name != "nt" and os.stat(folder).st_uid != os.geteuid()


def limit_resources(memory):
    """At most `memory` bytes (0: no limit), no huge files; first in line where memory runs out."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    if memory and sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        Path("/proc/self/oom_score_adj").write_text("1000")


def limit_output():
    """Drop what a cell shows beyond some length, before it leaves this process."""
    from jupyter_client.session import Session

    send = Session.send
    shown = {}

    def send_limited(self, stream, msg_or_type, content=None, parent=None, *args, **options):
        message = msg_or_type if isinstance(msg_or_type, dict) else None
        kind = message["header"]["msg_type"] if message else msg_or_type
        cell = ((message["parent_header"] if message else parent) or {}).get("msg_id")
        content = cut(message["content"] if message else content)
        if message:
            message["content"] = content
        if kind in ("stream", "display_data", "update_display_data", "comm_open", "comm_msg"):
            limit = TEXT if kind == "stream" else OUTPUT
            seen = shown.get((cell, limit), 0)
            shown[cell, limit] = seen + 100 + size(content)  # an empty message costs something, too
            if seen > limit:
                return None
            if shown[cell, limit] > limit and kind == "stream":
                content["text"] += "\n... more output than is kept ...\n"
        return send(self, stream, msg_or_type, content, parent, *args, **options)

    Session.send = send_limited


def cut(value, limit=OUTPUT):
    """`value`, a message's content, with no string in it longer than OUTPUT, or TEXT where it is text.

    Nor one with a lone surrogate, which no message can carry.
    """
    if isinstance(value, str):
        return value[:limit].encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: cut(item, TEXT if key in TEXTS else limit) for key, item in value.items()}
    return [cut(item, limit) for item in value] if isinstance(value, list) else value


def size(value):
    """The characters in `value`, a message's content."""
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(size, value)) if isinstance(value, list) else len(value) if isinstance(value, str) else 0


def repair_between_cells(shell):
    """Bring back what a cell took from the next ones: deleted names (`del np`, %reset), sys.stdout."""
    names, streams = {}, (sys.stdout, sys.stderr)

    def before(info):
        for name in names.keys() - shell.user_ns.keys():
            shell.user_ns[name] = names[name]
        names.update((name, value) for name, value in shell.user_ns.items() if not name.startswith("_"))

    def after(result):
        sys.stdout, sys.stderr = streams

    shell.events.register("pre_run_cell", before)
    shell.events.register("post_run_cell", after)


def main():
    settings = take_settings()
    os.chdir(settings["work"])
    limit_resources(settings["memory"])
    os.environ["IPYTHONDIR"] = settings["work"]
    if os.name != "nt":
        os.environ.pop("JPY_PARENT_PID", None)  # under sudo or in a container the parent is another

    importlib.import_module("teaching.points")  # and utils, before the student's files of such names
    from ipykernel.kernelapp import IPKernelApp
    from ipykernel.zmqshell import ZMQInteractiveShell

    ZMQInteractiveShell.ask_exit = lambda self: None  # exit() would end the kernel a moment later, elsewhere
    limit_output()
    connection = Path(settings["work"], "kernel.json")
    connection.write_text(json.dumps(settings["connection"]))
    mask = os.umask(0)  # whoever started this may be another user, and is to reach the sockets
    app = IPKernelApp.instance()
    app.initialize(["-f", str(connection), "--HistoryManager.enabled=False", "--IPKernelApp.log_level=ERROR"])
    os.umask(mask)
    repair_between_cells(app.shell)
    app.start()


if __name__ == "__main__":
    main()
