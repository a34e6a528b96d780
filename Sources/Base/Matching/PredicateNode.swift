import Records

/// A predicate after checking: literals converted, patterns compiled.
indirect enum PredicateNode: Sendable {
  case all
  case none
  case and([PredicateNode])
  case or([PredicateNode])
  case not(PredicateNode)
  case leaf(PredicateLeaf)

  /// Rough work a row, to run what is cheap and narrows first.
  var cost: Int {
    switch self {
    case .all, .none: 0
    case .and(let parts), .or(let parts): parts.reduce(0) { $0 + $1.cost }
    case .not(let part): part.cost
    case .leaf(let leaf): leaf.cost
    }
  }
}

/// A condition on one column or member.
struct PredicateLeaf: Sendable {
  let path: ColumnPath
  let type: ColumnType
  let test: PredicateTest

  var cost: Int {
    let isObject = type == .json
    switch test {
    case .exists: return isObject && !path.members.isEmpty ? 12 : 1
    case .values: return isObject ? 12 : type.isText ? 4 : 2
    case .text: return isObject ? 30 : 8
    }
  }
}

enum PredicateTest: Sendable {
  case exists
  case values(ValueTest)
  case text(TextAutomaton)
}

/// The values that fulfil a comparison, by kind; nil: no value of the kind does.
struct ValueTest: Sendable {
  var numbers: NumberTest?
  var text: TextTest?
  /// 16 bytes each, as text.
  var uuids: TextTest?
  var passesTrue = false
  var passesFalse = false
  /// The literals of an equality, converted to the column's type.
  var equals: [Literal]?
  var lower: Literal?
  var upper: Literal?
}
