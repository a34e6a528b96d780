import Matching
import Records

/// Those who follow a partition with the same filter and shape.
struct LiveGroup: Sendable {
  struct Member: Sendable {
    let positionStart: Int64
    let queue: LiveQueue
  }

  let filter: CompiledPredicate
  let shape: any LiveShape
  var members: [UInt64: Member] = [:]
}

/// All who follow one partition, and how far it was offered to them. Its members' start positions split what
/// is offered into ranges, so that everyone has either all of a range or nothing.
struct LiveTail: Sendable {
  private struct Key: Sendable, Hashable {
    let filter: Records.Predicate
    let shape: String
  }

  let partition: Partition
  /// Rows below were offered.
  private(set) var position: Int64
  private(set) var groups: [Int: LiveGroup] = [:]
  private var groupOfKey: [Key: Int] = [:]
  private var nextGroup = 0
  private var plan: LivePlan?

  init(partition: Partition, position: Int64) {
    self.partition = partition
    self.position = position
  }

  func filter(equalTo filter: Records.Predicate, shape: any LiveShape) -> CompiledPredicate? {
    groupOfKey[Key(filter: filter, shape: shape.name)].flatMap { groups[$0]?.filter }
  }

  /// The group the member is in from now on.
  mutating func add(
    _ member: LiveGroup.Member, id: UInt64, filter: CompiledPredicate, shape: any LiveShape
  ) -> Int {
    plan = nil
    let key = Key(filter: filter.predicate, shape: shape.name)
    if let known = groupOfKey[key] {
      groups[known]?.members[id] = member
      return known
    }
    let group = nextGroup
    nextGroup += 1
    groups[group] = LiveGroup(filter: filter, shape: shape, members: [id: member])
    // A filter with a number that is none (NaN) does not equal itself and could not be taken out again.
    if key == key { groupOfKey[key] = group }
    return group
  }

  /// Whether it was there.
  mutating func remove(_ id: UInt64, from group: Int) -> Bool {
    guard groups[group]?.members.removeValue(forKey: id) != nil else { return false }
    plan = nil
    guard let left = groups[group], left.members.isEmpty else { return true }
    groups[group] = nil
    groupOfKey[Key(filter: left.filter.predicate, shape: left.shape.name)] = nil
    return true
  }

  /// What is to be offered next of the rows below `end`; nil if nothing.
  mutating func nextRange(below end: Int64) -> LiveRange? {
    if position >= end { return nil }
    let plan = plan ?? LivePlan(groups: groups, dataset: partition.dataset)
    self.plan = plan
    return LiveRange(plan: plan, positions: position..<min(end, plan.firstStart(after: position)))
  }

  mutating func advance(to position: Int64) { self.position = max(self.position, position) }
}

/// Rows to be offered, and to whom.
struct LiveRange: Sendable {
  let plan: LivePlan
  let positions: Range<Int64>
}

/// Who wants what of a partition, laid out for going through it. Immutable; made anew when somebody comes or
/// goes.
final class LivePlan: Sendable {
  struct Group: Sendable {
    /// An index into `filters`.
    let filter: Int
    let members: [LiveGroup.Member]
  }

  struct Shape: Sendable {
    let shape: any LiveShape
    let groups: [Group]
  }

  let dataset: Dataset
  let filters: [CompiledPredicate]
  let shapes: [Shape]
  /// What filters and shapes read, and `position`.
  let columns: [String]
  /// Rising.
  private let starts: [Int64]

  init(groups: [Int: LiveGroup], dataset: Dataset) {
    self.dataset = dataset
    var filters: [CompiledPredicate] = []
    var indexOfFilter: [Records.Predicate: Int] = [:]
    var shapes: [String: (shape: any LiveShape, groups: [Group])] = [:]
    var columns: Set<String> = ["position"]
    var starts: Set<Int64> = []
    for group in groups.values {
      let filter = indexOfFilter[group.filter.predicate] ?? filters.count
      if filter == filters.count {
        filters.append(group.filter)
        indexOfFilter[group.filter.predicate] = filter
      }
      shapes[group.shape.name, default: (group.shape, [])].groups.append(
        Group(filter: filter, members: Array(group.members.values)))
      columns.formUnion(group.filter.paths.map(\.column))
      columns.formUnion(group.shape.columns)
      for member in group.members.values { starts.insert(member.positionStart) }
    }
    self.filters = filters
    self.shapes = shapes.values.map { Shape(shape: $0.shape, groups: $0.groups) }
    self.columns = columns.sorted()
    self.starts = starts.sorted()
  }

  /// Whether everybody has joined by `position`.
  func allStarted(by position: Int64) -> Bool { starts.last ?? .min <= position }

  /// The first position behind `position` at which somebody joins.
  func firstStart(after position: Int64) -> Int64 {
    starts.first { $0 > position } ?? .max
  }
}
