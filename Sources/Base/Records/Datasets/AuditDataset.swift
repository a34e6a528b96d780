extension Dataset {
  /// Who did what to which resource (Docs/audit.md).
  package static let audit = Dataset(
    DatasetSchema(
      3, "audit",
      columns: [
        Field("user_id", .utf8, isNullable: false), Field("action", .utf8, isNullable: false),
        Field("resource_type", .utf8, isNullable: true), Field("resource_id", .utf8, isNullable: true),
        Field("ip_address", .utf8, isNullable: true), Field("user_agent", .utf8, isNullable: true),
        Field("severity", .utf8, isNullable: true), Field("before", .json, isNullable: true),
        Field("after", .json, isNullable: true), Field("metadata", .json, isNullable: true),
      ],
      layout: DatasetSchema.Layout(
        bloomColumns: ["user_id", "resource_id"], summaryColumns: ["severity", "action", "resource_type"],
        overflowColumn: "metadata")))
}
