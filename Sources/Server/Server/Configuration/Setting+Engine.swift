extension Setting {
  static let storage: [Setting] = [
    Setting(
      "storage.durability", .choice(["fsync", "os", "none"]), default: "fsync",
      "What an acknowledged write survives: power loss (`fsync`), a crash of the program (`os`), nothing (`none`)."
    ),
    Setting(
      "storage.write_reserve_bytes", .integer(0...Int.max), default: "1073741824", unit: "bytes",
      "Room kept free on the disk so that archiving and deletion can run. Below it writes get 507."),
    Setting(
      "storage.open_blocks_bytes_max", .integer((1 << 20)...Int.max), default: "268435456", unit: "bytes",
      """
      Memory of the blocks that are kept open between queries. Beyond: those not used for longest are closed.
      """),
    Setting(
      "storage.page_cache_ratio", .number(0...1), default: "0.25",
      """
      The part of `memory.bytes_max` that decoded pages of blocks may take, kept for the next query. What \
      requests need of it they get. 0: none are kept.
      """),
    Setting(
      "journal.segment_bytes", .integer((1 << 20)...(1 << 31)), default: "67108864", unit: "bytes",
      "Size of a journal segment, allocated at once."),
    Setting(
      "journal.head_bytes_max", .integer((1 << 20)...Int.max), default: "2147483648", unit: "bytes",
      """
      The most the journal may hold that is in no block yet. From half of it on writers are slowed to the speed of \
      archiving; beyond it: 503.
      """),
    Setting(
      "archive.max_age_seconds", .integer(1...86_400), default: "60", unit: "seconds",
      """
      A record is in a block at the latest so long after it was written; heads under 1 MiB that are only old \
      take turns, 60 a minute.
      """),
    Setting(
      "archive.bytes_max", .integer((1 << 20)...Int.max), default: "402653184", unit: "bytes",
      "A dataset's head is archived when it holds so much."),
    Setting(
      "clock.step_seconds", .integer(0...604_800), default: "3600", unit: "seconds",
      """
      How long a step of the machine's clock by more than an hour has to stay before records are dropped and \
      tokens expire by it. 0: every step is believed at once, which is how one is confirmed: at a restart.
      """),
    Setting(
      "retention.sessions_seconds", .integer(0...Int.max / 1_000_000_000), default: "0", unit: "seconds",
      retentionText("sessions")),
    Setting(
      "retention.queries_seconds", .integer(0...Int.max / 1_000_000_000), default: "0", unit: "seconds",
      retentionText("queries")),
    Setting(
      "retention.audit_seconds", .integer(0...Int.max / 1_000_000_000), default: "0", unit: "seconds",
      retentionText("audit")),
    Setting(
      "retention.workflows_seconds", .integer(0...Int.max / 1_000_000_000), default: "0", unit: "seconds",
      retentionText("workflows")),
    Setting(
      "retention.logs_seconds", .integer(0...Int.max / 1_000_000_000), default: "0", unit: "seconds",
      retentionText("logs")),
  ]

  private static func retentionText(_ dataset: String) -> String {
    "Blocks of `\(dataset)` are removed when all their records came in so long ago; 0: never."
  }

  static let query: [Setting] = [
    Setting(
      "memory.bytes_max", .integer(0...Int.max), default: "0", unit: "bytes",
      """
      What may be held for all requests together: uploads, queries, answers that wait for their client, live \
      queues, idempotency keys, forwarding, open blocks, decoded pages. Beyond: 503. 0: a quarter of the \
      machine's memory, or of its cgroup's limit if that is less.
      """),
    Setting(
      "query.memory_bytes_max", .integer((1 << 20)...Int.max), default: "268435456", unit: "bytes",
      "Memory of all running queries. Beyond: 503."),
    Setting(
      "query.seconds_max", .integer(0...86_400), default: "300", unit: "seconds",
      """
      How long a query may work; what its client takes to read the answer does not count. Beyond: 504. 0: no \
      bound.
      """),
    Setting(
      "query.threads", .integer(0...256), default: "0", "Threads that scan and count; 0: one a core."),
  ]

  static let observing: [Setting] = [
    Setting(
      "health.disk_free_ratio", .number(0...1), default: "0.2",
      "Below this share of free disk space `/readyz` fails."),
    Setting(
      "logging.level", .choice(["trace", "debug", "info", "notice", "warning", "error"]), default: "info",
      "The least severe log lines to write."),
    Setting(
      "logging.access", .choice(["all", "security"]), default: "all",
      """
      Which attempts to get in are logged: every request with what became of its credential, or only logins, refusals and \
      changes of users, containers and sessions.
      """),
    Setting(
      "logging.format", .choice(["auto", "json", "text"]), default: "auto",
      "`auto` is text on a terminal and JSON lines elsewhere."),
  ]
}
