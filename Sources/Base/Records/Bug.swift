import Glibc

/// Ends the process because of a mistake of ours: where going on could lose or change records.
///
/// Release builds strip the sentences of the language's own checks; this one writes its sentence as the last
/// line of standard error, with file and line, and aborts. Nothing that input or damage can reach may come
/// here.
///
/// - Parameter sentence: What should have been so.
public func bug(_ sentence: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
  var bytes = Array("cordwood: bug: ".utf8)
  bytes += Array(sentence.utf8)
  bytes += Array(" (".utf8) + utf8(of: file) + Array(":\(line))\n".utf8)
  var written = 0
  while written < bytes.count {
    // Within bounds: `written` is less than the array's count.
    let count = unsafe bytes.withUnsafeBytes {
      unsafe write(2, $0.baseAddress.map { unsafe $0 + written }, bytes.count - written)
    }
    if count > 0 {
      written += count
    } else if count == 0 || errno != EINTR {
      break
    }
  }
  abort()
}

/// Ends the process with ``bug(_:file:line:)`` unless `isTrue`; in release builds too.
@inlinable @inline(__always)
public func invariant(
  _ isTrue: @autoclosure () -> Bool, _ sentence: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !isTrue() { bug(sentence(), file: file, line: line) }
}

private func utf8(of text: StaticString) -> [UInt8] {
  text.withUTF8Buffer { bytes in unsafe Array(bytes) }
}
