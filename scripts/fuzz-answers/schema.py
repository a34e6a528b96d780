"""The datasets as Docs/query.md and Docs/api.md have them."""

import re

TEXT, OBJECT, TIME, NUMBER, INTEGER, ID = "text", "object", "time", "number", "integer", "id"
_COMMON = {"position": INTEGER, "id": ID, "timestamp": TIME, "ingested_at": TIME}


class Dataset:
    """Columns with their types; which a record must have; where other members go; what records are ordered by
    before their position.
    """

    def __init__(self, name, columns, required, overflow=None, key=("timestamp",)):
        self.name, self.required, self.overflow, self.key = name, required, overflow, key
        self.own = columns
        self.columns = {**_COMMON, **columns}
        self.texts = [column for column, kind in columns.items() if kind == TEXT]
        self.objects = [column for column, kind in columns.items() if kind == OBJECT]


DATASETS = {
    dataset.name: dataset
    for dataset in [
        Dataset(
            "logs",
            {
                "level": TEXT,
                "message": TEXT,
                "service": TEXT,
                "env": TEXT,
                "trace_id": TEXT,
                "span_id": TEXT,
                "labels": OBJECT,
                "metadata": OBJECT,
            },
            ["message"],
            "metadata",
        ),
        Dataset(
            "audit",
            {
                "user_id": TEXT,
                "action": TEXT,
                "resource_type": TEXT,
                "resource_id": TEXT,
                "ip_address": TEXT,
                "user_agent": TEXT,
                "severity": TEXT,
                "before": OBJECT,
                "after": OBJECT,
                "metadata": OBJECT,
            },
            ["user_id", "action"],
            "metadata",
        ),
        Dataset(
            "workflows",
            {
                "environment": TEXT,
                "workflow_version": TEXT,
                "ticket_id": TEXT,
                "category": TEXT,
                "resolution_status": TEXT,
                "status": TEXT,
                "execution_time_seconds": NUMBER,
                "metrics": OBJECT,
                "payload": OBJECT,
            },
            [],
            "payload",
        ),
        Dataset(
            "sessions",
            {"container": TEXT, "session": TEXT, "level": TEXT, "message": TEXT},
            ["container", "session"],
            key=("container", "session"),
        ),
        Dataset(
            "queries", {"user_id": TEXT, "query": TEXT, "status": TEXT, "hash": TEXT}, ["user_id", "query"]
        ),
    ]
}


def path_text(path):
    """`metadata.user.name`, `metadata["a.b"]`: as answers name it."""
    text = path[0]
    for name in path[1:]:
        if name == "" or re.search(r'[.\[\]"]', name):
            text += '["' + re.sub(r'(["\\])', r"\\\1", name) + '"]'
        else:
            text += "." + name
    return text
