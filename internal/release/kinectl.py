# A callback for ansible-playbook: what happens, as one line of JSON each, to
# the file descriptor that kinectl opened and named in KINECTL_EVENTS.
import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kinectl
type: notification
short_description: Tells kinectl how a playbook goes
description: Writes one line of JSON for each thing that happens.
requirements: [an open file descriptor, its number in KINECTL_EVENTS]
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kinectl"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.play = ""
        self.events = os.fdopen(int(os.environ["KINECTL_EVENTS"]), "w", buffering=1)

    def tell(self, event, task="", host="", result=None):
        line = {"event": event, "play": self.play, "task": task, "host": host, "result": result or {}}
        self.events.write(json.dumps(line) + "\n")

    def result(self, event, result):
        self.tell(event, result._task.get_name(), result._host.get_name(), result._result)

    def v2_playbook_on_play_start(self, play):
        self.play = play.get_name()
        self.tell("play")

    def v2_playbook_on_no_hosts_matched(self):
        self.tell("no-hosts")

    def v2_runner_on_start(self, host, task):
        self.tell("start", task.get_name(), host.get_name())

    def v2_runner_on_ok(self, result):
        self.result("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.result("failed", result)

    def v2_runner_on_unreachable(self, result):
        self.result("unreachable", result)
