"""Checks of the examples that serve: echo, chat, forward, ping, send_file."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from harness import (LIMIT, Listener, Server, check_usage, program, read_all, run, send_and_end,
                     some_bytes)


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
