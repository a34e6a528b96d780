import Codecs
import Decoding
import Routing

/// Forms of errors that several APIs have.
extension ErrorFormat {
  /// `{"detail": …}`, for validation a list as pydantic 2.5 gives it, without what was sent.
  package static let detail = ErrorFormat(listsFaults: true) { problem, _ in
    problem.answer { text in
      text.name("detail")
      guard !problem.validation.isEmpty else { return text.value(problem.detail) }
      text.list(problem.validation) { text, error in
        text.fault(error)
        text.member("url", "https://errors.pydantic.dev/2.5/v/\(error.type)")
      }
    }
  }

  /// `{"error": "…"}`.
  package static let error = ErrorFormat(
    notFound: "Not found", methodNotAllowed: { _ in "Method not allowed" }
  ) { problem, _ in
    problem.answer { $0.member("error", problem.detail) }
  }
}
