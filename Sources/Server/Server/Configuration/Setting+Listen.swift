extension Setting {
  static let listen: [Setting] = [
    Setting(
      "listen.syslog", .texts, default: "[]",
      """
      Where syslog messages are taken: `udp://127.0.0.1:5514`, `tcp://…`, or `tls://…` with the \
      certificate of `server.tls_certificate`. Behind it `?tenant=NAME` (else `native.open_tenant`), \
      `zone=Europe/Berlin` for times that name none (else this machine's), and `client_ca=FILE` of \
      `tls://`, which lets in who shows a certificate of these authorities alone. Whoever reaches such a \
      port writes records: syslog has no credentials. [More](../syslog.md)
      """),
    Setting(
      "listen.syslog_message_bytes_max", .integer(480...(1 << 20)), default: "65536", unit: "bytes",
      "A syslog message. What is longer is cut to it, and says so."),
    Setting(
      "listen.gelf", .texts, default: "[]",
      """
      Where GELF messages are taken, as with `listen.syslog`: `udp://127.0.0.1:12201`, `tcp://…`, \
      `tls://…`, with `?tenant=NAME` and `client_ca=FILE`. [More](../gelf.md)
      """),
    Setting(
      "listen.gelf_message_bytes_max", .integer(1024...(8 << 20)), default: "1048576", unit: "bytes",
      """
      A GELF message, its chunks together, and decompressed. Of what is longer the beginning is kept as text.
      """),
    Setting(
      "listen.forward", .texts, default: "[]",
      """
      Where events of Fluentd's forward protocol are taken, as with `listen.syslog`: \
      `tcp://127.0.0.1:24224`, `tls://…`, with `?tenant=NAME` and `client_ca=FILE`. [More](../forward.md)
      """),
    Setting(
      "listen.forward_message_bytes_max", .integer((64 << 10)...(64 << 20)), default: "16777216",
      unit: "bytes",
      """
      A message of the forward protocol, which may hold many events. A connection that sends a longer one is \
      closed; one that comes to more when it is decompressed is refused.
      """),
  ]
}
