# A callback for ansible-playbook, beside the playbook, so that a run without kinectl
# has it too. It says who this run is, keeps its lease on the hosts alive over the
# connections that Ansible has open, and gives it back at the end, also after Ctrl-C.
# When the run is killed, nobody beats any more and the lease runs out by itself.
#
#   KINECTL_HOLDER   the id of this run, lower-case letters and digits
#   KINECTL_LEASE    how many seconds the lease outlives it: 60, or what is set
#   KINECTL_SOCKETS  the folder of the connections' control sockets
#
# Whatever of these is set already stays.
import atexit
import gc
import os
import secrets
import shlex
import shutil
import socket
import struct
import tempfile
import threading
import time

from ansible.plugins import loader
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kinectl_lease
type: notification
short_description: Keeps the lease of a release alive
description: Beats on every host of the run, and gives the lease back at its end.
requirements: [ssh with ControlMaster, which is Ansible's default]
"""

# Only where this run is the holder still. The file is never empty in between, which
# would mean that it was given back.
BEAT = 'read -r up _ </proc/uptime; for f in /run/kinectl/lease/*/beat-{id}; do if [ -s "$f" ]; then printf "%-20s\\n" "$up" 1<>"$f"; fi; done'
GIVE_BACK = 'for f in /run/kinectl/lease/*/beat-{id}; do if [ -e "$f" ]; then : >"$f"; fi; done'


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kinectl_lease"

    def __init__(self):
        super().__init__()
        self.own_sockets = None
        self.over = threading.Event()
        self.process = os.getpid()

    def v2_playbook_on_start(self, playbook):
        # Before any worker is forked, which takes the environment with it.
        os.environ.setdefault("KINECTL_HOLDER", secrets.token_hex(8))
        lease = os.environ.get("KINECTL_LEASE", "").rstrip("s")
        self.lease = min(int(lease), 9999) if lease.isdigit() and int(lease) > 0 else 60
        os.environ["KINECTL_LEASE"] = str(self.lease)
        if not os.environ.get("KINECTL_SOCKETS"):
            # A short path: a socket's may have 108 letters (unix(7)).
            self.own_sockets = os.environ["KINECTL_SOCKETS"] = tempfile.mkdtemp(prefix="kinectl-", dir="/tmp")
        atexit.register(self.end)
        self.beating = threading.Thread(target=self.beat, daemon=True)
        self.beating.start()
        load_plugins()

    def v2_playbook_on_stats(self, stats):
        self.end()

    def beat(self):
        # Often enough that ssh does not close the connections, which lie idle else.
        pause = min(self.lease / 4, 15)
        while not self.over.wait(pause):
            self.everywhere(BEAT, pause)

    def end(self):
        if self.over.is_set() or os.getpid() != self.process:
            return
        self.over.set()
        self.beating.join(1)
        self.everywhere(GIVE_BACK, 5)
        if self.own_sockets:
            self.everywhere(None, 2)
            shutil.rmtree(self.own_sockets, ignore_errors=True)

    def everywhere(self, command, seconds):
        """Run a command on every host with an open connection, all at once, or
        close the connections. It never opens one."""
        folder = os.environ["KINECTL_SOCKETS"]
        if command is not None:
            # The login shell may be any.
            command = "sh -c " + shlex.quote(command.replace("{id}", os.environ["KINECTL_HOLDER"]))
        until = time.monotonic() + seconds
        asked = []
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            try:
                asked.append(ask_master(os.path.join(folder, name), command, seconds))
            except OSError:
                pass  # that ssh has ended
        for master in asked:
            await_master(master, until)


# From PROTOCOL.mux of OpenSSH: what an ssh process would say to the master of a
# connection, without the process. Numbers are of 32 bits, in the network's order.
HELLO, VERSION = 0x00000001, 4
NEW_SESSION, TERMINATE, REQUEST = 0x10000002, 0x10000005, 1
ENDS = (0x80000001, 0x80000002, 0x80000003, 0x80000004)  # yes, denied, failed, the command has ended


def ask_master(path, command, seconds):
    """Begin a session with no input and no output, or ask the master to end."""
    master = socket.socket(socket.AF_UNIX)
    try:
        master.settimeout(seconds)
        master.connect(path)
        message = struct.pack(">II", TERMINATE, REQUEST)
        if command is not None:
            # No name, terminal, X11, agent, subsystem or escape character.
            text = command.encode()
            message = struct.pack(">10I", NEW_SESSION, REQUEST, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0, len(text)) + text
        master.sendall(struct.pack(">4I", 8, HELLO, VERSION, len(message)) + message)
        if command is not None:
            nothing = os.open(os.devnull, os.O_RDWR)
            try:
                for _ in ("input", "output", "errors"):
                    socket.send_fds(master, [b"\0"], [nothing])
            finally:
                os.close(nothing)
    except OSError:
        master.close()
        raise
    return master


def await_master(master, until):
    """Wait for the end of what was asked; what lasts longer is left alone."""
    with master, master.makefile("rb") as answers:
        try:
            kind = None
            while kind not in ENDS:
                master.settimeout(max(0.01, until - time.monotonic()))
                length, kind = struct.unpack(">II", answers.read(8))
                answers.read(length - 4)
        except (OSError, struct.error):
            pass  # too late, or it has ended


def load_plugins():
    """Load here what each worker would load for itself, for every host and task anew:
    workers are forked, and have what is here. One that cannot be loaded is not missed
    before it is used."""
    for plugins, names in (
        (loader.connection_loader, ["ssh"]),
        (loader.shell_loader, ["sh"]),
        (loader.become_loader, ["sudo"]),
        (loader.action_loader, ["normal"]),
        (loader.lookup_loader, ["env", "vars"]),
        (loader.filter_loader, ["b64encode", "hash"]),
    ):
        for name in names:
            plugins.get(name, class_only=True)
    # What is garbage now stays where it is: collecting it would copy the pages in every worker.
    gc.freeze()
