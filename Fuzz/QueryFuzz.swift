import Codecs
import Matching
import Querying
import Records

/// Query texts, both forms: nothing may trap, and what was parsed prints as something that parses to the
/// same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzQuery(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  if let request = try? QueryRequest(json: bytes), let prepared = try? PreparedQuery(request) {
    precondition(!prepared.fields.isEmpty)
    let again = try? Predicate(json: request.predicate.json)
    precondition(again?.json == request.predicate.json, "the JSON form of a filter parses to the same")
  }
  let text = String(decoding: bytes, as: UTF8.self)
  if let predicate = try? Expression.parse(text) {
    precondition(
      (try? Expression.parse(Expression.print(predicate))) == predicate, "the printed form parses to the same"
    )
    _ = try? CompiledPredicate(predicate, schema: Dataset.logs.schema)
  }
  return 0
}
