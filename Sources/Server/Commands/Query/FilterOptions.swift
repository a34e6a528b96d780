import ArgumentParser

/// The flags that choose records of a dataset.
struct FilterOptions: ParsableArguments {
  @Option(help: "Only this level (severity, status), in any case; may be given several times.")
  var level: [String] = []
  @Option(help: "Only this service; may be given several times.") var service: [String] = []
  @Option(help: "Only messages that hold this text; without a message: any text of a record.") var contains:
    [String] = []
  @Option(help: "The same for a whole word, in any case.") var word: [String] = []
  @Option(help: "The same for a regular expression.") var regex: [String] = []
  @Option(name: .customLong("where"), help: ArgumentHelp("A filter expression.", valueName: "expr"))
  var expressions: [String] = []

  func flags(for dataset: String) -> QueryFlags {
    var flags = QueryFlags()
    flags.dataset = dataset
    flags.levels = level
    flags.services = service
    flags.contains = contains
    flags.word = word
    flags.regex = regex
    flags.expressions = expressions
    return flags
  }
}
