import ArgumentParser

/// The flags that choose records of a dataset.
struct FilterOptions: ParsableArguments {
  @Option(help: "Only this level; may be given several times.") var level: [String] = []
  @Option(help: "Only this service; may be given several times.") var service: [String] = []
  @Option(help: "Only messages that hold this text.") var contains: [String] = []
  @Option(help: "Only messages that hold this whole word, in any case.") var word: [String] = []
  @Option(help: "Only messages that match this regular expression.") var regex: [String] = []
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
