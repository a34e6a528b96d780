import Codecs
import Records

extension ProtobufReader {
  /// As ``next(_:)``; what is no message is a fault of the whole push.
  ///
  /// - Parameter what: What the bytes should have been, for the refusal.
  package mutating func nextField(
    of body: [UInt8], as what: StaticString
  ) throws(PushFault) -> (field: Int, value: Value)? {
    do throws(WireError) { return try next(body.span) } catch {
      throw .malformed("no \(what): at byte \(error.offsetBytes)")
    }
  }
}
