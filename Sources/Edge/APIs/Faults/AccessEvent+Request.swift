import Access
import Records
import Routing

extension AccessEvent {
  /// A request that was let in, until something else is found.
  init(_ head: RequestHead, _ origin: RequestOrigin, realm: Realm, route: String) {
    self.init(
      .request, .granted, realm: realm, subject: nil, route: route, method: head.method.rawValue,
      address: origin.address, requestID: origin.id)
  }
}
