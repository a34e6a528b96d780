/// A body that is taken piece by piece, so that it may go on as long as its sender likes: no more of it is
/// read while a piece is stored. The last piece is the endpoint's.
///
/// Where pieces end depends on the bytes alone, not on how they arrive: a repeat has the same ones.
package struct BodyPieces: Sendable {
  /// A piece is taken once there are so many bytes, and has so many; twice as many if nothing whole is in it,
  /// and so on to what a body may have.
  package let bytes: Int
  /// Stores what is whole at the beginning of a piece: how many bytes that is. 0: nothing is whole.
  package let take: @Sendable (HTTPCall) async throws(Problem) -> Int

  package init(
    bytes: Int, take: @escaping @Sendable (HTTPCall) async throws(Problem) -> Int
  ) {
    self.bytes = bytes
    self.take = take
  }
}
