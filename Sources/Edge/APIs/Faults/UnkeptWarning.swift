/// What an answer with a token says that the disk had no room for.
enum UnkeptWarning {
  static let text =
    "No room on the disk: until there is, this token is in memory only and ends when the server stops"
}
