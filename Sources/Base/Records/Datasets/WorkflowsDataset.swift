extension Dataset {
  /// Runs of workflows (Docs/workflow.md).
  package static let workflows = Dataset(
    DatasetSchema(
      4, "workflows",
      columns: [
        Field("environment", .utf8, isNullable: true), Field("workflow_version", .utf8, isNullable: true),
        Field("ticket_id", .utf8, isNullable: true), Field("category", .utf8, isNullable: true),
        Field("resolution_status", .utf8, isNullable: true), Field("status", .utf8, isNullable: true),
        Field("execution_time_seconds", .float64, isNullable: true),
        Field("metrics", .json, isNullable: true), Field("payload", .json, isNullable: true),
      ],
      layout: DatasetSchema.Layout(
        bloomColumns: ["ticket_id"], summaryColumns: ["status", "resolution_status", "category"],
        overflowColumn: "payload")))
}
