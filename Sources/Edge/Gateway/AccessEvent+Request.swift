import Access
import NIOHTTP1
import Records

extension AccessEvent {
  /// A request that was let in, until something else is found.
  init(_ head: HTTPRequestHead, _ origin: RequestOrigin, realm: Realm, route: String) {
    self.init(
      .request, .granted, realm: realm, subject: nil, route: route, method: head.method.rawValue,
      address: origin.address, requestID: origin.id)
  }
}
