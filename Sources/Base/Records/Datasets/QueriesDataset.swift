extension Dataset {
  /// Who asked what of a database (Docs/querylog.md).
  package static let queries = Dataset(
    DatasetSchema(
      2, "queries",
      columns: [
        Field("user_id", .utf8, isNullable: false), Field("query", .utf8, isNullable: false),
        Field("status", .utf8, isNullable: true), Field("hash", .utf8, isNullable: true),
      ],
      layout: DatasetSchema.Layout(
        primaryText: "query", bloomColumns: ["user_id"], summaryColumns: ["status"])))
}
