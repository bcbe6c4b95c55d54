# A callback for ansible-playbook: what happens, as one line of JSON each, to
# the file descriptor that kinectl opened and named in KINECTL_EVENTS. While a host
# is in its transaction for long, a thread asks it every second which step it is at, over the
# connection that Ansible has open. When kinectl is gone, the run is interrupted:
# nobody sees it any more, and a host in the middle finishes alone.
import hashlib
import json
import os
import select
import signal
import subprocess
import threading

from ansible import constants
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kinectl
type: notification
short_description: Tells kinectl how a playbook goes
description: Writes one line of JSON for each thing that happens.
requirements: [an open file descriptor, its number in KINECTL_EVENTS]
"""

# One session a host, which says a line a second; a shell that cannot write ends.
ASK = 'while :; do s=; read -r s _ </run/kinectl/{service}.step; echo "$s"; sleep 1; done 2>/dev/null'


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kinectl"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.play = ""
        self.events = os.fdopen(int(os.environ["KINECTL_EVENTS"]), "w", buffering=1)
        self.lock = threading.RLock()  # of all that is told, and of who is asked: not a host that has ended
        self.deploying = {}  # host → its session, None before it has one
        threading.Thread(target=self.watch, daemon=True).start()
        # Ansible looks for results every millisecond, which is a twentieth of a processor
        # taken from its own workers. What somebody has set stays.
        if constants.DEFAULT_INTERNAL_POLL_INTERVAL == 0.001:
            constants.DEFAULT_INTERNAL_POLL_INTERVAL = 0.005

    def tell(self, event, task="", host="", result=None, step=""):
        line = {"event": event, "play": self.play, "task": task, "host": host, "step": step, "result": result or {}}
        with self.lock:
            self.events.write(json.dumps(line) + "\n")

    def result(self, event, result):
        host = result._host.get_name()
        self.leave(host)
        self.tell(event, result._task.get_name(), host, result._result)

    def v2_playbook_on_play_start(self, play):
        self.play = play.get_name()
        self.tell("play")

    def v2_playbook_on_no_hosts_matched(self):
        self.tell("no-hosts")

    def v2_runner_on_start(self, host, task):
        self.tell("start", task.get_name(), host.get_name())
        if task.action == "kinectl_transaction" and task.args.get("stage") == "release":
            with self.lock:
                self.deploying[host.get_name()] = None

    def v2_runner_on_ok(self, result):
        self.result("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.result("failed", result)

    def v2_runner_on_unreachable(self, result):
        self.result("unreachable", result)

    def v2_runner_on_skipped(self, result):
        self.result("skipped", result)

    def watch(self):
        """Look at kinectl, and at the steps of the hosts that have been in their
        transaction for as many seconds as KINECTL_STEPS_AFTER says: a quick one costs
        no session."""
        patience = int(os.environ.get("KINECTL_STEPS_AFTER", "1"))
        reader = select.poll()
        reader.register(self.events.fileno(), 0)  # a pipe without a reader is an error
        seen, steps = {}, {}  # by host: looks at it, its last step
        while not reader.poll(1000):
            with self.lock:
                now = list(self.deploying)
            for host in now:
                with self.lock:
                    if host in self.deploying:
                        self.look(host, seen.get(host, 0) >= patience, steps)
            for host in seen.keys() - set(now):
                steps.pop(host, None)
            seen = {host: seen.get(host, 0) + 1 for host in now}
        os.killpg(os.getpgrp(), signal.SIGINT)

    def look(self, host, ask, steps):
        """Tell of a new step. Called with the lock."""
        session = self.deploying[host]
        try:
            if session is None and ask:
                session = self.deploying[host] = self.ask(host)
            step = self.last(session)
            if step and step != steps.get(host):
                steps[host] = step
                self.tell("step", host=host, step=step)
        except OSError:
            pass  # no process for it, or kinectl is gone, which the next look at it shows

    def ask(self, host):
        socket = os.path.join(os.environ["KINECTL_SOCKETS"], hashlib.sha1(host.encode()).hexdigest()[:16])
        ssh = ["ssh", "-F", "none", "-o", "ControlPath=" + socket, "-o", "ControlMaster=no", "-o", "BatchMode=yes"]
        ssh += ["-o", "ProxyCommand=false", "none", ASK.replace("{service}", os.environ["KINECTL_SERVICE"])]
        nothing = subprocess.DEVNULL
        return subprocess.Popen(ssh, stdin=nothing, stdout=subprocess.PIPE, stderr=nothing, start_new_session=True)

    def last(self, session):
        """The last line that a session has said since the time before."""
        if session is None:
            return ""
        os.set_blocking(session.stdout.fileno(), False)
        said = (session.stdout.read() or b"").decode(errors="replace").split()
        return said[-1][:30] if said else ""

    def leave(self, host):
        with self.lock:
            session = self.deploying.pop(host, None)
            if session is not None:
                session.kill()
                session.wait()
                session.stdout.close()
