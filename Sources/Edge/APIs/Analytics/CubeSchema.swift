import Querying
import Records
import Routing

/// A dataset as analytics sees it: names of Cube's queries, and what they stand for (Docs/analytics.md).
struct CubeSchema: Sendable {
  enum MemberType: String, Sendable {
    case string, number, time
  }

  struct Dimension: Sendable {
    let name: String
    let path: ColumnPath
    let type: MemberType
  }

  struct MeasureMember: Sendable {
    let name: String
    let function: Measure.Function
    let filter: Predicate
    let type: MemberType

    init(
      _ name: String, _ function: Measure.Function, where filter: Predicate = .all, type: MemberType = .number
    ) {
      self.name = name
      self.function = function
      self.filter = filter
      self.type = type
    }
  }

  let name: String
  let title: String
  let dataset: Dataset
  let dimensions: [Dimension]
  let measures: [MeasureMember]
  /// Object columns whose members are dimensions too: `logs.metadata.source`.
  let objects: [String]

  private static func status(_ values: String...) -> Predicate {
    .isIn(ColumnPath("status"), values.map { .string($0) })
  }

  static let audit = CubeSchema(
    name: "logs", title: "Audit logs", dataset: .audit,
    dimensions: [
      "user_id", "action", "resource_type", "resource_id", "ip_address", "user_agent", "severity",
    ].map { Dimension(name: $0, path: ColumnPath($0), type: .string) } + [
      Dimension(name: "timestamp", path: ColumnPath("timestamp"), type: .time)
    ],
    measures: [
      MeasureMember("count", .count), MeasureMember("users", .countDistinct(ColumnPath("user_id"))),
      MeasureMember("resources", .countDistinct(ColumnPath("resource_id"))),
      MeasureMember("first", .min(ColumnPath("timestamp")), type: .time),
      MeasureMember("last", .max(ColumnPath("timestamp")), type: .time),
    ], objects: ["before", "after", "metadata"])

  static let workflow = CubeSchema(
    name: "workflows", title: "Workflow logs", dataset: .workflows,
    dimensions: [
      "environment", "workflow_version", "ticket_id", "category", "resolution_status", "status",
    ].map { Dimension(name: $0, path: ColumnPath($0), type: .string) } + [
      Dimension(name: "executed_at", path: ColumnPath("timestamp"), type: .time),
      Dimension(name: "execution_time_seconds", path: ColumnPath("execution_time_seconds"), type: .number),
    ],
    measures: [
      MeasureMember("count", .count), MeasureMember("succeeded", .count, where: status("SUCCESS")),
      MeasureMember("failed", .count, where: status("ERROR", "FAILED")),
      MeasureMember("tickets", .countDistinct(ColumnPath("ticket_id"))),
      MeasureMember("execution_time_avg", .avg(ColumnPath("execution_time_seconds"))),
      MeasureMember("execution_time_sum", .sum(ColumnPath("execution_time_seconds"))),
      MeasureMember("execution_time_max", .max(ColumnPath("execution_time_seconds"))),
      MeasureMember("execution_time_p95", .quantile(ColumnPath("execution_time_seconds"), 0.95)),
    ], objects: ["metrics", "payload"])

  /// The dimension `logs.severity` or `logs.metadata.source`, without the cube's name.
  func dimension(_ name: String) -> Dimension? {
    if let known = dimensions.first(where: { $0.name.hasBytes(of: name) }) { return known }
    let parts = name.parts(at: ".").filter { !$0.isEmpty }.map { String($0) }
    guard parts.count > 1, objects.contains(parts[0]) else { return nil }
    return Dimension(name: name, path: ColumnPath(parts[0], members: Array(parts.dropFirst())), type: .string)
  }

  /// `count`, or a function over a number inside an object: `avg.metadata.duration_ms`, `p95.metrics.tokens`.
  func measure(_ name: String) -> MeasureMember? {
    if let known = measures.first(where: { $0.name.hasBytes(of: name) }) { return known }
    let parts = name.parts(at: ".").filter { !$0.isEmpty }.map { String($0) }
    guard parts.count > 2, objects.contains(parts[1]) else { return nil }
    let path = ColumnPath(parts[1], members: Array(parts.dropFirst(2)))
    let function: Measure.Function? =
      switch parts[0] {
      case "sum": .sum(path)
      case "avg": .avg(path)
      case "min": .min(path)
      case "max": .max(path)
      case "p50": .quantile(path, 0.5)
      case "p95": .quantile(path, 0.95)
      case "p99": .quantile(path, 0.99)
      case "distinct": .countDistinct(path)
      default: nil
      }
    return function.map { MeasureMember(name, $0) }
  }
}
