#!/usr/bin/env python3
"""Whether other programs read a folder of blocks as Docs/formats/block.md says they do.

    python3 scripts/readers EXPECTED FOLDER… [--spark]

EXPECTED has the records as the server gives them in NDJSON (`id`, `position`, `timestamp`, `message`,
`metadata`), all that the blocks under the folders have. Each program reads each file by itself, without an
option, and the objects are put together from their columns; then all files at once, the way it reads files
of which each may have other columns. Prints a line a program; exit status 1 if one of them errs.
"""

import calendar
import datetime
import json
import pathlib
import sys
import tempfile

MICRO = datetime.timedelta(microseconds=1)
EPOCH = datetime.datetime(1970, 1, 1)
TYPES = (":int64", ":float64", ":bool")


def nanoseconds(text):
    """Of a time as the server writes it."""
    whole, _, rest = text.rstrip("Z").partition(".")
    seconds = calendar.timegm(datetime.datetime.fromisoformat(whole).timetuple())
    return seconds * 1_000_000_000 + int((rest + "0" * 9)[:9] if rest else 0)


def microseconds(value):
    """Of a time as a program gives it: with or without a zone, which is UTC."""
    value = value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    return (value.replace(tzinfo=None) - EPOCH) // MICRO


def member(name):
    """The name of the member that a column was made of."""
    for ending in TYPES:
        name = name.removesuffix(ending)
    name = name.partition("^")[0]
    if name == "%":
        return ""
    raw, pieces = name.encode(), []
    while raw:
        if raw[:1] == b"%":
            pieces.append(bytes.fromhex(raw[1:3].decode()))
            raw = raw[3:]
        else:
            pieces.append(raw[:1])
            raw = raw[1:]
    return b"".join(pieces).decode()


def missing(value):
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def typed(value):
    """The value, whole numbers told from others."""
    if isinstance(value, dict):
        return {name: typed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [typed(one) for one in value]
    return (type(value).__name__, value)


def record(row):
    """A record, of a row of a block."""
    rest = row["metadata"]
    metadata = None if missing(rest) else json.loads(rest)
    for name, value in row.items():
        if name.startswith("metadata.") and not missing(value):
            metadata[member(name[len("metadata.") :])] = value.item() if hasattr(value, "item") else value
    return {
        "id": row["id"],
        "position": int(row["position"]),
        "timestamp": microseconds(row["timestamp"]) * 1000 + int(row["timestamp_nanos"]),
        "ingested_at": microseconds(row["ingested_at"]) * 1000,
        "message": row["message"],
        "metadata": typed(metadata),
    }


def frame(table):
    return table.to_dict("records")


class PyArrow:
    def __init__(self):
        import pyarrow
        import pyarrow.dataset
        import pyarrow.parquet

        self.arrow, self.parquet, self.dataset = pyarrow, pyarrow.parquet, pyarrow.dataset

    def file(self, path):
        return self.parquet.read_table(path, page_checksum_verification=True).to_pylist()

    def folder(self, paths):
        self.dataset.dataset(paths).to_table()
        schema = self.arrow.unify_schemas([self.parquet.read_schema(path) for path in paths])
        return self.dataset.dataset(paths, schema=schema).to_table().to_pylist()


class Pandas:
    def __init__(self):
        import pandas

        self.pandas = pandas

    def file(self, path):
        # Without an option it reads, but makes float64 of whole numbers that some rows lack.
        self.pandas.read_parquet(path)
        return frame(self.pandas.read_parquet(path, dtype_backend="pyarrow"))

    def folder(self, paths):
        self.pandas.read_parquet(paths)
        tables = [self.pandas.read_parquet(path, dtype_backend="pyarrow").astype(object) for path in paths]
        return frame(self.pandas.concat(tables))


class Polars:
    def __init__(self):
        import polars

        self.polars = polars

    def file(self, path):
        return self.polars.read_parquet(path).to_dicts()

    def folder(self, paths):
        tables = [self.polars.read_parquet(path) for path in paths]
        return self.polars.concat(tables, how="diagonal").to_dicts()


class FastParquet:
    def __init__(self):
        import fastparquet

        self.read = lambda path: fastparquet.ParquetFile(path).to_pandas()

    def file(self, path):
        return frame(self.read(path))

    def folder(self, paths):
        # It takes several files at once only if all have the same columns.
        return [row for path in paths for row in self.file(path)]


class DuckDB:
    def __init__(self):
        import duckdb

        self.duckdb = duckdb

    def rows(self, sql, paths):
        found = self.duckdb.execute(sql, [paths])
        names = [column[0] for column in found.description]
        return [dict(zip(names, row)) for row in found.fetchall()]

    def file(self, path):
        return self.rows("SELECT * FROM read_parquet($1)", [path])

    def folder(self, paths):
        return self.rows("SELECT * FROM read_parquet($1, union_by_name = true)", paths)


class Iceberg:
    def __init__(self):
        import pyarrow.parquet
        from pyiceberg.catalog.sql import SqlCatalog

        self.schema = pyarrow.parquet.read_schema
        self.home = tempfile.TemporaryDirectory()
        self.catalog = SqlCatalog(
            "readers", uri=f"sqlite:///{self.home.name}/catalog.db", warehouse=f"file://{self.home.name}"
        )
        self.catalog.create_namespace("readers")
        self.count = 0

    def file(self, path):
        return self.folder([path])

    def folder(self, paths):
        self.count += 1
        table = self.catalog.create_table(f"readers.t{self.count}", schema=self.schema(paths[0]))
        for path in paths[1:]:
            with table.update_schema() as update:
                update.union_by_name(self.schema(path))
        table.add_files(paths)
        return table.scan().to_arrow().to_pylist()


class Spark:
    def __init__(self):
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
        self.session = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")

    def rows(self, reader, paths):
        return [row.asDict() for row in reader.parquet(*paths).collect()]

    def file(self, path):
        return self.rows(self.session.read, [path])

    def folder(self, paths):
        self.rows(self.session.read, paths)
        return self.rows(self.session.read.option("mergeSchema", "true"), paths)


def differences(rows, wanted):
    """What a program gives otherwise than the server, in words; at most three."""
    found = {}
    for row in rows:
        try:
            one = record(row)
        except Exception as error:  # noqa: BLE001  whatever a program makes of the row is told
            return [f"{type(error).__name__}: {error} in {str(row)[:300]}"]
        found[one["position"]] = one
    said = [f"{len(rows)} rows for {len(wanted)}"] if len(rows) != len(wanted) else []
    said += [
        f"position {position}: {found.get(position)} for {one}"
        for position, one in wanted.items()
        if found.get(position) != one
    ]
    return said[:3]


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--spark"]
    wanted = {}
    for line in pathlib.Path(arguments[0]).read_text(encoding="utf-8").split("\n"):
        if not line:
            continue
        one = json.loads(line)
        wanted[one["position"]] = {
            "id": one["id"],
            "position": one["position"],
            "timestamp": nanoseconds(one["timestamp"]),
            "ingested_at": nanoseconds(one["ingested_at"]),
            "message": one["message"],
            "metadata": typed(one["metadata"]),
        }
    paths = sorted(str(path) for folder in arguments[1:] for path in pathlib.Path(folder).rglob("*.parquet"))
    readers = [PyArrow, Pandas, Polars, FastParquet, DuckDB, Iceberg]
    if "--spark" in sys.argv:
        readers.append(Spark)
    failed = False
    for kind in readers:
        try:
            reader = kind()
            alone = differences([row for path in paths for row in reader.file(path)], wanted)
            said = alone + differences(reader.folder(paths), wanted)
        except Exception as error:  # noqa: BLE001  the sentence of the program itself
            said = [f"{type(error).__name__}: {error}"]
        failed = failed or bool(said)
        what = "; ".join(said) or "as the server has them"
        print(f"{kind.__name__}: {len(paths)} files, {len(wanted)} records {what}")
    sys.exit(1 if failed else 0)


main()
