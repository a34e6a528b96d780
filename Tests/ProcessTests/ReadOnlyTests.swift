import Testing

/// A data directory on a file system that may only be read: as after an error of the disk, or a rescue.
@Suite struct ReadOnlyTests {
  /// Looked at by a mount of its own, where this machine lets processes have one.
  @Test func readingNeedsNoWriting() throws {
    try LiveScript.run(
      #"""
      def read_only(*arguments):
          mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
          return subprocess.run(
              ["unshare", "--mount", "sh", "-c", mount, server.data, *arguments],
              capture_output=True, text=True, timeout=60)

      server = Server()
      server.write([{"message": f"m {number}"} for number in range(100)])
      server.archive()
      server.write([{"message": "in the head"}])
      server.stop()
      if read_only("true").returncode == 0:
          assert "Read-only" in read_only("touch", server.data + "/x").stderr
          for has_lock in [True, False]:
              if not has_lock:
                  os.remove(server.data + "/lock")
              checked = read_only(BINARY, "check", server.data)
              assert checked.returncode == 0 and "sound" in checked.stdout, checked
              inspected = read_only(BINARY, "inspect", server.data)
              assert inspected.returncode == 0 and "101" in inspected.stdout, inspected
              served = read_only(BINARY, "serve", "--data-dir", server.data, "--port", "0")
              assert served.returncode > 0 and "Read-only file system" in served.stderr, served
      server.start()
      server.stop()
      """#)
  }
}
