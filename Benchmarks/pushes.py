"""The part pushes of bench.py: the same records by the ways in of other programs' shippers."""
import json, multiprocessing, os, re, shutil, socket, statistics, struct, time, datetime

EACH = 1_000  # Records a request.
CONNECTIONS = 3


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value): return bytes([number << 3 | 2]) + varint(len(value)) + value


def snappy(body):
    """A block of literals alone: what the server pays is the copy."""
    out = bytearray(varint(len(body)))
    for start in range(0, len(body), 1 << 16):
        piece = body[start:start + (1 << 16)]
        out += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
    return bytes(out)


def nanoseconds(record):
    whole = datetime.datetime.fromisoformat(record["timestamp"][:19] + "+00:00")
    return int(whole.timestamp()) * 10**9 + int(record["timestamp"][20:29])


def written(value): return json.dumps(value, separators=(",", ":"))


def native(records): return b"".join(written(r).encode() + b"\n" for r in records)


def bulk(records):
    lines = []
    for r in records:
        r = dict(r)
        r["@timestamp"] = r.pop("timestamp")
        lines.append('{"create":{"_index":"logs-shop-default"}}\n' + written(r) + "\n")
    return "".join(lines).encode()


def pair(name, value): return field(1, name.encode()) + field(2, value)


def streams(records):
    """As shippers group them: a stream for each service and level."""
    groups = {}
    for r in records: groups.setdefault((r["service"], r["env"], r["level"]), []).append(r)
    return groups


PAIRS = ("trace_id", "host", "user_id", "duration_ms", "status")


def metadata(r): return [(name, str(r[name])) for name in PAIRS]


def loki_json(records):
    return written({"streams": [
        {"stream": {"service_name": service, "env": env, "level": level},
         "values": [[str(nanoseconds(r)), r["message"], dict(metadata(r))] for r in group]}
        for (service, env, level), group in streams(records).items()]}).encode()


def loki_protobuf(records):
    out = bytearray()
    for (service, env, level), group in streams(records).items():
        stream = bytearray(field(1, f'{{service_name="{service}", env="{env}", level="{level}"}}'.encode()))
        for r in group:
            seconds, nanos = divmod(nanoseconds(r), 10**9)
            entry = field(1, b"\x08" + varint(seconds) + b"\x10" + varint(nanos))
            entry += field(2, r["message"].encode())
            for name, value in metadata(r): entry += field(3, pair(name, value.encode()))
            stream += field(2, entry)
        out += field(1, bytes(stream))
    return snappy(bytes(out))


SEVERITY = {"DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17}


def by_service(records):
    groups = {}
    for r in records: groups.setdefault((r["service"], r["env"]), []).append(r)
    return groups


def text(value): return field(1, value.encode())


def otlp_protobuf(records):
    out = bytearray()
    for (service, env), group in by_service(records).items():
        resource = field(1, pair("service.name", text(service)))
        resource += field(1, pair("deployment.environment.name", text(env)))
        scope = bytearray(field(1, field(1, b"bench")))
        for r in group:
            record = b"\x09" + struct.pack("<Q", nanoseconds(r)) + bytes([0x10, SEVERITY.get(r["level"], 9)])
            record += field(3, r["level"].encode()) + field(5, text(r["message"]))
            record += field(6, pair("host", text(r["host"]))) + field(6, pair("user_id", text(r["user_id"])))
            record += field(6, pair("duration_ms", b"\x21" + struct.pack("<d", r["duration_ms"])))
            record += field(6, pair("status", b"\x18" + varint(r["status"])))
            scope += field(2, record + field(9, bytes.fromhex(r["trace_id"])))
        out += field(1, field(1, resource) + field(2, bytes(scope)))
    return bytes(out)


def otlp_json(records):
    def text(name, value): return {"key": name, "value": {"stringValue": value}}

    def record(r):
        return {
            "timeUnixNano": str(nanoseconds(r)), "severityNumber": SEVERITY.get(r["level"], 9),
            "severityText": r["level"], "body": {"stringValue": r["message"]}, "traceId": r["trace_id"],
            "attributes": [
                text("host", r["host"]), text("user_id", r["user_id"]),
                {"key": "duration_ms", "value": {"doubleValue": r["duration_ms"]}},
                {"key": "status", "value": {"intValue": str(r["status"])}}]}

    return written({"resourceLogs": [
        {"resource": {"attributes": [
            text("service.name", service), text("deployment.environment.name", env)]},
         "scopeLogs": [{"scope": {"name": "bench"}, "logRecords": [record(r) for r in group]}]}
        for (service, env), group in by_service(records).items()]}).encode()


def syslog(records):
    """RFC 5424, a line each, the rest of the record as structured data."""
    lines = []
    for r in records:
        priority = 8 + {"ERROR": 3, "WARN": 4, "DEBUG": 7}.get(r["level"], 6)
        names = ("env", "trace_id", "user_id", "duration_ms", "status")
        data = "".join(f' {name}="{r[name]}"' for name in names)
        lines.append(
            f'<{priority}>1 {r["timestamp"]} {r["host"]} {r["service"]} - - [bench@1{data}] {r["message"]}\n')
    return "".join(lines).encode()


# Name, path (none: bytes on a connection, without requests), content type, body, mark in CPU µs a record.
WAYS = [
    ("native JSON", "/v1/records/logs", "application/x-ndjson", native, "–"),
    ("Loki protobuf", "/loki/api/v1/push", "application/x-protobuf", loki_protobuf, "4"),
    ("Loki JSON", "/loki/api/v1/push", "application/json", loki_json, "–"),
    ("OTLP protobuf", "/v1/logs", "application/x-protobuf", otlp_protobuf, "4"),
    ("OTLP JSON", "/v1/logs", "application/json", otlp_json, "5"),
    ("_bulk", "/_bulk", "application/x-ndjson", bulk, "5"),
    ("syslog TCP", None, "", syslog, "4"),
]


def send(port, path, requests, statuses):
    connection = socket.create_connection(("127.0.0.1", port))
    buffer = bytearray(1 << 20)
    for request in requests:
        connection.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got: got += connection.recv(1 << 16)
        head, rest = got.split(b"\r\n\r\n", 1)
        left = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"): left = int(line.split(b":")[1]) - len(rest)
        while left > 0: left -= connection.recv_into(buffer, min(left, len(buffer)))
        statuses.put(int(head[9:12]))


def send_lines(port, bodies, statuses):
    connection = socket.create_connection(("127.0.0.1", port))
    for body in bodies: connection.sendall(body)
    connection.shutdown(socket.SHUT_WR)
    # The server closes once all is stored.
    done = connection.recv(1) == b""
    for _ in bodies: statuses.put(200 if done else 0)


def syslog_port(lib, store):
    with open(store + ".log") as log:
        return int(re.findall(r"on tcp://127\.0\.0\.1:(\d+)", log.read())[-1])


def bench(lib, work, data, rows, runs):
    config = os.path.join(work, "syslog.yaml")
    with open(config, "w") as file: file.write("listen: {syslog: ['tcp://127.0.0.1:0']}\n")
    rows = min(rows, 1_000_000)
    records = []
    with open(data) as file:
        for line in file:
            records.append(json.loads(line))
            if len(records) == rows: break
    lib.say(
        f"\n### Ways in of other programs: {rows:,} records, {EACH:,} a request, {CONNECTIONS} connections, "
        "synced, archiving included, masking off\n")
    lib.row("way", "CPU µs a record", "mark", "records/s acknowledged", "peak memory MiB", "failures")
    lib.row(*["---"] * 6)
    for name, path, kind, make, mark in WAYS:
        bodies = [make(records[start:start + EACH]) for start in range(0, rows, EACH)]
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: "
        requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies] if path else bodies
        del bodies
        spent, rates, peak, failures = [], [], 0, 0
        for run in range(runs):
            store = lib.fresh(work, "pushes")
            server = lib.Server(store, config)
            before, started = server.cpu(), time.monotonic()
            statuses = multiprocessing.Queue()
            shares = [requests[i::CONNECTIONS] for i in range(CONNECTIONS)]
            senders = [
                multiprocessing.Process(target=send, args=(server.port, path, share, statuses)) if path
                else multiprocessing.Process(
                    target=send_lines, args=(syslog_port(lib, store), share, statuses))
                for share in shares]
            for sender in senders: sender.start()
            failures += sum(not 200 <= statuses.get() < 300 for _ in requests)
            for sender in senders: sender.join()
            rates.append(rows / (time.monotonic() - started))
            server.archive()
            spent.append((server.cpu() - before) / rows * 1e6)
            peak = max(peak, server.peak)
            server.stop()
            shutil.rmtree(store)
        cpu = f"{statistics.median(spent):.2f} ({min(spent):.2f}–{max(spent):.2f})"
        rate = f"{statistics.median(rates):,.0f}"
        lib.row(name, cpu, mark, rate, f"{peak / 2**20:.0f}", failures or "none")
