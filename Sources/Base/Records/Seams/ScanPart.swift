/// A part of an ordered scan whose units are found only when its rows are reached: a whole block, for one. So
/// the newest rows of a thousand blocks cost what those of one do.
package struct ScanPart: Sendable {
  /// What its units read, for counting.
  package let objects: Set<StoredObject>
  /// Bounds over its rows before filtering.
  package let bounds: KeyBounds
  private let find: @Sendable (DamagePolicy) throws(StoreError) -> [any ScanUnit]

  /// - Parameter find: The part's units, as ``PartitionSnapshot/plan(_:)`` gives them.
  package init(
    objects: Set<StoredObject>, bounds: KeyBounds,
    find: @escaping @Sendable (DamagePolicy) throws(StoreError) -> [any ScanUnit]
  ) {
    self.objects = objects
    self.bounds = bounds
    self.find = find
  }

  /// A unit that is found.
  package init(_ unit: any ScanUnit) {
    self.init(objects: unit.objects, bounds: unit.bounds) { _ in [unit] }
  }

  /// The units that may hold matching rows. Blocking (disk, CPU): call on a query thread.
  ///
  /// - Parameter policy: What is done if the part turns out to be damaged: whoever has told already what an
  ///   answer lacks may leave out no more, whatever the scan said.
  package func units(_ policy: DamagePolicy) throws(StoreError) -> [any ScanUnit] { try find(policy) }
}
