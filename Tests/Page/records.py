"""The records that the tests look at: always the same, over the two hours before NOW."""

import json
import random
import time

# What the browser's clock says, and the day of the records.
NOW = "2026-11-19T12:00:00Z"
NOW_SECONDS = 1795089600
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
# More records of one instant than a page of rows has.
EQUAL_COUNT = 3000
EQUAL_TIME = "2026-11-19T11:15:00.123456789Z"
BIG = "9007199254740993"

SERVICES = ["api-gateway", "cart", "catalog", "checkout", "inventory", "payments", "search", "shipping"]
LEVELS = ["DEBUG", "INFO", "INFO", "INFO", "INFO", "INFO", "INFO", "WARN", "ERROR"]
MESSAGES = {
    "DEBUG": "entering handler GET /api/v1/orders/{n} with context user={n}",
    "INFO": "request completed method=GET path=/api/v1/orders/{n} status=200 bytes={n}",
    "WARN": "slow query on table orders: {n} ms (threshold 500 ms), connection=pg-pool-2",
    "ERROR": "payment of order {n} declined: acquirer timed out after {n} ms",
}
SPANS = [
    (0, "api-gateway", "INFO", "POST /checkout", 812),
    (4, "checkout", "INFO", "order 4711 taken", 790),
    (31, "inventory", "INFO", "3 items reserved", 58),
    (125, "payments", "WARN", "acquirer slow, trying again", 0),
    (125, "payments", "ERROR", "acquirer timed out after 500 ms", 500),
    (640, "payments", "INFO", "payment taken by the second acquirer", 121),
    (790, "shipping", "INFO", "shipment 88 planned", 12),
    (810, "api-gateway", "INFO", "answered 201", 0),
]


def stamp(nanoseconds):
    """RFC 3339 of nanoseconds since NOW."""
    seconds, rest = divmod(NOW_SECONDS * 10**9 + nanoseconds, 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"


def logs(count=2400):
    """`count` records over two hours, then one trace, and numbers."""
    chance = random.Random(17)
    for index in range(count):
        level = chance.choice(LEVELS)
        service = chance.choices(SERVICES, [1 / (rank + 1) for rank in range(len(SERVICES))])[0]
        if service == "payments" and chance.random() < 0.3:
            level = "ERROR"
        at = -7200 * 10**9 + index * 7200 * 10**9 // count + chance.randrange(10**9)
        yield {
            "timestamp": stamp(at),
            "level": level,
            "service": service,
            "env": "prod",
            "host": f"ip-10-0-0-{chance.randrange(12)}",
            "message": MESSAGES[level].format(n=chance.randrange(100000)),
            "metadata": {
                "duration_ms": round(chance.expovariate(1 / 80), 1),
                "status": 200,
                "region": chance.choice(["eu-west-1", "eu-central-1"]),
            },
        }
    for offset, service, level, message, took in SPANS:
        yield {
            "timestamp": stamp((-1500_000 + offset) * 10**6),
            "level": level,
            "service": service,
            "env": "prod",
            "host": "ip-10-0-0-1",
            "message": message,
            "trace_id": TRACE,
            "metadata": {"duration_ms": took} if took else {},
        }
    yield {
        "timestamp": stamp(-(10**9)),
        "level": "INFO",
        "service": "numbers",
        "message": "numbers as they were sent",
        "metadata": json.loads(
            '{"big":%s,"float":1.0,"small":1e-7}' % BIG, parse_float=Literal, parse_int=Literal
        ),
    }


def equal(count=EQUAL_COUNT):
    """Records of one instant, which only their positions tell apart."""
    for index in range(count):
        yield {"timestamp": EQUAL_TIME, "level": "INFO", "service": "equal", "message": f"equal {index}"}


class Literal(str):
    """A number that is written as it was read."""


def workflows(count=160):
    chance = random.Random(3)
    for index in range(count):
        category = chance.choices(["refund", "invoice", "onboarding", "export"], [6, 4, 2, 1])[0]
        failed = chance.random() < (0.25 if category == "refund" else 0.06)
        yield {
            "timestamp": stamp(-(index + 1) * 3500 * 10**9),
            "environment": "production",
            "workflow_version": "2.4.1",
            "ticket_id": f"T-{1000 + index // 3}",
            "category": category,
            "resolution_status": "manual" if failed else "automatic",
            "status": "FAILED" if failed else "SUCCESS",
            "execution_time_seconds": round(chance.expovariate(1 / 9), 2),
            "payload": {"customer": f"c-{chance.randrange(30)}"},
        }


def audit(count=240):
    chance = random.Random(5)
    for index in range(count):
        severity = chance.choices(["INFO", "WARNING", "ERROR", "CRITICAL"], [20, 6, 3, 1])[0]
        yield {
            "timestamp": stamp(-(index + 1) * 9000 * 10**9),
            "severity": severity,
            "user_id": f"u-{chance.randrange(9)}",
            "action": chance.choice(["login", "update", "delete"]),
            "resource_type": "order",
            "resource_id": str(chance.randrange(500)),
            "ip_address": "192.0.2.7",
        }


def text(records):
    """NDJSON, with numbers as they are written above."""
    return "\n".join(encode(record) for record in records).encode()


def encode(value):
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{encode(of)}" for name, of in value.items()) + "}"
    return json.dumps(value)
