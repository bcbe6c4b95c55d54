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
import subprocess
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
        how = ["-O", "exit"] if command is None else []
        # The login shell may be any.
        words = [] if command is None else ["sh", "-c", shlex.quote(command.replace("{id}", os.environ["KINECTL_HOLDER"]))]
        running = []
        for socket in os.listdir(folder) if os.path.isdir(folder) else []:
            ssh = ["ssh", "-F", "none", "-o", "ControlPath=" + os.path.join(folder, socket), "-o", "ControlMaster=no"]
            ssh += ["-o", "BatchMode=yes", "-o", "ProxyCommand=false", *how, "none", *words]
            nothing = subprocess.DEVNULL
            running.append(subprocess.Popen(ssh, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True))
        until = time.monotonic() + seconds
        for ssh in running:
            try:
                ssh.wait(max(0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                ssh.kill()
                ssh.wait()


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
