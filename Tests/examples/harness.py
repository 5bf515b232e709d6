"""What the checks of the examples share: programs, servers, clients."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading

LIMIT = 20  # seconds for anything that should take a moment

label, directory = sys.argv[1:3]


def program(name):
    """Swift's targets have a dash where C's files have an underscore."""
    path = os.path.join(directory, name)
    return path if os.path.exists(path) else os.path.join(directory, name.replace("_", "-"))


def run(name, *arguments, **options):
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    return subprocess.run([program(name), *arguments], capture_output=True, text=True,
                          timeout=LIMIT, **options)


class Server:
    """An example that listens, until the block ends: then it must end by SIGTERM, with 0."""

    def __init__(self, name, *arguments, end=signal.SIGTERM, launcher=(), **options):
        self.end = end
        self.process = subprocess.Popen([*launcher, program(name), *arguments],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, **options)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"listening on (\S+); Ctrl-C ends\n", line)
        if match is None:
            self.process.kill()
            raise AssertionError(f"{name} said {line!r}, {self.process.stderr.read()!r}")
        self.address = match.group(1)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.send_signal(self.end)
        try:
            _, self.errors = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if kind is None:
            assert self.process.returncode == 0, (self.process.returncode, self.errors)

    def connect(self):
        if self.address.startswith("unix:"):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(LIMIT)
            client.connect(self.address[5:])
            return client
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), LIMIT)


def read_all(client):
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def send_and_end(client, data):
    """Sends on a thread of its own, so that a peer that answers meanwhile is not blocked."""
    def send():
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def some_bytes(length):
    return bytes(index * index % 251 for index in range(4096)) * (length // 4096)


class Listener:
    """A TCP server of the test; `handle` gets each connection, on a thread of its own."""

    def __init__(self, handle):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.handle = handle
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.handle, args=(client,), daemon=True).start()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def check_usage(name, *wrong):
    for arguments in [(), *wrong]:
        result = run(name, *arguments)
        assert result.returncode == 2, (arguments, result)
        assert result.stderr, arguments
    assert "usage: " + name.replace("_", "-") in run(name).stderr.replace("_", "-")


def write_file(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
