import Codecs
import Records

/// Numbers the label sets of rows in the order they are first seen. A row whose label cells were seen before
/// costs one look-up of their bytes.
struct StreamGrouping {
  /// Where a row belongs: indices into ``labelSets`` and ``metadata``.
  struct Place {
    var stream: Int
    var metadata: Int
  }

  private(set) var labelSets: [LabelSet] = []
  /// Labels that go as structured metadata; the first is empty.
  private(set) var metadata: [[LabelSet.Pair]] = [[]]

  private let names: [String]
  private let cells: [TextCells]
  private let object: TextCells?
  private let fixed: [LabelSet.Pair]
  private var places: [[UInt8]: Place] = [:]
  /// Different cells may make one label set: an object's members in another order.
  private var streams: [[UInt8]: Int] = [:]
  private var key: [UInt8] = []
  private var lastKey: [UInt8] = []
  private var last: Place?

  init(_ rows: RecordBatch, mapping: LokiMapping) {
    let columns = mapping.labelColumns.compactMap { name in rows.column(name).map { (name, TextCells($0)) } }
    names = columns.map(\.0)
    cells = columns.map(\.1)
    object = mapping.labelObject.flatMap { rows.column($0) }.map { TextCells($0) }
    fixed = mapping.staticLabels.map { LabelSet.Pair(name: $0.key, value: $0.value) }
  }

  mutating func place(of row: Int) -> Place {
    key.removeAll(keepingCapacity: true)
    for column in cells {
      column.append(row, to: &key)
      // No text holds NUL.
      key.append(0)
    }
    object?.append(row, to: &key)
    if let last, key == lastKey { return last }
    let place = places[key] ?? add(row)
    swap(&lastKey, &key)
    last = place
    return place
  }

  private mutating func add(_ row: Int) -> Place {
    var pairs = fixed
    for (name, column) in zip(names, cells) {
      pairs.append(LabelSet.Pair(name: name, value: column.string(row)))
    }
    if let text = object?.copy(row), !text.isEmpty { StreamGrouping.append(members: text, to: &pairs) }
    let labels = LabelSet(pairs)
    var place = Place(stream: streams[labels.text] ?? labelSets.count, metadata: 0)
    if place.stream == labelSets.count {
      labelSets.append(labels)
      streams[labels.text] = place.stream
    }
    if !labels.metadata.isEmpty {
      place.metadata = metadata.count
      metadata.append(labels.metadata)
    }
    places[key] = place
    return place
  }

  /// Members as labels: texts as they are, anything else as its JSON text, null left out.
  private static func append(members text: [UInt8], to pairs: inout [LabelSet.Pair]) {
    let text = text.span
    var members = JSONMembers(text)
    while members.next(text) {
      let value: String
      switch members.kind {
      case .null: continue
      case .string: value = JSONScanner.string(text, members.value)
      case .object, .array, .number, .true, .false:
        var bytes: [UInt8] = []
        for index in members.value { bytes.append(text[index]) }
        value = String(decoding: bytes, as: UTF8.self)
      }
      pairs.append(LabelSet.Pair(name: members.keyText(text), value: value))
    }
  }
}
