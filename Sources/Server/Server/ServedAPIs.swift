import APIs
import HTTP
import Records
import Routing

/// The APIs of a server.
struct ServedAPIs: Sendable {
  /// Of paths that several have, the first that claims a request gets it.
  let apis: [API]

  /// The one list of APIs.
  init(_ parts: ServerParts, metrics: HTTPMetrics) {
    let maker = APIMaker(parts, metrics: metrics)
    // The query-log API takes one method, the workflow API what shows a key of its own, the ingest API leaves
    // what shows a native key.
    let others = [
      maker.operations(ServerMetrics.registry(parts, metrics)).api, maker.ingest().api, maker.native().api,
      maker.sessions().api, maker.queryLog().api, maker.workflow().api, maker.audit().api,
      maker.analytics().api,
    ]
    apis = [maker.reference(to: others).api] + others
  }

  /// Takes other masking, each API that of its realm.
  func use(_ masking: MaskingSettings) {
    for api in apis {
      guard let realm = api.realm else { continue }
      api.masking { masking.plan(for: $0, of: realm) }
    }
  }
}
