"""The part days of bench.py: ten days, each of so many rows, into one store; what grows, what must not."""
import http.client, os, shutil, statistics, subprocess, sys, time

DAYS = 10
INGEST = [
    "day", "rows/s acknowledged", "rows/s incl. archiving", "CPU µs a row incl. archiving", "p99 ms",
    "peak memory MiB", "with mapped pages", "blocks", "bytes a row", "bytes written a byte archived",
    "failures"]
QUERIES = [
    "query", "p50 ms", "p50 ms of all", "times", "p95 ms of all", "CPU ms", "CPU ms of all", "times",
    "must not grow"]


def begin_day(bench, work, rows, day):
    """The file of the day's rows, and the process that writes it; rows of other days have other ids."""
    path = os.path.join(work, f"day-{day}.jsonl")
    command = [
        sys.executable, bench.generator(), str(rows), path,
        "--seed", str(42 + day), "--day", f"2026-11-{19 + day:02d}"]
    return path, subprocess.Popen(command, stdout=subprocess.DEVNULL)


def metric(server, name):
    for line in server.request("GET", "/metrics").decode().splitlines():
        if line.startswith(name + " "): return float(line.split()[-1])
    raise RuntimeError(name)


def ingest_day(bench, server, path, data, rows, day):
    before, started = server.cpu(), time.monotonic()
    server.peak = server.peak_mapped = 0
    result = bench.load(server, data, 4, 1000)
    acknowledged = time.monotonic() - started
    server.archive()
    seconds = time.monotonic() - started
    cpu = (server.cpu() - before) / rows * 1e6
    archived = metric(server, "cordwood_archive_bytes_total")
    amplified = (archived + metric(server, "cordwood_compaction_bytes_total")) / archived
    blocks = sum(name.endswith(".parquet") for _, _, names in os.walk(path) for name in names)
    bench.row(
        day + 1, f"{rows / acknowledged:,.0f}", f"{rows / seconds:,.0f}", f"{cpu:.2f}",
        f"{result['p99_ms']:.1f}", f"{server.peak / 2**20:.0f}", f"{server.peak_mapped / 2**20:.0f}", blocks,
        f"{bench.tree_bytes(path, '.parquet') / rows / (day + 1):.1f}", f"{amplified:.2f}",
        result["failures"] or "none")


def ingest(bench, work, rows):
    """Both stores, of one day and of all, and a trace of each day."""
    small, big = bench.fresh(work, "day-1"), bench.fresh(work, "days")
    bench.say(f"\n### Growth: {DAYS} days of {rows:,} rows; 4 connections, 1,000 rows a request, synced\n")
    bench.row(*INGEST)
    bench.row(*["---"] * len(INGEST))
    server, traces, made = bench.Server(big), [], []
    for day in range(DAYS):
        # Two at a time, while nothing is measured.
        if not made:
            made = [begin_day(bench, work, rows, next) for next in (day, day + 1)]
            for _, process in made: process.wait()
        data, process = made.pop(0)
        if process.returncode != 0: raise RuntimeError(f"no rows for day {day}")
        traces.append(bench.needle_trace(data, rows))
        ingest_day(bench, server, big, data, rows, day)
        os.remove(data)
        if day == 0:
            server.stop()
            shutil.copytree(big, small)
            server = bench.Server(big)
    server.stop()
    return small, big, traces


def ask(bench, rows, runs, small, big, traces):
    stores = [(bench.Server(small), traces[0]), (bench.Server(big), traces[DAYS // 2])]
    bench.say(f"\n### Queries over {rows:,} and {rows * DAYS:,} archived rows, warm, {runs} runs\n")
    bench.say(f"What must not grow may by {bench.GROWTH_MARK} times; there are ten times the rare rows.\n")
    bench.row(*QUERIES)
    bench.row(*["---"] * len(QUERIES))
    for name, query, _ in bench.QUERIES:
        # A connection that waits for the other store's answers would be closed.
        (_, few, cpu), (_, many, cpu_many) = [
            bench.ask(
                server, query, trace, runs,
                http.client.HTTPConnection("127.0.0.1", server.port, timeout=600))
            for server, trace in stores]
        p50, p50_many = statistics.median(few), statistics.median(many)
        bench.row(
            name, f"{p50:.1f}", f"{p50_many:.1f}", f"{p50_many / p50:.2f}",
            f"{many[int(len(many) * 0.95)]:.1f}", f"{cpu:.1f}", f"{cpu_many:.1f}",
            f"{cpu_many / max(cpu, 0.01):.2f}", "yes" if name in bench.GROWTH else "")
    server = stores[1][0]
    bench.say(
        f"\npeak memory while querying all: {server.peak / 2**20:.0f} MiB, with mapped pages "
        f"{server.peak_mapped / 2**20:.0f}")
    for server, _ in stores: server.stop()
    started = time.monotonic()
    server = bench.Server(big)
    bench.first_answer(server)
    bench.say(
        f"\nfirst answer {time.monotonic() - started:.2f} s after a start over all; idle memory "
        f"{server.memory() / 2**20:.0f} MiB")
    server.stop()


def bench(bench, work, rows, runs):
    small, big, traces = ingest(bench, work, rows)
    ask(bench, rows, runs * 5, small, big, traces)
    for path in (small, big): shutil.rmtree(path)
