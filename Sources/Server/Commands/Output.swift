import Codecs
import Platform

/// All that commands print: what was asked for on standard output, the rest on standard error.
enum Output {
  /// Writes to standard output; throws ``Failure/readerLeft`` when nobody reads on.
  static func print(_ text: String) throws(Failure) { try print(Array(text.utf8)) }

  /// The same for bytes.
  static func print(_ bytes: [UInt8]) throws(Failure) {
    guard !bytes.isEmpty else { return }
    do throws(StreamError) { try StandardOutput.write(bytes) } catch {
      switch error {
      case .readerLeft: throw .readerLeft
      case .refused(let code): throw Failure("cannot write: \(SystemError.words(code))")
      }
    }
  }

  /// Lines for people on standard output: names in them must not steer the terminal.
  static func show(_ text: String) throws(Failure) { try print(VisibleText.shown(text, keeping: "\n\t")) }

  /// A line on standard error.
  static func note(_ text: String) {
    StandardError.write(Array((VisibleText.shown(text, keeping: "\n\t") + "\n").utf8))
  }

  /// A line on standard error that says who says it.
  static func warn(_ text: String) { note("cordwood: \(text)") }

  /// Shows `text` in place of the terminal's last line; an empty text only removes that.
  static func progress(_ text: String) {
    StandardError.write(Array("\r\(VisibleText.shown(text))\u{1B}[K".utf8))
  }
}
