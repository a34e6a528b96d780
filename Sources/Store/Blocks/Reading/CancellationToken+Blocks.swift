import Records

extension CancellationToken? {
  /// - Throws: `.ended`, if there is a token and it is over.
  func check() throws(BlockError) {
    guard let token = self else { return }
    do throws(StoreError) { try token.check() } catch { throw .ended(error) }
  }
}
