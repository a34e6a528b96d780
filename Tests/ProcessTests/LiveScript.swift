import Foundation
import Testing

/// Scenarios of live streams as Python scripts: they start the server themselves, since most stop or kill it.
enum LiveScript {
  /// The transcripts of the systems whose APIs these are.
  static let transcripts = Tool.root + "/../shared/golden"

  static var hasTranscripts: Bool { FileManager.default.fileExists(atPath: transcripts) }

  /// Runs a scenario behind ``prelude``; an assertion of it that fails is an issue here.
  static func run(_ scenario: String) throws {
    let folder = try TemporaryFolder()
    _ = try Tool.python(prelude + scenario, [Program.path, folder.path, transcripts], in: folder)
  }

  /// A server, and clients that say all that comes over the wire.
  private static let prelude =
    #"""
    import base64, hashlib, hmac, http.client, json, os, random, re, socket, ssl, struct
    import subprocess, sys, threading, time

    BINARY, FOLDER = sys.argv[1], sys.argv[2]
    SECRET = "your-super-secret-jwt-key-change-in-production"


    def until(condition, what, seconds=20):
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < end, "never: " + str(what() if callable(what) else what)
            time.sleep(0.005)


    class Server:
        """One data directory, and the server that has it."""

        def __init__(self, name="data", sets=(), environment={}, port=0):
            self.data, self.sets, self.environment = f"{FOLDER}/{name}", list(sets), environment
            self.wanted, self.out = port, f"{FOLDER}/{name}.log"
            self.start()

        def start(self):
            self.from_byte = os.path.getsize(self.out) if os.path.exists(self.out) else 0
            command = [BINARY, "serve", "--data-dir", self.data, "--port", str(self.wanted)]
            for setting in self.sets:
                command += ["--set", setting]
            with open(self.out, "ab") as log:
                # Dies with this script, however that ends.
                self.process = subprocess.Popen(
                    command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                    env={**os.environ, **self.environment},
                    preexec_fn=lambda: __import__("ctypes").CDLL(None).prctl(1, 9))
            address = re.compile(r"https?://127\.0\.0\.1:(\d+)")
            until(lambda: address.search(self.log()) or self.process.poll() is not None, self.log)
            assert self.process.poll() is None, self.log()
            self.port = int(address.search(self.log()).group(1))

        def log(self):
            with open(self.out, errors="replace") as log:
                log.seek(self.from_byte)
                return log.read()

        def kill(self):
            self.process.kill()
            self.process.wait()

        def stop(self, seconds=20):
            began = time.monotonic()
            self.process.terminate()
            assert self.process.wait(seconds) == 0, self.log()
            return time.monotonic() - began

        def restart(self, hard=False):
            self.kill() if hard else self.stop()
            self.start()

        def request(self, method, path, body=None, headers={}, expect=200):
            status, text, _ = self.ask(method, path, body, headers)
            assert status == expect, (method, path, status, text, self.log()[-2000:])
            try:
                return json.loads(text) if text else None
            except ValueError:
                return text.decode()

        def ask(self, method, path, body=None, headers={}):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            headers = dict(headers)
            if body is not None and not isinstance(body, (bytes, str)):
                body, headers["Content-Type"] = json.dumps(body), "application/json"
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            result = answer.status, answer.read(), answer.headers
            connection.close()
            return result

        def login(self, user, password=None):
            body = {"user_id": user, **({"password": password} if password else {})}
            return self.request("POST", "/api/v1/login", body)["access_token"]

        def put(self, token, query, status="SUCCESS"):
            body, headers = {"query": query, "status": status}, {"Authorization": "Bearer " + token}
            return self.request("PUT", "/api/v1/logs", body, headers)

        def verify(self, id, expect=200):
            return self.request("GET", "/api/v1/verify/" + id, expect=expect)

        def archive(self):
            self.request("POST", "/v1/admin/flush", {"archive": True})

        def write(self, rows, dataset="logs", headers={}):
            lines = "\n".join(json.dumps(row) for row in rows)
            return self.request("POST", "/v1/records/" + dataset, lines, headers, expect=201)

        def metric(self, name):
            found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", self.request("GET", "/metrics"), re.M)
            assert found, name
            return float(found.group(1))

        def subscribers(self):
            return self.metric("cordwood_live_subscribers")

        def memory(self):
            """Resident bytes."""
            with open(f"/proc/{self.process.pid}/status") as status:
                return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) * 1024

        def descriptors(self):
            return len(os.listdir(f"/proc/{self.process.pid}/fd"))


    def seal(user, query, status, timestamp, secret=SECRET):
        time = timestamp.replace("Z", "+00:00")
        text = f"{user}|{query}|{status}|{time}"
        return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


    def jwt(tenant, **claims):
        def b64(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")
        body = {"sub": "01", "tenant": tenant, "aud": "logserver", "iss": "issuer", "role": "admin"}
        body.update(claims)
        text = b64(b'{"alg":"HS256","typ":"JWT"}') + b"." + b64(json.dumps(body).encode())
        key = hashlib.md5((tenant + "secret").encode()).hexdigest().encode()
        return (text + b"." + b64(hmac.new(key, text, hashlib.sha256).digest())).decode()


    class Closed(Exception):
        pass


    class Socket:
        """A WebSocket client that can also do what none should."""

        def __init__(
            self, port, path, headers={}, behind=b"", expect=101, receive_bytes=None, timeout=20
        ):
            self.socket = socket.socket()
            if receive_bytes:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            self.socket.settimeout(timeout)
            self.socket.connect(("127.0.0.1", port))
            key = base64.b64encode(os.urandom(16)).decode()
            fields = {
                "Host": f"127.0.0.1:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
                "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", **headers}
            head = f"GET {path} HTTP/1.1\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
            self.socket.sendall(head.encode() + b"\r\n" + behind)
            self.held = b""
            while b"\r\n\r\n" not in self.held:
                self.more()
            head, self.held = self.held.split(b"\r\n\r\n", 1)
            self.head = head.decode()
            self.status = int(self.head.split()[1])
            assert self.status == expect, self.head
            if self.status == 101:
                digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
                assert base64.b64encode(digest).decode() in self.head, self.head

        def more(self):
            data = self.socket.recv(1 << 16)
            if not data:
                raise Closed("no more bytes")
            self.held += data

        def take(self, count):
            while len(self.held) < count:
                self.more()
            data, self.held = self.held[:count], self.held[count:]
            return data

        def frame(self):
            """Opcode and payload of the next frame."""
            first, second = self.take(2)
            assert not second & 0x80 and first & 0xF0 == 0x80, "frames of servers are whole and not masked"
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", self.take(2))[0]
                assert size > 125
            elif size == 127:
                size = struct.unpack(">Q", self.take(8))[0]
                assert size > 65535
            return first & 15, self.take(size)

        def next(self, heartbeats=False):
            """The next message; pings are answered."""
            while True:
                opcode, payload = self.frame()
                if opcode == 9:
                    self.send(10, payload)
                elif opcode == 8:
                    code = struct.unpack(">H", payload[:2])[0] if payload else 1005
                    raise Closed(code, payload[2:].decode())
                elif opcode == 1:
                    text = payload.decode()
                    value = json.loads(text) if text[:1] in "{[" else text
                    if heartbeats or not isinstance(value, dict) or value.get("type") != "heartbeat":
                        return value

        def send(self, opcode, payload=b"", first=0x80, mask=True):
            size = len(payload)
            head = bytes([first | opcode])
            bit = 0x80 if mask else 0
            if size < 126:
                head += bytes([bit | size])
            elif size < 65536:
                head += bytes([bit | 126]) + struct.pack(">H", size)
            else:
                head += bytes([bit | 127]) + struct.pack(">Q", size)
            if mask:
                key = os.urandom(4)
                whole = int.from_bytes(key * (size // 4 + 1), "big") if size else 0
                pad = (size // 4 + 1) * 4 - size
                number = int.from_bytes(payload + bytes(pad), "big") ^ whole
                payload = key + number.to_bytes(size + pad, "big")[:size]
            self.socket.sendall(head + payload)

        def closing(self):
            """The code and the reason the server closes with; then the connection must end."""
            try:
                while True:
                    self.next()
            except Closed as closed:
                code = closed.args
            assert len(code) == 2, code
            return code

        def gone(self):
            """Waits until the server has ended the connection."""
            try:
                while self.socket.recv(1 << 16):
                    pass
            except ConnectionResetError:
                pass
            self.socket.close()

        def close(self):
            self.socket.close()


    class Events:
        """A client of Server-Sent Events that checks how they are framed."""

        def __init__(self, port, path, last=None, headers={}, version="1.1", expect=200, timeout=20):
            self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
            fields = {"Host": "localhost", "Accept": "text/event-stream", **headers}
            if last is not None:
                fields["Last-Event-ID"] = last
            head = f"GET {path} HTTP/{version}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items())
            self.socket.sendall(head.encode() + b"\r\n")
            self.file = self.socket.makefile("rb")
            self.status = int(self.file.readline().split()[1])
            self.fields = http.client.parse_headers(self.file)
            self.chunked = self.fields.get("Transfer-Encoding") == "chunked"
            assert self.status == expect, (self.status, self.file.read())
            self.text, self.id, self.ended, self.comments = b"", last, False, 0

        def piece(self):
            if not self.chunked:
                data = self.file.read1(1 << 16)
                self.ended = not data
                return data
            line = self.file.readline()
            if not line:
                raise Closed("cut off")
            assert re.fullmatch(rb"[0-9a-fA-F]+\r\n", line), line
            size = int(line, 16)
            data = self.file.read(size)
            end = self.file.read(2)
            if len(data) < size or end != b"\r\n":
                raise Closed("cut off")
            self.ended = size == 0
            return data

        def more(self):
            if self.ended:
                raise Closed("ended")
            self.text += self.piece()

        def next(self):
            """The next event: its type and its data."""
            while True:
                while b"\n\n" not in self.text:
                    self.more()
                block, self.text = self.text.split(b"\n\n", 1)
                kind, data, id = "message", None, None
                for line in block.decode().split("\n"):
                    name, _, value = line.partition(": ")
                    if line.startswith(":"):
                        self.comments += 1
                    elif name == "event":
                        kind = value
                    elif name == "data":
                        data = value
                    elif name == "id":
                        id = value
                    else:
                        raise AssertionError(line)
                self.id = id or self.id
                if data is not None:
                    return kind, json.loads(data)

        def record(self):
            while True:
                kind, data = self.next()
                if kind == "message":
                    return data
                assert kind == "heartbeat", (kind, data)

        def close(self):
            self.file.close()
            self.socket.close()


    def files(server, suffix):
        found = [os.path.join(folder, name) for folder, _, names in os.walk(server.data) for name in names]
        return sorted(name for name in found if name.endswith(suffix))


    def flip(path, text):
        """Changes one bit of each copy of a text in a file, in place; how many there are."""
        with open(path, "r+b") as file:
            data = file.read()
            places = [match.start() for match in re.finditer(re.escape(text.encode()), data)]
            for place in places:
                file.seek(place)
                file.write(bytes([data[place] ^ 1]))
        return len(places)


    def damaged(server, record):
        """The damage is told, and nothing of the server's inside."""
        status, text, _ = server.ask("GET", "/api/v1/verify/" + record["id"])
        if status == 200:
            error = "Hash verification failed - log may have been tampered with"
            assert json.loads(text) == {"log_id": record["id"], "verification": {
                "valid": False, "verification_token": None, "error": error}}, text
        else:
            assert status == 500, (status, text)
            for word in [b".seg", b".parquet", b"/", b"offset", record["id"].encode(), b"alice"]:
                assert word not in text, text


    def free_port():
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            return found.getsockname()[1]


    class Tail:
        """A run of `cordwood tail`; what it prints is gathered line by line."""

        def __init__(self, server, *arguments, key=None):
            environment = {**os.environ, **({"CORDWOOD_KEY": key} if key else {})}
            command = [BINARY, "tail", "--url", f"http://127.0.0.1:{server.port}", *arguments]
            self.lines, self.errors = [], []
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
                preexec_fn=lambda: __import__("ctypes").CDLL(None).prctl(1, 9))
            for stream, lines in [(self.process.stdout, self.lines), (self.process.stderr, self.errors)]:
                threading.Thread(target=lines.extend, args=(stream,), daemon=True).start()

        def first(self, count):
            until(lambda: len(self.lines) >= count, lambda: (count, self.lines, self.errors))
            return [line.rstrip("\n") for line in self.lines]

        def messages(self, count):
            return [json.loads(line)["message"] for line in self.first(count)]

        def end(self):
            self.process.kill()
            self.process.wait()


    """#
}
