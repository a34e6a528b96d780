extension Dataset {
  /// The logs of a run, a deployment, a visit, by container and session (Docs/sessions.md).
  package static let sessions = Dataset(
    DatasetSchema(
      1, "sessions",
      columns: [
        Field("container", .utf8, isNullable: false), Field("session", .utf8, isNullable: false),
        Field("level", .utf8, isNullable: true), Field("message", .utf8, isNullable: true),
      ],
      layout: DatasetSchema.Layout(
        sortKey: ["container", "session"], primaryText: "message", summaryColumns: ["level"])))
}
