"""Connections of those who attack: bytes as they please, and answers read to their end."""

import http.client
import re
import socket
import ssl
import time

ANSWER_MAX = 4 << 20
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def careless():
    """A client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def request(method, target, headers=(), body=None):
    """The bytes of a request; texts become UTF-8. `headers`: pairs. Host and length unless they are there."""

    def encoded(text):
        return text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogateescape")

    lines = [encoded(method) + b" " + encoded(target) + b" HTTP/1.1"]
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    given = {encoded(name).lower() for name, _ in pairs}
    if b"host" not in given:
        pairs.insert(0, ("Host", "localhost"))
    if body is not None and not given & {b"content-length", b"transfer-encoding"}:
        pairs.append(("Content-Length", len(encoded(body))))
    lines += [encoded(name) + b": " + encoded(value) for name, value in pairs]
    return b"\r\n".join(lines) + b"\r\n\r\n" + (encoded(body) if body is not None else b"")


class Hand:
    """One who sends: an address, a connection that is kept where it can be, and who watches the answers."""

    def __init__(self, port, watch, source, seconds=20):
        self.port, self.watch, self.source, self.seconds = port, watch, source, seconds
        self.context = careless()
        self.kept = None

    def dial(self, source=None, is_encrypted=True, seconds=None):
        plain = socket.create_connection(
            ("127.0.0.1", self.port),
            timeout=seconds or self.seconds,
            source_address=(source or self.source, 0),
        )
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not is_encrypted:
            return plain
        try:
            return self.context.wrap_socket(plain, server_hostname="localhost")
        except OSError:
            plain.close()
            raise

    def close(self):
        if self.kept:
            self.kept.close()
        self.kept = None

    def ask(self, what, method, target, headers=(), body=None):
        """Status (0: none) and body of one request, on the kept connection."""
        raw = request(method, target, headers, body)
        began = time.monotonic()
        for _ in range(2):
            is_kept = self.kept is not None
            try:
                self.kept = self.kept or self.dial()
                self.kept.sendall(raw)
                status, head, data = self.answer(method)
            except (OSError, http.client.HTTPException, ValueError):
                # Refused while it was sent, cut, or no HTTP: whatever came was not kept by the parser.
                self.close()
                status, head, data = 0, b"", b""
            if status or not is_kept:
                break
        self.watch.saw(what, raw, status, head + data, time.monotonic() - began)
        return status, data

    def answer(self, method):
        answer = http.client.HTTPResponse(self.kept, method=method)
        answer.begin()
        head = str(answer.headers).encode("utf-8", "surrogateescape")
        try:
            data = b"" if answer.status == 101 else answer.read(ANSWER_MAX)
        except (OSError, http.client.HTTPException) as error:
            data = getattr(error, "partial", b"")  # a stream that goes on, or an answer that was cut
            answer.will_close = True
        if answer.will_close or answer.status == 101 or not answer.isclosed():
            self.close()
        return answer.status, head, data

    def throw(self, what, raw, wait=1.0, source=None, is_encrypted=True):
        """Sends bytes on a connection of their own and reads what comes within `wait` seconds: statuses."""
        data = b""
        began = time.monotonic()
        try:
            with self.dial(source, is_encrypted) as line:
                try:
                    line.sendall(raw)
                except OSError:
                    pass  # refused before it was all sent: the answer may be there
                data = drain(line, wait)
        except OSError:
            pass  # closed, as it may be
        statuses = [int(text) for text in STATUS.findall(data)]
        worst = 500 if 500 in statuses else max(statuses, default=0)
        self.watch.saw(what, raw, worst, data, time.monotonic() - began)
        return statuses


def drain(line, wait):
    """What comes until the other side closes, says nothing more, or `wait` seconds are over."""
    data, end = b"", time.monotonic() + wait
    while len(data) < ANSWER_MAX and (left := end - time.monotonic()) > 0:
        line.settimeout(min(left, 0.1) if data else left)
        try:
            piece = line.recv(1 << 16)
        except OSError:
            break
        if not piece:
            break
        data += piece
    return data


def frame(payload, opcode=1, is_masked=True, length=None, is_last=True):
    """A WebSocket frame. `length`: bytes that announce a length, in place of the right ones."""
    if length is None:
        count = len(payload)
        length = (
            bytes([count])
            if count < 126
            else b"\x7e" + count.to_bytes(2, "big") if count < 65536 else b"\x7f" + count.to_bytes(8, "big")
        )
    flags = (0x80 if is_last else 0) | opcode
    if not is_masked:
        return bytes([flags]) + length + payload
    return bytes([flags, length[0] | 0x80]) + length[1:] + b"\0\0\0\0" + payload
