import Access
import Codecs
import Decoding
import Masking
import Platform
import Records
import Routing

/// `POST /v1/records/{dataset}`: a body of records in, positions out.
package struct RecordWriting: Sendable {
  /// Errors listed when bad records are skipped; the rest is only counted.
  static let listedErrorsMax = 100

  private let decoders: Replaceable<[Dataset: RecordDecoder]>
  private let store: RecordStoring
  private let clock: any WallClock

  /// - Parameters:
  ///   - registry: What may be written.
  ///   - masking: What is masked in the records of a dataset.
  package init(
    store: RecordStoring, clock: any WallClock, decodingLimits: DecodingLimits,
    registry: Registry, masking: (Dataset) -> MaskingPlan = { _ in .none }
  ) {
    decoders = Replaceable(
      Dictionary(
        uniqueKeysWithValues: registry.datasets.map {
          ($0, RecordDecoder(schema: $0.schema, masking: masking($0), limits: decodingLimits))
        }))
    self.store = store
    self.clock = clock
  }

  /// Masks otherwise from now on.
  package func use(masking: (Dataset) -> MaskingPlan) {
    decoders.replace(
      with: Dictionary(
        uniqueKeysWithValues: decoders.value.map { dataset, decoder in
          (dataset, decoder.masked(by: masking(dataset)))
        }))
  }

  /// Stores the records of `call` for `principal`.
  func write(
    _ call: HTTPCall, dataset: Dataset, principal: Principal
  ) async throws(Problem) -> HTTPAnswer {
    let skips = try isSkipping(call)
    return try await store.withBody(of: call) { body throws(Problem) -> HTTPAnswer in
      let decoded = try await decode(body, dataset: dataset, skips: skips)
      let rejected = skips ? rejectedMembers(of: decoded) : []
      guard let batch = decoded.batch else { return nothingStored(rejected) }
      let write = RecordWrite(
        batch, dataset, bodyBytes: body.count, salt: UInt64(dataset.code) << 1 | (skips ? 1 : 0),
        kept: rejected)
      return try await store.store(write, of: call, for: principal) { receipt in
        created(receipt, rejected: receipt.isReplay ? receipt.answer : rejected)
      }
    }
  }

  private func decode(_ body: [UInt8], dataset: Dataset, skips: Bool) async throws(Problem) -> DecodedBody {
    guard let decoder = decoders.value[dataset] else {
      bug("each dataset of the registry has a decoder")
    }
    let mode = skips ? ErrorMode.skip(errorsMax: RecordWriting.listedErrorsMax) : .reject
    let now = clock.now()
    return try await store.decoding(body) { body, _ throws(Problem) in
      do throws(DecodingError) { return try decoder.decode(body, onError: mode, now: now) } catch {
        throw Problem(error)
      }
    }
  }

  private func isSkipping(_ call: HTTPCall) throws(Problem) -> Bool {
    switch call.query["on_error"] {
    case nil, "reject": return false
    case "skip": return true
    default: throw Problem(400, "on_error must be reject or skip.", field: "on_error")
    }
  }

  /// The members of the answer that tell what was left out, without braces: also kept for a repeated request.
  private func rejectedMembers(of decoded: DecodedBody) -> [UInt8] {
    var text = JSONWriter(capacity: 256)
    text.name("rejected")
    text.value(decoded.rejectedCount)
    text.name("errors")
    text.beginArray()
    for error in decoded.errors {
      text.beginObject()
      if let entry = error.entry {
        text.name("entry")
        text.value(entry)
      }
      text.name("byte")
      text.value(error.byte)
      if let field = error.field {
        text.name("field")
        text.value(field)
      }
      text.name("detail")
      text.value(error.reason.text)
      text.endObject()
    }
    text.endArray()
    return text.takeBytes()
  }

  private func created(_ receipt: AppendReceipt, rejected: [UInt8]) -> HTTPAnswer {
    var text = JSONWriter(capacity: 256)
    text.beginObject()
    text.name("accepted")
    text.value(receipt.rowCount)
    text.name("first_position")
    text.value(receipt.firstPosition)
    text.name("last_position")
    text.value(receipt.firstPosition + Int64(receipt.rowCount) - 1)
    text.members(rejected)
    text.endObject()
    return HTTPAnswer.json(.created, text.takeBytes())
  }

  private func nothingStored(_ rejected: [UInt8]) -> HTTPAnswer {
    var text = JSONWriter(capacity: 256)
    text.beginObject()
    text.name("accepted")
    text.value(0)
    text.members(rejected)
    text.endObject()
    return .json(.ok, text.takeBytes())
  }
}
