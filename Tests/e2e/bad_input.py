"""Sends what no client should, and checks the answers. Prints TAP without numbers.

    bad_input.py HOST PORT

Each input has to be answered with its status and a problem document (RFC 9457) that says what was
wrong; where the connection can't go on, it has to be closed after the answer has arrived; and the
next request has to be served. The statuses are those of RFC 9110 and RFC 9112.
"""

import hashlib
import json
import re
import socket
import sys
import time

HOST, PORT = sys.argv[1], int(sys.argv[2])
PATIENCE = 8  # seconds: longer than every time limit of the server that is tested

HEAD = b"Host: localhost\r\n"
GET = b"GET /jobs/0 HTTP/1.1\r\n" + HEAD
POST = b"POST /tasks/sha256 HTTP/1.1\r\n" + HEAD
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NO_JOB = "/jobs/" + "0" * 32


def get(target, more=b""):
    return b"GET " + target.encode() + b" HTTP/1.1\r\n" + HEAD + more + b"\r\n"


def request(method, target, body=b"", more=b""):
    length = b"Content-Length: %d\r\n" % len(body)
    return method.encode() + b" " + target.encode() + b" HTTP/1.1\r\n" + HEAD + length + more + b"\r\n" + body


# name, bytes, status, what the problem's text says, whether the connection ends.
TABLE = [
    # The request line (RFC 9112 §3)
    ("a request line of one word", b"GET\r\n\r\n", 400, "method", True),
    ("no version", b"GET /\r\n" + HEAD + b"\r\n", 400, ".", True),
    ("two spaces in the request line", b"GET  / HTTP/1.1\r\n" + HEAD + b"\r\n", 400, ".", True),
    ("a fourth word", b"GET / HTTP/1.1 x\r\n" + HEAD + b"\r\n", 400, ".", True),
    ("a method that is no token", b"G@T / HTTP/1.1\r\n" + HEAD + b"\r\n", 400, ".", True),
    ("a target that is no target", b"GET foo HTTP/1.1\r\n" + HEAD + b"\r\n", 400, ".", True),
    ("a control character in the target", b"GET /\x01 HTTP/1.1\r\n" + HEAD + b"\r\n", 400, ".", True),
    ("HTTP/1.11", b"GET / HTTP/1.11\r\n" + HEAD + b"\r\n", 400, ".", True),
    ("HTTP/2.0 on the line", b"GET / HTTP/2.0\r\n" + HEAD + b"\r\n", 505, ".", True),
    ("TLS on a port without it", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", 400, ".", True),
    ("an unknown method", b"BREW / HTTP/1.1\r\n" + HEAD + b"\r\n", 501, "BREW", False),
    ("a request line of 9,000 octets", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", 414, ".", True),
    # Field lines (RFC 9112 §5, RFC 9110 §5)
    ("a field line without a colon", GET + b"nonsense\r\n\r\n", 400, ".", True),
    ("a field name that is no token", GET + b"a b: c\r\n\r\n", 400, ".", True),
    ("an empty field name", GET + b": c\r\n\r\n", 400, ".", True),
    ("a space before the colon", GET + b"Accept : */*\r\n\r\n", 400, ".", True),
    ("obsolete folding", GET + b"Accept: a\r\n  b\r\n\r\n", 400, ".", True),
    ("white space before the first field", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, ".", True),
    ("NUL in a value", GET + b"Accept: a\0b\r\n\r\n", 400, ".", True),
    ("a bare CR in a value", GET + b"Accept: a\rb\r\n\r\n", 400, ".", True),
    ("a field line of 40,000 octets", GET + b"X: " + b"a" * 40000 + b"\r\n\r\n", 431, ".", True),
    ("101 field lines", GET + b"X: y\r\n" * 101 + b"\r\n", 431, ".", True),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", 400, "Host", True),
    ("two Hosts", GET + b"Host: other\r\n\r\n", 400, "Host", True),
    ("a Host that is none", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "Host", True),
    # The body's length (RFC 9112 §6)
    ("Content-Length and Transfer-Encoding", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, ".", True),
    ("two different Content-Lengths", POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, "Content-Length", True),
    ("a list of Content-Lengths", POST + b"Content-Length: 3, 4\r\n\r\nabcd", 400, "Content-Length", True),
    ("Content-Length: +5", POST + b"Content-Length: +5\r\n\r\nabcde", 400, "Content-Length", True),
    ("Content-Length: -1", POST + b"Content-Length: -1\r\n\r\n", 400, "Content-Length", True),
    ("an empty Content-Length", POST + b"Content-Length: \r\n\r\n", 400, "Content-Length", True),
    ("a Content-Length above 2^64", POST + b"Content-Length: 18446744073709551621\r\n\r\n", None, ".", True),
    ("chunked that is not the last coding", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n", 400, ".", True),
    ("an unknown transfer coding", POST + b"Transfer-Encoding: brotli, chunked\r\n\r\n", 501, ".", True),
    ("Transfer-Encoding in HTTP/1.0", b"POST /tasks/sha256 HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", None, None, True),
    # Chunks (RFC 9112 §7.1)
    ("the chunk size 0x5", CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", 400, "chunk", True),
    ("the chunk size +5", CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n", 400, "chunk", True),
    ("the chunk size 5_0", CHUNKED + b"5_0\r\nhello\r\n0\r\n\r\n", 400, "chunk", True),
    ("an empty chunk size", CHUNKED + b"\r\nhello\r\n0\r\n\r\n", 400, "chunk", True),
    ("a chunk size of words", CHUNKED + b"five\r\nhello\r\n0\r\n\r\n", 400, "chunk", True),
    ("a chunk size above 2^64", CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n", None, ".", True),
    ("a chunk longer than its size", CHUNKED + b"3\r\nhello\r\n0\r\n\r\n", 400, "chunk", True),
    ("a bare LF after a chunk size", CHUNKED + b"5\nhello\r\n0\r\n\r\n", 400, "chunk", True),
    ("a long chunk size line", CHUNKED + b"5;" + b"a" * 9000 + b"\r\nhello\r\n0\r\n\r\n", 400, "chunk", True),
    # Bounds
    ("a body over the limit", POST + b"Content-Length: 100001\r\n\r\n" + b"a" * 100001, 413, "100000", None),
    ("a body over the limit, announced only", POST + b"Content-Length: 100001\r\nExpect: 100-continue\r\n\r\n", 413, "100000", None),
    ("chunks over the limit", CHUNKED + b"186a1\r\n" + b"a" * 100001 + b"\r\n0\r\n\r\n", 413, "100000", None),
    # Routes
    ("an unknown task", request("POST", "/tasks/nonesuch", b"x"), 404, "nonesuch", False),
    ("an unknown job", get(NO_JOB), 404, "job", False),
    ("the result of an unknown job", get(NO_JOB + "/result?wait=5"), 404, "job", False),
    ("a job id that is none", get("/jobs/..%2f..%2fetc%2fpasswd"), 404, "job", False),
    ("cancelling an unknown job", request("DELETE", NO_JOB), 404, "job", False),
    ("another path", get("/etc/passwd"), 404, ".", False),
    ("another verb for a job", request("PUT", NO_JOB, b"x"), 405, "PUT", False),
    ("another verb for a task", get("/tasks/sha256"), 405, "GET", False),
    ("PATCH of a result", request("PATCH", NO_JOB + "/result", b"x"), 405, "PATCH", False),
    # Parameters
    ("wait=abc", get(NO_JOB + "?wait=abc"), 400, "abc.*180", False),
    ("wait=-1", get(NO_JOB + "?wait=-1"), 400, "-1.*180", False),
    ("wait=99999", get(NO_JOB + "?wait=99999"), 400, "99999.*180", False),
    ("an empty wait", get(NO_JOB + "?wait="), 400, "180", False),
    ("wait=1e3", get(NO_JOB + "/result?wait=1e3"), 400, "1e3.*180", False),
    ("wait=nan", get(NO_JOB + "?wait=nan"), 400, "nan.*180", False),
    ("wait twice", get(NO_JOB + "?wait=1&wait=2"), 400, ".", False),
    ("a bad percent escape in the path", get("/jobs/%zz"), None, ".", False),
    ("a body that the task refuses", request("POST", "/tasks/sleep", b"soon"), 422, "soon", False),
    ("an Idempotency-Key that is empty", request("POST", "/tasks/sha256", b"x", b"Idempotency-Key: \r\n"), 400, "Idempotency-Key", False),
    ("an Idempotency-Key of 1,000 octets", request("POST", "/tasks/sha256", b"x", b"Idempotency-Key: " + b"k" * 1000 + b"\r\n"), 400, "Idempotency-Key", False),
]


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body


class Connection:
    def __init__(self):
        self.socket = socket.create_connection((HOST, PORT), timeout=PATIENCE)
        self.buffer = b""

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # closed while we sent: the answer may be there all the same

    def fill(self):
        """Reads more; false at the end of the stream or after a reset."""
        try:
            piece = self.socket.recv(65536)
        except ConnectionError:
            return False
        self.buffer += piece
        return bool(piece)

    def answer(self):
        """The next final answer; None if the connection ends before."""
        while True:
            while b"\r\n\r\n" not in self.buffer:
                if not self.fill():
                    return None
            head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            lines = head.decode("latin-1").split("\r\n")
            status = int(re.fullmatch(r"HTTP/1\.[01] (\d{3}) .*", lines[0]).group(1))
            fields = {}
            for line in lines[1:]:
                name, value = line.split(":", 1)
                fields[name.lower()] = value.strip()
            if status >= 200:
                break
        length = int(fields.get("content-length", 0))
        while len(self.buffer) < length:
            if not self.fill():
                return None
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return Answer(status, fields, body)

    def ends(self):
        """Whether the server closes, and sends nothing more."""
        try:
            while self.fill():
                pass
        except socket.timeout:
            return False
        return self.buffer == b""

    def close(self):
        self.socket.close()


def report(name, flaws):
    print(("not ok" if flaws else "ok"), "-", name)
    for flaw in flaws:
        print("#  ", flaw)
    sys.stdout.flush()


def served(connection):
    """What is wrong with how an ordinary request is served; empty if nothing is."""
    connection.send(request("POST", "/tasks/sha256", b"next", b"Prefer: wait=10\r\n"))
    answer = connection.answer()
    if answer is None:
        return ["the next request was not answered"]
    if answer.status != 200 or answer.body.decode() != hashlib.sha256(b"next").hexdigest():
        return ["the next request was answered %d %r" % (answer.status, answer.body)]
    return []


def flaws_of(answer, status, text):
    if answer is None:
        return ["the connection ended without an answer"]
    flaws = []
    if status is None:
        if not 400 <= answer.status < 600:
            flaws.append("the status is %d; wanted an error" % answer.status)
    elif answer.status != status:
        flaws.append("the status is %d; wanted %d" % (answer.status, status))
    if answer.fields.get("content-type") != "application/problem+json":
        flaws.append("the content type is %r" % answer.fields.get("content-type"))
    try:
        problem = json.loads(answer.body)
    except ValueError:
        return flaws + ["the body is no JSON: %r" % answer.body[:200]]
    if problem.get("status") != answer.status or not problem.get("title") or not problem.get("detail"):
        flaws.append("status, title or detail is missing: %r" % problem)
    if not re.search(text, problem.get("detail") or "", re.IGNORECASE):
        flaws.append("the detail does not say %r: %r" % (text, problem.get("detail")))
    if answer.status == 405 and "allow" not in answer.fields:
        flaws.append("no Allow")
    return flaws


def next_on_a_new_connection():
    connection = Connection()
    flaws = served(connection)
    connection.close()
    return flaws


def check_row(name, data, status, text, closes):
    connection = Connection()
    connection.send(data)
    answer = connection.answer()
    if text is None:  # answered as an error, or served and closed: both are right
        flaws = [] if answer and (answer.status < 300 or 400 <= answer.status < 600) else ["no answer"]
    else:
        flaws = flaws_of(answer, status, text)
    if answer:
        says_close = "close" in answer.fields.get("connection", "").lower()
        if closes or (closes is None and says_close):
            if not says_close and "HTTP/1.0" not in name:
                flaws.append("the answer does not say 'Connection: close'")
            if not connection.ends():
                flaws.append("the connection stays open")
        else:
            flaws += served(connection)
    connection.close()
    flaws += next_on_a_new_connection()
    report("%s: %s" % (name, status or "refused"), flaws)


def slowly(connection, data, interval, limit):
    """Sends a byte an interval until the server answers or the limit (seconds) is over."""
    connection.socket.settimeout(interval)
    end = time.monotonic() + limit
    for byte in data:
        if time.monotonic() > end:
            break
        connection.send(bytes([byte]))
        try:
            if not connection.fill():
                break
            if b"\r\n\r\n" in connection.buffer:
                break
        except socket.timeout:
            pass
    connection.socket.settimeout(PATIENCE)


def check_slow(name, prefix, data):
    connection = Connection()
    connection.send(prefix)
    begin = time.monotonic()
    slowly(connection, data, 0.3, PATIENCE)
    took = time.monotonic() - begin
    flaws = flaws_of(connection.answer(), 408, ".")
    if took > 6:
        flaws.append("it took %.1f s" % took)
    connection.close()
    report(name + ": 408", flaws + next_on_a_new_connection())


def check_good_before_bad():
    connection = Connection()
    connection.send(request("POST", "/tasks/sha256", b"good", b"Prefer: wait=10\r\n") + b"GET\r\n\r\n")
    first, second = connection.answer(), connection.answer()
    flaws = flaws_of(second, 400, ".")
    if first is None or first.body.decode() != hashlib.sha256(b"good").hexdigest():
        flaws.append("the good request was not served")
    connection.close()
    report("a good request before a bad one on the same connection is served", flaws)


def check_silent():
    connection = Connection()
    begin = time.monotonic()
    closed = connection.ends()
    took = time.monotonic() - begin
    connection.close()
    flaws = [] if closed and took < 6 else ["still open after %.1f s" % took]
    report("a client that says nothing is closed without an answer", flaws + next_on_a_new_connection())


def check_gone(name, data):
    """A client that goes away in the middle."""
    connection = Connection()
    connection.send(data)
    connection.close()
    report(name, next_on_a_new_connection())


for row in TABLE:
    check_row(*row)
check_good_before_bad()
check_slow("a head of a byte every 0.3 s", b"", b"GET /" + b"a" * 100)
check_slow("a body of a byte every 0.3 s", POST + b"Content-Length: 1000\r\n\r\n", b"b" * 100)
check_slow("chunks of a byte every 0.3 s", CHUNKED, b"1\r\nc\r\n" * 30)
check_silent()
check_gone("a client that goes away in the head", b"GET /jobs/")
check_gone("a client that goes away in the body", POST + b"Content-Length: 1000\r\n\r\nabc")
check_gone("a client that goes away in a chunk", CHUNKED + b"ff\r\nabc")
