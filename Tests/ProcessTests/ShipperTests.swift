import Testing

/// Shippers and loggers of others, as their projects publish them, against the real program.
@Suite struct ShipperTests {
  static let asking = #"""

    def rows(server, where={"all": []}, columns=None, limit=10000):
        query = {"dataset": "logs", "limit": limit, "order": "asc"}
        if where != {"all": []}:
            query["where"] = where
        answer = server.request("POST", "/v1/query", query)
        return answer["records"] if "records" in answer else answer["rows"]

    def survive(server, provider, logger):
        """Exports while the server is killed and started again: every record comes."""
        for number in range(1500):
            logger.info("n%d", number)
            if number == 700:
                assert provider.force_flush()
                server.kill()
            if number == 1100:
                server.start()
        provider.shutdown()
        messages = [row["message"] for row in rows(server) if row["message"].startswith("n")]
        assert set(messages) == {f"n{number}" for number in range(1500)}, len(set(messages))
        server.stop()

    """#

  /// OpenTelemetry's SDK for Python: every record comes once, and a server that is killed in between loses
  /// none of those it acknowledged; what it did not the exporter sends again.
  @Test func openTelemetryExports() throws {
    try LiveScript.run(
      ShipperTests.asking
        + #"""
        import logging
        from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

        for compression in [Compression.NoCompression, Compression.Gzip, Compression.Deflate]:
            server = Server(name="data-" + compression.value)
            server.wanted = server.port
            resource = Resource.create({"service.name": "shop", "deployment.environment.name": "prod"})
            provider = LoggerProvider(resource=resource)
            exporter = OTLPLogExporter(
                endpoint=f"http://127.0.0.1:{server.port}/v1/logs", compression=compression)
            provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
            logger = logging.getLogger(compression.value)
            logger.propagate = False
            logger.addHandler(LoggingHandler(logger_provider=provider))
            logger.setLevel(logging.INFO)
            logger.warning("order %d failed", 4711, extra={"amount": 12.5, "ok": True, "tags": ["a", "b"]})
            try:
                raise ValueError("nö")
            except ValueError:
                logger.exception("it broke")
            assert provider.force_flush()
            found = rows(server)
            assert [(row["level"], row["message"], row["service"], row["env"]) for row in found] == [
                ("WARN", "order 4711 failed", "shop", "prod"), ("ERROR", "it broke", "shop", "prod")], found
            first, second = found[0]["metadata"], found[1]["metadata"]
            assert (first["amount"], first["ok"], first["tags"]) == (12.5, True, ["a", "b"]), first
            assert second["exception.type"] == "ValueError" and "nö" in second["exception.stacktrace"], second
            assert found[0]["labels"]["telemetry.sdk.language"] == "python", found

            survive(server, provider, logger)
        """#)
  }

  /// The same over gRPC, on the same port, in the clear and over TLS.
  @Test func openTelemetryExportsByGRPC() throws {
    try LiveScript.run(
      ShipperTests.asking
        + #"""
        import grpc, logging
        from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter

        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", FOLDER + "/key.pem",
             "-out",
             FOLDER + "/cert.pem", "-days", "3", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        TLS = [f"server.tls_certificate={FOLDER}/cert.pem", f"server.tls_key={FOLDER}/key.pem"]

        def provider(server, name, secure, compression):
            credentials = None
            if secure:
                credentials = grpc.ssl_channel_credentials(open(FOLDER + "/cert.pem", "rb").read())
            exporter = OTLPLogExporter(
                endpoint=f"127.0.0.1:{server.port}", insecure=not secure, credentials=credentials,
                compression=compression)
            provider = LoggerProvider(resource=Resource.create({"service.name": "shop"}))
            provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
            logger = logging.getLogger(name)
            logger.propagate = False
            logger.addHandler(LoggingHandler(logger_provider=provider))
            logger.setLevel(logging.INFO)
            return provider, logger

        for compression in [grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate]:
            server = Server(name="data-%s" % compression.name)
            server.wanted = server.port
            made, logger = provider(server, compression.name, False, compression)
            survive(server, made, logger)

        server = Server(name="secure", sets=TLS)
        made, logger = provider(server, "secure", True, grpc.Compression.Gzip)
        logger.warning("over TLS")
        assert made.force_flush()
        made.shutdown()
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context)
        connection.request("POST", "/v1/query", '{"dataset":"logs"}', {"Content-Type": "application/json"})
        assert b"over TLS" in connection.getresponse().read()
        server.stop()
        """#)
  }

  /// How calls end that cannot be done: by their status, which says whether to try again.
  @Test func callsAreToldTheirStatus() throws {
    try LiveScript.run(
      #"""
      import grpc

      EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
      RECORD = b"\n\n\x12\x08\x12\x06*\x04\n\x02hi"

      def call(server, body, path=EXPORT, metadata=(), **options):
          with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
              return channel.unary_unary(path)(body, metadata=metadata, timeout=20, **options)

      def refused(*arguments, **options):
          try:
              call(*arguments, **options)
          except grpc.RpcError as error:
              return error
          assert False, "it was done"

      server = Server(environment={"CORDWOOD_LIMITS_BODY_BYTES_MAX": "100000"})
      assert call(server, RECORD) == b""
      assert call(server, b"") == b""
      assert call(server, RECORD * 50, compression=grpc.Compression.Gzip) == b""
      error = refused(server, b"\xff")
      assert error.code() == grpc.StatusCode.INVALID_ARGUMENT and error.details(), error
      error = refused(server, b"", path="/opentelemetry.proto.collector.trace.v1.TraceService/Export")
      assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error
      error = refused(server, b"x" * 200000)
      assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
      assert not [1 for name, _ in error.trailing_metadata() if name == "grpc-status-details-bin"], error
      # Many calls on one connection, at one time.
      with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
          export = channel.unary_unary(EXPORT)
          for answer in [export.future(RECORD, timeout=20) for _ in range(500)]:
              assert answer.result() == b""
      assert server.request("POST", "/v1/query", {"dataset": "logs", "limit": 1})
      # An answer that is longer than what the client lets come at once.
      for _ in range(20):
          server.write([{"message": "x" * 1000} for _ in range(50)])
      long = subprocess.run(
          ["curl", "-sS", "--http2-prior-knowledge", f"http://127.0.0.1:{server.port}/v1/query", "-d",
           '{"dataset":"logs","limit":10000}'], capture_output=True, timeout=60)
      assert long.returncode == 0 and len(json.loads(long.stdout)["rows"]) > 1000, long.stderr
      server.stop()

      server = Server(name="keys", sets=[
          'native.api_keys=[{"name":"w","key":"writer-writer-writer","tenant":"t","role":"writer"},'
          '{"name":"r","key":"reader-reader-reader","tenant":"t","role":"reader"}]'])
      assert refused(server, RECORD).code() == grpc.StatusCode.UNAUTHENTICATED
      bearer = lambda key: [("authorization", "Bearer " + key)]
      for key, code in [("wrong-wrong-wrong-wrong", grpc.StatusCode.UNAUTHENTICATED),
                        ("reader-reader-reader", grpc.StatusCode.PERMISSION_DENIED)]:
          assert refused(server, RECORD, metadata=bearer(key)).code() == code, key
      assert call(server, RECORD, metadata=bearer("writer-writer-writer")) == b""
      server.stop()
      """#)
  }

  /// What is refused, and how: the exporter drops what is final and tries again what may pass.
  @Test func exportersAreToldWhatTheyUnderstand() throws {
    try LiveScript.run(
      #"""
      def export(server, body, type="application/json", headers={}, path="/v1/logs"):
          status, text, fields = server.ask("POST", path, body, {"Content-Type": type, **headers})
          return status, text, fields

      server = Server()
      record = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}'
      for path in ["/v1/logs", "/otlp/v1/logs"]:
          status, text, fields = export(server, record, path=path)
          assert (status, text, fields["Content-Type"]) == (200, b"{}", "application/json"), (status, text)
      proto = "application/x-protobuf"
      status, text, fields = export(server, b"\n\n\x12\x08\x12\x06*\x04\n\x02hi", proto)
      assert (status, text, fields["Content-Type"]) == (200, b"", proto), (status, text)
      assert export(server, b"", proto)[:2] == (200, b"")
      status, text, fields = export(server, b"\xff", proto)
      assert status == 400 and text.startswith(b"\x08\x03\x12") and fields["Content-Type"] == proto, text
      status, text, fields = export(server, b"{bad")
      assert status == 400 and json.loads(text)["code"] == 3, text
      assert export(server, record, "text/plain")[0] == 415
      # A record that can never be stored is told, the others are stored.
      long = {"body": {"stringValue": "y" * (1 << 20)}}
      mixed = {"resourceLogs": [{"scopeLogs": [{"logRecords": [long, {"body": {"stringValue": "z"}}]}]}]}
      status, text, _ = export(server, json.dumps(mixed))
      assert status == 200, text
      partial = json.loads(text)["partialSuccess"]
      assert partial == {
          "rejectedLogRecords": "1",
          "errorMessage": "record 0: the entry is larger than 1048576 bytes"}, partial
      # One that says its key is stored once.
      for replayed in [None, "true"]:
          status, _, fields = export(server, record, headers={"Idempotency-Key": "k"})
          assert status == 200 and fields["Idempotency-Replayed"] == replayed
      # The ingest API's route beside it is its own.
      status, text, _ = server.ask("POST", "/v1/logs:ingest", b"[]", {"Content-Type": "application/json"})
      assert (status, text) == (403, b'{"detail":"Not authenticated"}'), (status, text)
      count = server.request(
          "POST", "/v1/query", {"dataset": "logs", "measures": ["count"]})
      assert json.dumps(count).count('"count": 5'), count
      server.stop()
      """#)
  }

  /// The clients of Elasticsearch and OpenSearch for Python.
  @Test func elasticsearchClientsWrite() throws {
    try LiveScript.run(
      ShipperTests.asking
        + #"""
        import warnings
        warnings.simplefilter("ignore")
        import elasticsearch, elasticsearch.helpers, opensearchpy, opensearchpy.helpers

        KEY = "shop-key-0123456789abcdef0123456789abcdef"
        keys = [{"name": "shop", "key": KEY, "tenant": "shop", "role": "admin"}]
        server = Server(sets=["native.api_keys=" + json.dumps(keys)])
        own, server_request = {"Authorization": "Bearer " + KEY}, server.request
        server.request = lambda method, path, body=None, headers={}, expect=200: server_request(
            method, path, body, {**headers, **own}, expect)

        def documents(many, **more):
            for number in range(many):
                yield {
                    "_op_type": "create", "_index": "logs-shop-default",
                    "@timestamp": "2025-11-30T12:00:00.%03dZ" % number, "message": f"line {number} é",
                    "level": "info", "n": number, **more}

        base = f"http://127.0.0.1:{server.port}"
        for url in [base, base + "/elasticsearch"]:
            for compress in [False, True]:
                client = elasticsearch.Elasticsearch(url, basic_auth=("any", KEY), http_compress=compress)
                assert elasticsearch.helpers.bulk(client, documents(100)) == (100, [])
        client = elasticsearch.Elasticsearch(
            base + "/elasticsearch", api_key=base64.b64encode(b"id:" + KEY.encode()).decode())
        assert client.info()["version"]["number"] == "8.19.0" and client.ping()
        assert client.cluster.health()["status"] == "green"
        # Faults of a document are its own.
        stored, errors = elasticsearch.helpers.bulk(
            client, [*documents(1), {"_op_type": "delete", "_index": "i", "_id": "1"}, *documents(1)],
            raise_on_error=False)
        assert stored == 2 and errors[0]["delete"]["status"] == 400, errors
        # Who names his documents may send them again.
        for _ in range(2):
            answer = client.bulk(
                operations=[{"create": {"_index": "i", "_id": "7"}}, {"message": "once"}],
                filter_path="errors,items.*.error,items.*.status")
            assert answer.body == {"errors": False, "items": [{"create": {"status": 201}}]}, answer.body
        # To another index it is another request.
        for index in ["a", "b"]:
            client.bulk(index=index, operations=[{"create": {"_id": "8"}}, {"message": "twice"}])
        try:
            stranger = elasticsearch.Elasticsearch(base, basic_auth=("any", "nope"))
            stranger.bulk(operations=[{"create": {}}, {}])
            raise AssertionError("it opens")
        except elasticsearch.AuthenticationException as error:
            assert error.body["error"]["type"] == "security_exception", error.body
        other = opensearchpy.OpenSearch(base, http_auth=("any", KEY))
        assert opensearchpy.helpers.bulk(
            other, [{**document, "_op_type": "index"} for document in documents(10)])[0] == 10

        found = rows(server)
        assert len(found) == 4 * 100 + 2 + 1 + 2 + 10, len(found)
        assert sum(row["message"] == "once" for row in found) == 1
        twice = [row["labels"]["index"] for row in found if row["message"] == "twice"]
        assert sorted(twice) == ["a", "b"], twice
        row = next(row for row in found if row["message"] == "line 7 é")
        assert (row["level"], row["service"], row["timestamp"]) == (
            "INFO", "shop", "2025-11-30T12:00:00.007Z"), row
        assert row["labels"] == {"index": "logs-shop-default"}, row
        assert row["metadata"] == {"level": "info", "n": 7}, row
        server.stop()
        """#)
  }

  /// A logger that pushes to Loki.
  @Test func aLoggerPushesToLoki() throws {
    try LiveScript.run(
      ShipperTests.asking
        + #"""
        import logging, logging_loki
        server = Server()
        logging_loki.emitter.LokiEmitter.level_tag = "level"
        handler = logging_loki.LokiHandler(
            url=f"http://127.0.0.1:{server.port}/loki/api/v1/push", tags={"app": "shop"}, version="1")
        logger = logging.getLogger("shop")
        logger.addHandler(handler)
        logger.error("order %s failed", "4711", extra={"tags": {"env": "prod"}})
        found = rows(server)
        assert [(row["level"], row["message"], row["service"], row["env"]) for row in found] == [
            ("ERROR", "order 4711 failed", "shop", "prod")], found
        server.stop()
        """#)
  }
}
