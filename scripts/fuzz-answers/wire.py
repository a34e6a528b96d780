"""A connection that is kept: requests are sent and their answers read apart, so that the server works on some
while the model does its part.
"""

import socket


class Answer:
    __slots__ = ("status", "fields", "body")

    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def __repr__(self):
        return f"{self.status} {self.body[:2000].decode(errors='replace')}"


class Wire:
    """Requests in order, answers in order."""

    def __init__(self, port, headers, seconds=60):
        self.port, self.seconds = port, seconds
        self.head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.socket = None

    def send(self, method, path, body=None):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), self.seconds)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.file = self.socket.makefile("rb", 1 << 16)
        kind = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{self.head}{kind}\r\n"
        self.socket.sendall(head.encode() + (body or b""))

    def receive(self):
        status = int(self.file.readline().split()[1])
        fields = {}
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.lower()] = value.strip()
        if fields.get("transfer-encoding") == "chunked":
            parts = []
            while size := int(self.file.readline(), 16):
                parts.append(self.file.read(size))
                self.file.readline()
            self.file.readline()
            body = b"".join(parts)
        else:
            body = self.file.read(int(fields.get("content-length", 0)))
        if fields.get("connection") == "close":
            self.close()
        return Answer(status, fields, body)

    def ask(self, method, path, body=None):
        self.send(method, path, body)
        return self.receive()

    def close(self):
        if self.socket:
            self.file.close()
            self.socket.close()
            self.socket = None
