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
  ]
}
