import Codecs
import Encoding
import Querying
import Records

/// A summary as JSON.
enum SummaryText {
  static func json(_ answer: SummaryAnswer, _ request: SummaryRequest) -> [UInt8] {
    var text = JSONWriter(capacity: 4_096)
    write(answer, request, isGradual: false, to: &text)
    return text.takeBytes()
  }

  /// An event of a stream; JSON has no line breaks.
  static func event(_ answer: SummaryAnswer, _ request: SummaryRequest) -> [UInt8] {
    var text = JSONWriter(capacity: 4_096)
    text.append(raw: "event: summary\ndata: ")
    write(answer, request, isGradual: true, to: &text)
    text.append(raw: "\n\n")
    return text.takeBytes()
  }

  private static func write(
    _ answer: SummaryAnswer, _ request: SummaryRequest, isGradual: Bool, to text: inout JSONWriter
  ) {
    text.beginObject()
    if isGradual {
      text.name("share")
      text.value(rounded: answer.share)
    }
    text.member("total", answer.total)
    if request.bucket != nil {
      text.name("bars")
      text.beginArray()
      for bar in answer.bars {
        text.beginObject()
        text.name("start")
        text.value(time: bar.start)
        text.member("count", bar.count)
        if request.by != nil {
          text.name("by")
          write(bar.divided, to: &text)
        }
        text.endObject()
      }
      text.endArray()
    }
    text.name("fields")
    text.beginArray()
    for field in answer.fields { write(field, to: &text) }
    text.endArray()
    if let statistics = answer.statistics {
      text.append(raw: ",")
      text.member(statistics)
    }
    text.endObject()
  }

  private static func write(_ counts: [SummaryAnswer.Count], to text: inout JSONWriter) {
    text.beginArray()
    for count in counts {
      text.beginObject()
      text.name("value")
      if let value = count.value { text.value(value) } else { text.null() }
      text.member("count", count.count)
      text.endObject()
    }
    text.endArray()
  }

  private static func write(_ field: SummaryAnswer.Field, to text: inout JSONWriter) {
    text.beginObject()
    text.name("field")
    text.value(field.path.description)
    text.name("values")
    write(field.values, to: &text)
    text.member("distinct", field.distinct)
    text.member("missing", field.missing)
    text.member("exact", field.isExact)
    if !field.isExact { text.member("error_bound", field.errorBound) }
    if let numbers = field.numbers {
      text.name("numbers")
      text.beginObject()
      for (name, value) in [
        ("min", numbers.least), ("median", numbers.median), ("p95", numbers.p95), ("max", numbers.greatest),
      ] {
        text.name(text: name)
        text.raw(Array(value.utf8))
      }
      text.endObject()
    }
    text.endObject()
  }
}
