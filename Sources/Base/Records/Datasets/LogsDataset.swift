extension Dataset {
  /// Log entries of programs (Docs/api.md, Docs/ingest.md).
  package static let logs = Dataset(
    DatasetSchema(
      5, "logs",
      columns: [
        Field("level", .utf8, isNullable: true), Field("message", .utf8, isNullable: false),
        Field("service", .utf8, isNullable: true), Field("env", .utf8, isNullable: true),
        Field("trace_id", .utf8, isNullable: true), Field("span_id", .utf8, isNullable: true),
        Field("labels", .json, isNullable: true), Field("metadata", .json, isNullable: true),
      ],
      layout: DatasetSchema.Layout(
        primaryText: "message", bloomColumns: ["trace_id"], summaryColumns: ["level", "service"],
        overflowColumn: "metadata")))
}
