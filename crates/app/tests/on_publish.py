"""A script for nginx-rtmp's on_publish, on_play and on_done, as users have it: it knows a list of keys, and answers by status alone.

Prints its port, then each call that it gets.
"""

import http.server
import threading
import urllib.parse

KEYS = {"s3cret": "ada", "k3y": "lin"}


class Script(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.decide(self.rfile.read(length).decode())

    def do_GET(self):
        self.decide(urllib.parse.urlsplit(self.path).query)

    def decide(self, form):
        fields = dict(urllib.parse.parse_qsl(form, keep_blank_values=True))
        call, name = fields["call"], fields["name"]
        print(self.command, self.path.split("?")[0], call, name, fields["app"], fields["addr"], fields.get("token", "-"), flush=True)
        if name == "slow":
            threading.Event().wait()
        elif call == "done" or name == "welcome" or (call == "play" and name in KEYS.values()):
            self.answer(200)
        elif call == "publish" and name in KEYS:
            self.answer(302, KEYS[name])
        elif name == "relay":
            self.answer(302, "rtmp://127.0.0.1/other/name")
        else:
            self.answer(403)

    def answer(self, status, location=None):
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Script)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
