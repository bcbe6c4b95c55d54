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
import errno
import gc
import os
import secrets
import selectors
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
        self.nothing = os.open(os.devnull, os.O_RDWR)  # input and output of what is run

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
        """Run a command on every host with an open connection, or close the connections.
        It never opens one."""
        message = struct.pack(">II", TERMINATE, REQUEST)
        if command is not None:
            # The login shell may be any. No name, terminal, X11, agent, subsystem or escape character.
            text = ("sh -c " + shlex.quote(command.replace("{id}", os.environ["KINECTL_HOLDER"]))).encode()
            message = struct.pack(">10I", NEW_SESSION, REQUEST, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0, len(text)) + text
        ask_masters(os.environ["KINECTL_SOCKETS"], message, [self.nothing] * 3 if command is not None else [], seconds)


# From PROTOCOL.mux of OpenSSH: what an ssh process would say to the master of a
# connection, without the process. Numbers are of 32 bits, in the network's order.
HELLO, VERSION = 0x00000001, 4
NEW_SESSION, TERMINATE, REQUEST = 0x10000002, 0x10000005, 1
ENDS = (0x80000001, 0x80000002, 0x80000003, 0x80000004)  # yes, denied, failed, the command has ended
LONGEST = 1 << 16  # of an answer, in bytes

# So many connections at a time. A process may have 256 descriptors on macOS; a beat and
# the end can meet, and Ansible needs a few for each worker.
MOST = 64
TOO_MANY = (errno.EMFILE, errno.ENFILE, errno.ETOOMANYREFS)  # this machine's fault, and not for long


class Master:
    """What one master was asked. It does that also when nobody waits for its answer."""

    def __init__(self, path, message, descriptors):
        self.answers = bytearray()
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self.socket.setblocking(False)  # one whose queue is full is stuck
            self.socket.connect(path)
            self.socket.sendall(struct.pack(">4I", 8, HELLO, VERSION, len(message)) + message)
            for descriptor in descriptors:
                socket.send_fds(self.socket, [b"\0"], [descriptor])
        except OSError:
            self.socket.close()
            raise

    def ended(self):
        """Read what has come: whether it was the last."""
        try:
            came = self.socket.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            return True
        self.answers += came
        while len(self.answers) >= 8:
            length, kind = struct.unpack_from(">II", self.answers)
            if not 4 <= length <= LONGEST:
                return True
            if len(self.answers) < 4 + length:
                break
            if kind in ENDS:
                return True
            del self.answers[: 4 + length]
        return not came


def ask_masters(folder, message, descriptors, seconds):
    """Ask the master behind each socket of a folder, and wait for the end of what was
    asked. While others wait, one that is slow keeps its place for a share of the time
    that leaves a turn to all, also when none of them answers."""
    until = time.monotonic() + seconds
    waiting = list_sockets(folder, until)
    share = seconds / (len(waiting) // MOST + 1)
    asked = {}  # master → until when it keeps its place, the oldest first
    with selectors.PollSelector() as selector:  # it takes no descriptor itself
        while (waiting or asked) and (now := time.monotonic()) < until:
            pause = until
            while waiting and len(asked) < MOST:
                try:
                    master = Master(waiting[-1], message, descriptors)
                except OSError as error:
                    if error.errno in TOO_MANY:
                        pause = now + 0.1
                        break
                else:
                    asked[master] = now + share
                    selector.register(master.socket, selectors.EVENT_READ, master)
                waiting.pop()  # asked, or that ssh has ended
            if waiting and asked:
                pause = min(pause, next(iter(asked.values())))
            over = [key.data for key, _ in selector.select(max(0, pause - now)) if key.data.ended()]
            if waiting:
                over += [m for m, end in asked.items() if end <= time.monotonic() and m not in over]
            for master in over:
                selector.unregister(master.socket)
                master.socket.close()
                del asked[master]
    for master in asked:
        master.socket.close()


def list_sockets(folder, until):
    while time.monotonic() < until:
        try:
            return [os.path.join(folder, name) for name in os.listdir(folder)]
        except OSError as error:
            if error.errno not in TOO_MANY:
                break  # no connection has been made yet
            time.sleep(0.1)
    return []


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
