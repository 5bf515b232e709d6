"""Checks of the examples that do a thing and end, or watch until they are ended."""

import errno
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import LIMIT, check_usage, program, run, some_bytes, write_file


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
