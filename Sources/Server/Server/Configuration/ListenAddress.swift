import Foundation
import Records
import Routing

/// Where messages are taken: an item of `listen.syslog`, `listen.gelf` or `listen.forward`.
///
/// `udp://127.0.0.1:5514?tenant=shop&zone=Europe/Berlin`
package struct ListenAddress: Sendable, Hashable {
  /// How messages come.
  package enum Transport: String, Sendable, CaseIterable { case udp, tcp, tls }

  package let transport: Transport
  /// An address or a name of this machine.
  package let host: String
  /// 0: any free one.
  package let port: Int
  /// Whose records messages become.
  package let tenant: Tenant
  /// Of times that name none.
  package let zone: TimeZone
  /// A PEM file: who shows no certificate of one of these authorities is not let in; nil: nobody is asked.
  package let clientAuthorities: String?

  /// What is wrong with an address, for people.
  package struct Fault: Error, Sendable, Hashable {
    package let reason: String
  }

  /// - Parameters:
  ///   - form: Of the messages.
  ///   - tenant: Of addresses that name none.
  package init(_ text: String, of form: MessageForm = .syslog, orFor tenant: Tenant) throws(Fault) {
    let known = Transport.allCases.filter { form != .forward || $0 != .udp }
    guard let url = URLComponents(string: text), let scheme = url.scheme,
      let transport = Transport(rawValue: scheme), known.contains(transport)
    else {
      let others = form == .forward ? "" : "udp://, "
      throw Fault(reason: "an address begins with \(others)tcp:// or tls://")
    }
    guard let host = url.host, !host.isEmpty, let port = url.port, (0...65_535).contains(port) else {
      throw Fault(reason: "an address has a host and a port, as udp://127.0.0.1:5514")
    }
    guard url.path.isEmpty || url.path.utf8.elementsEqual("/".utf8), url.user == nil, url.fragment == nil
    else { throw Fault(reason: "an address has nothing but host, port and ?tenant=…&zone=…") }
    var (named, zone, authorities): (Tenant?, TimeZone?, String?) = (nil, nil, nil)
    for item in url.queryItems ?? [] {
      let value = item.value ?? ""
      switch Name(item.name) {
      case "tenant":
        guard named == nil, Tenant.isValid(name: value) else {
          throw Fault(reason: "tenant is no name of one")
        }
        named = Tenant(realm: .native, name: value)
      case "zone":
        guard form == .syslog else { throw Fault(reason: "zone is of listen.syslog alone") }
        guard zone == nil, let read = ListenAddress.zone(value) else {
          throw Fault(reason: "zone is +01:00, UTC, local, or a name such as Europe/Berlin")
        }
        zone = read
      case "client_ca":
        guard authorities == nil, transport == .tls, !value.isEmpty else {
          throw Fault(reason: "client_ca is a file, of tls:// alone")
        }
        authorities = value
      default: throw Fault(reason: "of an address there are tenant, zone and client_ca")
      }
    }
    self.transport = transport
    self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    self.port = port
    self.tenant = named ?? tenant
    self.zone = zone ?? .current
    clientAuthorities = authorities
  }

  private static func zone(_ text: String) -> TimeZone? {
    if text.utf8.elementsEqual("local".utf8) { return .current }
    let digits = text.utf8.filter { (0x30...0x39).contains($0) }
    if let sign = text.utf8.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      guard digits.count == 4, text.utf8.count <= 6 else { return nil }
      let values = digits.map { Int($0 - 0x30) }
      let (hours, minutes) = (values[0] * 10 + values[1], values[2] * 10 + values[3])
      guard hours < 15, minutes < 60 else { return nil }
      let seconds = (hours * 60 + minutes) * 60
      return TimeZone(secondsFromGMT: sign == UInt8(ascii: "-") ? -seconds : seconds)
    }
    guard text.utf8.count <= 64, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    return TimeZone(identifier: text)
  }

  /// Seconds east of UTC at an instant: nanoseconds since 1970.
  package func offsetSeconds(at nanoseconds: Int64) -> Int {
    zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(nanoseconds) / 1e9))
  }

  /// As it is shown once it listens.
  package func text(port: Int) -> String {
    "\(transport.rawValue)://\(host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host):\(port)"
  }
}

/// A door for messages that come without requests.
package struct MessageListener: Sendable, Hashable {
  package let form: MessageForm
  package let address: ListenAddress
  /// In bytes: `listen.syslog_message_bytes_max` and its like.
  package let messageBytesMax: Int

  /// As it is shown once it listens.
  ///
  /// - Parameter port: What the system gave.
  package func text(port: Int) -> String {
    "\(form.rawValue) messages for the tenant \(address.tenant.name) on \(address.text(port: port))"
  }
}

extension ConfigurationValues {
  /// What `listen` names, one form after the other.
  ///
  /// - Parameter tenant: Of addresses that name none.
  func messageListeners(orFor tenant: Tenant, hasTLS: Bool) throws(ConfigurationError) -> [MessageListener] {
    try listeners(.syslog, "listen.syslog", tenant, hasTLS) + listeners(.gelf, "listen.gelf", tenant, hasTLS)
      + listeners(.forward, "listen.forward", tenant, hasTLS)
  }

  private func listeners(
    _ form: MessageForm, _ path: String, _ tenant: Tenant, _ hasTLS: Bool
  ) throws(ConfigurationError) -> [MessageListener] {
    let (setting, entry) = tree.entry(path)
    guard case .list(let items) = entry.value else { throw wrong(setting, entry) }
    let messageBytesMax = try integer("\(path)_message_bytes_max")
    var listeners: [MessageListener] = []
    for (index, item) in items.enumerated() {
      guard case .scalar(let text) = item else { throw wrong(setting, entry) }
      do throws(ListenAddress.Fault) {
        let address = try ListenAddress(text, of: form, orFor: tenant)
        guard address.transport != .tls || hasTLS else {
          throw ListenAddress.Fault(reason: "tls:// needs server.tls_certificate and server.tls_key")
        }
        listeners.append(MessageListener(form: form, address: address, messageBytesMax: messageBytesMax))
      } catch {
        throw .unusable(key: "\(path)[\(index)]", source: entry.source, reason: error.reason)
      }
    }
    return listeners
  }
}
