#!/usr/bin/env python3
"""Runs the example programs with real clients, and checks what they answer. Prints TAP.

    Tests/examples/run.py LABEL DIRECTORY        the programs are in DIRECTORY

The C examples and the Swift ones are the same programs, so the same checks hold for both.
"""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

LIMIT = 20  # seconds for anything that should take a moment

label, directory = sys.argv[1:3]
number = 0
failures = 0


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


# echo


def echo_turns_wrong_arguments_away():
    check_usage("echo", ("nonsense",), ("127.0.0.1:1", "2"))


def echo_says_that_an_address_is_taken():
    taken = socket.create_server(("127.0.0.1", 0))
    result = run("echo", "127.0.0.1:%d" % taken.getsockname()[1])
    assert result.returncode == 1 and "in use" in result.stderr, result


def echo_sends_everything_back_to_a_slow_reader():
    data = some_bytes(8 << 20)
    with Server("echo", "127.0.0.1:0") as server, server.connect() as client:
        sender = send_and_end(client, data)
        time.sleep(0.2)
        assert read_all(client) == data
        sender.join(LIMIT)


def echo_listens_on_a_unix_socket():
    with tempfile.TemporaryDirectory() as folder:
        with Server("echo", f"unix:{folder}/s") as server, server.connect() as client:
            client.sendall(b"text")
            assert client.recv(100) == b"text"
        assert os.listdir(folder) == []


def echo_ends_while_clients_are_connected():
    with Server("echo", "127.0.0.1:0", end=signal.SIGINT) as server:
        clients = [server.connect() for _ in range(3)]
        clients[0].sendall(b"x")
        assert clients[0].recv(1) == b"x"
        server.process.send_signal(signal.SIGINT)
        assert [client.recv(1) for client in clients] == [b"", b"", b""]
        server.process.wait(LIMIT)


# chat


def chat_turns_wrong_arguments_away():
    check_usage("chat", ("nonsense",), ("127.0.0.1:1", "2"))


def chat_tells_each_line_to_the_others():
    with Server("chat", "127.0.0.1:0") as server:
        ada, bob = server.connect(), None
        ada_reads = ada.makefile()
        bob = server.connect()
        bob_reads = bob.makefile()
        assert ada_reads.readline() == "* guest2 has come\n"
        ada.sendall(b"/nick A")
        time.sleep(0.05)  # a line may come in parts
        ada.sendall(b"da\nhello\r\n")
        assert bob_reads.readline() == "* guest1 is now Ada\n"
        assert bob_reads.readline() == "Ada: hello\n"
        bob.sendall(b"one\ntwo\n")
        assert ada_reads.readline() == "guest2: one\n"  # and not its own lines
        assert ada_reads.readline() == "guest2: two\n"
        ada.close()
        ada_reads.close()
        assert bob_reads.readline() == "* Ada has left\n"


def chat_drops_a_client_that_does_not_read():
    with Server("chat", "127.0.0.1:0") as server:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = server.address.rsplit(":", 1)
        slow.settimeout(LIMIT)
        slow.connect((host, int(port)))
        talker = server.connect()
        reads = talker.makefile()
        assert slow.recv(100) == b"* guest2 has come\n"  # who is not there yet hears nothing
        slow.sendall(b"here\n")
        assert reads.readline() == "guest1: here\n"
        done = threading.Event()

        def talk():
            line = b"x" * 1000 + b"\n"
            while not done.is_set():
                talker.sendall(line)
        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        assert reads.readline() == "* guest1 has left\n"
        done.set()
        thread.join(LIMIT)
        try:
            read_all(slow)  # ends
        except ConnectionResetError:
            pass


def chat_drops_a_client_with_an_endless_line():
    with Server("chat", "127.0.0.1:0") as server, server.connect() as client:
        client.sendall(b"x" * 5000)
        try:
            assert read_all(client) == b""
        except ConnectionResetError:
            pass


# forward


def forward_turns_wrong_arguments_away():
    check_usage("forward", ("127.0.0.1:0",), ("127.0.0.1:0", "nonsense"),
                ("nonsense", "127.0.0.1:1"), ("127.0.0.1:0", "localhost:0"),
                ("127.0.0.1:0", "localhost:1x"), ("127.0.0.1:0", ":80"), ("127.0.0.1:0", "::1:80"),
                ("127.0.0.1:0", "localhost:65536"))


def forward_keeps_both_directions_apart():
    def answer(client):  # only when the request has ended, which needs the half-close to arrive
        request = read_all(client)
        client.sendall(b"got " + request)
        client.close()
    target = Listener(answer)
    with Server("forward", "127.0.0.1:0", target.address) as server:
        for text in [b"one", b"two"]:
            with server.connect() as client:
                client.sendall(text)
                client.shutdown(socket.SHUT_WR)
                assert read_all(client) == b"got " + text
    target.close()


def forward_connects_to_a_name():
    target = Listener(lambda client: client.sendall(read_all(client)) or client.close())
    port = target.address.rsplit(":", 1)[1]
    with Server("forward", "127.0.0.1:0", "localhost:" + port) as server:
        with server.connect() as client:
            client.sendall(b"text")
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b"text"
    target.close()


def forward_passes_much_both_ways_to_slow_readers():
    data = some_bytes(8 << 20)
    received = []

    def exchange(client):
        sender = send_and_end(client, data)
        time.sleep(0.2)
        received.append(read_all(client))
        sender.join(LIMIT)
        client.close()
    target = Listener(exchange)
    with Server("forward", "127.0.0.1:0", target.address) as server, server.connect() as client:
        sender = send_and_end(client, data)
        time.sleep(0.2)
        assert read_all(client) == data
        sender.join(LIMIT)
        for _ in range(LIMIT * 100):
            if received:
                break
            time.sleep(0.01)
        assert received == [data]
    target.close()


def forward_says_why_it_can_not_connect():
    closed = socket.create_server(("127.0.0.1", 0))
    address = "127.0.0.1:%d" % closed.getsockname()[1]
    closed.close()
    with Server("forward", "127.0.0.1:0", address) as server:
        with server.connect() as client:
            assert read_all(client) == b""
        with server.connect() as client:  # it goes on
            assert read_all(client) == b""
    assert server.errors.count("connection refused") == 2, server.errors


def forward_ends_while_connections_are_open():
    target = Listener(lambda client: client.recv(1) and client.recv(1))
    with Server("forward", "127.0.0.1:0", target.address, end=signal.SIGINT) as server:
        client = server.connect()
        client.sendall(b"x")
        time.sleep(0.1)
    target.close()


# timer_wheel

REPORT = re.compile(r"after (\d+) ms: (\d+) alive, (\d+) touched, (\d+) expired, (\d+) logged out")


def reports(text):
    lines = [REPORT.fullmatch(line) for line in text.splitlines()]
    assert lines and all(lines), text
    return [[int(group) for group in line.groups()] for line in lines]


def timer_wheel_turns_wrong_arguments_away():
    check_usage("timer_wheel", ("1",), ("0", "1"), ("10", "x"), ("10", "1", "1"))


def timer_wheel_has_sessions_expire():
    result = run("timer_wheel", "20000", "1")
    assert result.returncode == 0, result
    first, *_, last = reports(result.stdout)
    milliseconds, alive, touched, expired, logged_out = last
    assert 1000 <= milliseconds < 2000 and first[0] >= 500, result.stdout
    assert 0 < alive <= 20000 and expired > 0 and logged_out > 0, result.stdout
    # Each one that is gone was there: the first 20,000, and those that came into a free place.
    assert alive + expired + logged_out > 20000 and touched > 20000, result.stdout


def timer_wheel_ends_on_a_signal():
    for number in signal.SIGINT, signal.SIGTERM:
        process = subprocess.Popen([program("timer_wheel"), "1000", "60"], text=True,
                                   stdout=subprocess.PIPE)
        process.stdout.readline()
        process.send_signal(number)
        output, _ = process.communicate(timeout=LIMIT)
        assert process.returncode == 0 and reports(output), (process.returncode, output)


# command


def command_turns_wrong_arguments_away():
    check_usage("command", ("5", ""), ("x", "", "true"), ("-1", "", "true"))


def command_passes_input_output_and_status():
    result = run("command", "10", "some text", "sh", "-c", "tr a-z A-Z; echo problem >&2; exit 3")
    assert (result.returncode, result.stdout, result.stderr) == (3, "SOME TEXT", "problem\n"), result
    result = run("command", "10", "", "sh", "-c", "head -c 500000 /dev/zero | tr '\\0' x")
    assert (result.returncode, result.stdout) == (0, "x" * 500000), len(result.stdout)


def command_says_what_can_not_be_run():
    result = run("command", "10", "", "/no/such/program")
    assert result.returncode == 1 and "/no/such/program" in result.stderr, result


def command_says_that_its_output_is_lost():
    with open("/dev/full", "w") as full:
        result = subprocess.run([program("command"), "10", "some text", "cat"], timeout=LIMIT,
                                stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1, result
    assert result.stderr == "command: the output could not be written\n", result


def command_tells_of_a_signal():
    result = run("command", "10", "", "sh", "-c", "kill -USR1 $$")
    assert result.returncode == 128 + signal.SIGUSR1 and "signal" in result.stderr, result


def runs(pid):
    """Not a zombie either, which its new parent may leave for a while."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def command_ends_the_whole_group_in_time():
    with tempfile.TemporaryDirectory() as folder:
        result = run("command", "0.3", "", "sh", "-c",
                     f"sleep 60 & echo $! $$ >{folder}/pids; wait")
        assert result.returncode == 128 + signal.SIGTERM, result
        assert "time is up" in result.stderr, result
        with open(f"{folder}/pids", encoding="ascii") as file:
            pids = file.read().split()
    assert len(pids) == 2
    assert not any(runs(pid) for pid in pids), pids


def command_ends_what_it_runs_on_a_signal():
    for number in signal.SIGINT, signal.SIGTERM:
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen(
                [program("command"), "60", "", "sh", "-c", f"echo $$ >{folder}/p; mv {folder}/p "
                 f"{folder}/pid; exec sleep 60"], stderr=subprocess.DEVNULL)
            for _ in range(LIMIT * 100):
                if os.path.exists(f"{folder}/pid"):
                    break
                time.sleep(0.01)
            with open(f"{folder}/pid", encoding="ascii") as file:
                pid = int(file.read())
            process.send_signal(number)
            assert process.wait(LIMIT) == 128 + signal.SIGTERM
            assert not runs(pid)


# ping


def ping_turns_wrong_arguments_away():
    check_usage("ping", ("127.0.0.1:1",), ("127.0.0.1:1", "x"), ("127.0.0.1:1", "0"),
                ("serve", "nonsense"), ("nonsense", "1"))


def ping_gets_all_answers():
    for address in "127.0.0.1:0", "[::1]:0":
        with Server("ping", "serve", address, end=signal.SIGINT) as server:
            result = run("ping", server.address, "4")
        assert result.returncode == 0 and result.stderr == "", result
        *answers, summary, times = result.stdout.splitlines()
        assert [answer.split(":")[0] for answer in answers] == ["0", "1", "2", "3"], result
        assert summary == "4 sent, 4 received, 0 % lost", result
        least, mean, most = map(float, re.fullmatch(
            r"(\S+) / (\S+) / (\S+) ms least / mean / most", times).groups())
        assert 0 < least <= mean <= most < 1000, times


def ping_counts_what_is_lost_or_doubled():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def answer():  # none of the odd ones, and the even ones twice
            for turn in range(6):
                data, peer = server.recvfrom(2048)
                if turn % 2 == 0:
                    server.sendto(data, peer)
                    server.sendto(data, peer)
                    server.sendto(b"something else", peer)
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        result = run("ping", "127.0.0.1:%d" % server.getsockname()[1], "6")
        thread.join(LIMIT)
    assert result.returncode == 0, result
    assert "6 sent, 3 received, 50 % lost" in result.stdout, result


def ping_without_an_answer_fails():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % unused.getsockname()[1]
    result = run("ping", address, "3")
    assert result.returncode == 1, result
    assert "3 sent, 0 received, 100 % lost" in result.stdout, result
    assert "connection refused" in result.stderr, result


def ping_tells_what_it_has_on_a_signal():
    with Server("ping", "serve", "127.0.0.1:0") as server:
        process = subprocess.Popen([program("ping"), server.address, "1000"], text=True,
                                   stdout=subprocess.PIPE)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, process.returncode
    assert re.search(r"^\d+ sent, \d+ received, 0 % lost$", output, re.MULTILINE), output


# watch


class Watched:
    """What `watch` tells of, line by line."""

    def __init__(self, *paths):
        self.process = subprocess.Popen([program("watch"), *paths], stdout=subprocess.PIPE,
                                        text=True)
        assert self.line() == f"watching {len(paths)}; Ctrl-C ends"

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def __enter__(self):
        self.alarm = threading.Timer(LIMIT, self.process.kill)
        self.alarm.start()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.stdout.close()
        status = self.process.wait(LIMIT)
        self.alarm.cancel()
        assert status == 0, status


def write_file(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def watch_turns_wrong_arguments_away():
    check_usage("watch")
    result = run("watch", "/no/such/directory/file")
    assert result.returncode == 1 and "/no/such/directory/file: " in result.stderr, result


def watch_tells_of_a_directory():
    with tempfile.TemporaryDirectory() as folder, Watched(folder) as watched:
        os.mkfifo(f"{folder}/a")
        assert watched.line() == f"{folder}: a created"
        os.rename(f"{folder}/a", f"{folder}/b")
        assert watched.line() == f"{folder}: a renamed to b"
        os.chmod(f"{folder}/b", 0o600)
        assert watched.line() == f"{folder}: b attributes"
        os.unlink(f"{folder}/b")
        assert watched.line() == f"{folder}: b deleted"


def watch_follows_a_file_that_is_replaced():
    with tempfile.TemporaryDirectory() as folder, Watched(f"{folder}/x") as watched:
        write_file(f"{folder}/new", "1")  # another name, not told of
        os.rename(f"{folder}/new", f"{folder}/x")
        assert watched.line() == f"{folder}/x: x created"
        os.truncate(f"{folder}/x", 0)
        assert watched.line() == f"{folder}/x: x modified"
        os.unlink(f"{folder}/x")
        assert watched.line() == f"{folder}/x: x deleted"


def watch_ends_when_nothing_is_left_to_watch():
    with tempfile.TemporaryDirectory() as folder:
        one, two = f"{folder}/one", f"{folder}/two"
        os.mkdir(one)
        os.mkdir(two)
        with Watched(one, two) as watched:
            os.rmdir(one)
            assert "unwatched" in watched.line()
            assert watched.process.poll() is None
            os.rmdir(two)
            assert "unwatched" in watched.line()
            assert watched.process.wait(LIMIT) == 0


# resolve


def resolve_turns_wrong_arguments_away():
    check_usage("resolve", ("5", "443"), ("0", "443", "::1"), ("5", "65536", "::1"),
                ("x", "443", "::1"), ("5", "x", "::1"))


def resolve_prints_in_the_order_of_the_names():
    result = run("resolve", "10", "80", "localhost", "192.0.2.1", "::1", "localhost")
    assert result.returncode == 0 and result.stderr == "", result
    expected = []
    for name in "localhost", "192.0.2.1", "::1", "localhost":
        for family, _, _, _, address in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM):
            host = f"[{address[0]}]" if family == socket.AF_INET6 else address[0]
            expected.append(f"{name} {host}:80")
    assert result.stdout.splitlines() == expected, (result, expected)


def resolve_fails_when_one_name_fails():
    result = run("resolve", "10", "80", "x" * 300, "127.0.0.1", "")
    assert result.returncode == 1 and result.stdout == "127.0.0.1 127.0.0.1:80\n", result
    assert len(result.stderr.splitlines()) == 2, result
    assert result.stderr.startswith("resolve: " + "x" * 300 + ": "), result


# send_file


def send_file_turns_wrong_arguments_away():
    check_usage("send_file", ("/etc/passwd", "1"), ("/etc/passwd", "x", "127.0.0.1:0"),
                ("/etc/passwd", "1", "nonsense"))
    result = run("send_file", "/no/such/file", "1", "127.0.0.1:0")
    assert result.returncode == 1 and "/no/such/file: " in result.stderr, result


def send_file_sends_all_to_slow_readers():
    data = some_bytes(8 << 20)
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with Server("send_file", file.name, "10", "127.0.0.1:0") as server:
            clients = [server.connect() for _ in range(3)]
            clients[0].sendall(b"of no interest")
            time.sleep(0.1)
            for client in clients:
                assert read_all(client) == b"length %d\n" % len(data) + data
            for client in clients:
                client.close()
    assert server.errors == "", server.errors


def send_file_takes_a_socket_that_is_passed():
    become = ("import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_FDS'] = '1'; "
              "os.environ['LISTEN_PID'] = str(os.getpid()); os.execv(sys.argv[2], sys.argv[2:])")
    with tempfile.NamedTemporaryFile() as file, socket.create_server(("127.0.0.1", 0)) as passed:
        file.write(b"text")
        file.flush()
        launcher = sys.executable, "-c", become, str(passed.fileno())
        with Server("send_file", file.name, "10", launcher=launcher,
                    pass_fds=[passed.fileno()]) as server:
            assert server.address == "127.0.0.1:%d" % passed.getsockname()[1]
            with server.connect() as client:
                assert read_all(client) == b"length 4\ntext"


def send_file_resets_a_client_that_is_idle():
    with Server("send_file", "/etc/passwd", "0.2", "127.0.0.1:0") as server:
        with server.connect() as client:
            read_all(client)  # half-closed: it does not end, though all is sent
            began = time.monotonic()
            try:
                while True:
                    time.sleep(0.02)
                    client.getpeername()
                    assert time.monotonic() - began < LIMIT, "never dropped"
            except OSError:
                pass
    assert "a client is idle" in server.errors, server.errors


def send_file_resets_when_the_file_has_become_shorter():
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(64 << 20)
        with Server("send_file", file.name, "10", "127.0.0.1:0") as server:
            with server.connect() as client:
                assert client.recv(7) == b"length "
                file.truncate(1)  # what it has sent by now is in the buffers of two sockets
                try:
                    read_all(client)
                    raise AssertionError("an end, not a reset")
                except ConnectionResetError:
                    pass
    assert server.errors, server.errors


# host_loop

SUMMARY = re.compile(r"(\d+) turns \(the hook counted (\d+)\), (\d+) events, of them (\d+) ticks, "
                     r"(\d+) posts, (\d+) wakes; longest callback (\d+) ms")


def host_loop_hands_lines_over_and_counts():
    result = run("host_loop", input="one\n\nslow\nthree")
    assert result.returncode == 0 and result.stderr == "", result
    *lines, summary = result.stdout.splitlines()
    assert [line for line in lines if line.startswith("line:")] == [
        "line: one", "line: ", "line: slow", "line: three"], result
    assert re.search(r"^\S*slow\S* took \d+ ms$", result.stdout, re.MULTILINE), result
    turns, hook, _, _, posts, _, longest = map(int, SUMMARY.fullmatch(summary).groups())
    # The descriptor is asked for before the first turn, for which the loop looks for events once.
    assert turns - 1 <= hook <= turns and posts == 4 and longest >= 60, result


def host_loop_has_timers_while_it_waits():
    began = time.monotonic()
    process = subprocess.Popen([program("host_loop")], text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    process.stdin.write("one\n")
    process.stdin.flush()
    assert process.stdout.readline() == "line: one\n"
    time.sleep(0.55)
    output, _ = process.communicate("two\n", timeout=LIMIT)
    *lines, summary = output.splitlines()  # a busy machine may make any callback slow
    turns, _, _, ticks, posts, _, _ = map(int, SUMMARY.fullmatch(summary).groups())
    assert "line: two" in lines and posts == 2, output
    # It neither misses timers nor spins.
    assert 2 <= ticks <= (time.monotonic() - began) * 10 and turns < ticks * 4 + 20, output


# digest


def fnv(data):
    """FNV-1a of 64 bits, to the known values of which a test below holds it."""
    digest = 14695981039346656037
    for byte in data:
        digest = (digest ^ byte) * 1099511628211 % 2**64
    return "%016x" % digest


def digest_turns_wrong_arguments_away():
    check_usage("digest", ("1",), ("0", "/etc/passwd"), ("x", "/etc/passwd"))


def digest_is_the_one_that_others_compute():
    with tempfile.TemporaryDirectory() as folder:
        texts = {"empty": b"", "a": b"a", "foobar": b"foobar", "long": some_bytes(1 << 18)}
        for name, data in texts.items():
            with open(f"{folder}/{name}", "wb") as file:
                file.write(data)
        result = run("digest", "3", *texts, cwd=folder)
    assert result.returncode == 0, result
    lines = [line.split("  ") for line in result.stdout.splitlines()]
    assert lines[:3] == [["cbf29ce484222325", "empty"], ["af63dc4c8601ec8c", "a"],
                         ["85944171f73967e8", "foobar"]], result
    assert lines[3:] == [[fnv(texts["long"]), "long"]], result


def digest_tells_of_its_progress_and_of_what_it_can_not_read():
    with tempfile.TemporaryDirectory() as folder:
        write_file(f"{folder}/long", "")
        os.truncate(f"{folder}/long", 9 << 20)
        result = run("digest", "2", f"{folder}/long", f"{folder}/none", folder, f"{folder}/long")
    assert result.returncode == 1, result
    assert len(result.stdout.splitlines()) == 2, result
    errors = result.stderr.splitlines()
    for line in "18 MiB to read", "8 MiB read", "16 MiB read":
        assert "digest: " + line in errors, result
    assert errors[-2:] == [f"digest: {folder}/none: No such file or directory",
                           f"digest: {folder}: Is a directory"], result


def open_when_read(pipe):
    """The end of a named pipe to write to, as soon as somebody reads from the other."""
    for _ in range(LIMIT * 100):
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        time.sleep(0.01)
    raise AssertionError(f"nobody reads from {pipe}")


def digest_skips_what_has_not_begun():
    with tempfile.TemporaryDirectory() as folder:
        pipes = [f"{folder}/pipe{turn}" for turn in range(2)]
        for pipe in pipes:
            os.mkfifo(pipe)
        write_file(f"{folder}/file", "x")
        process = subprocess.Popen([program("digest"), "2", *pipes, *[f"{folder}/file"] * 500],
                                   text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        alarm = threading.Timer(LIMIT, process.kill)
        alarm.start()
        # Both threads are held up by a pipe then.
        writers = [open_when_read(pipe) for pipe in pipes]
        process.send_signal(signal.SIGINT)
        while (line := process.stderr.readline()) != "digest: 500 files skipped\n":
            assert line, "it has ended"
        for writer in writers:
            os.write(writer, b"foobar")
            os.close(writer)
        output, _ = process.communicate(timeout=LIMIT)
        alarm.cancel()
    assert process.returncode == 1, process.returncode
    assert output.splitlines() == [f"85944171f73967e8  {pipe}" for pipe in pipes], output


def check(test):
    global number, failures
    number += 1
    try:
        test()
        result = "ok"
    except Exception as error:  # any: what failed is what counts
        result = "not ok"
        failures += 1
        print(f"# {type(error).__name__}: {error}".replace("\n", "\n# "))
    print(f"{result} {number} - {label}: {test.__name__.replace('_', ' ')}", flush=True)


for name, value in list(globals().items()):
    if name.startswith(("echo_", "chat_", "forward_", "timer_wheel_", "command_", "ping_", "watch_",
                        "resolve_", "send_file_", "host_loop_", "digest_")):
        check(value)
print(f"1..{number}")
sys.exit(failures != 0)
