import CLibev

/// The file of a Unix socket, known by device and inode, so that nobody else's is removed.
struct SocketFile {
  private let device: dev_t
  private let inode: ino_t

  init?(at address: Address) {
    var status = stat()
    let exists = address.withPath { path in path.map { stat($0, &status) == 0 } ?? false }
    guard exists else { return nil }
    device = status.st_dev
    inode = status.st_ino
  }

  func remove(at address: Address) {
    guard let present = SocketFile(at: address), present.device == device, present.inode == inode
    else { return }
    address.withPath { path in
      if let path { unlink(path) }
    }
  }

  /// Removes the file of a Unix socket that nobody listens on any more. True if it did. A file of
  /// another kind stays: to connect to one is refused, too.
  static func removeStale(at address: Address) -> Bool {
    var status = stat()
    let isSocket = address.withPath { path in
      path.map { lstat($0, &status) == 0 && status.st_mode & mode_t(S_IFMT) == mode_t(S_IFSOCK) }
        ?? false
    }
    guard isSocket else { return false }
    // Non-blocking: connect(2) would wait for room in the backlog of one that somebody listens on.
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let probe = socket(AF_UNIX, type, 0)
    guard probe >= 0 else { return false }
    defer { _ = CLibev.close(probe) }
    let isRefused =
      address.withSockaddr { connect(probe, $0, $1) } != 0 && clibev_errno() == ECONNREFUSED
    return isRefused && address.withPath { path in path.map { unlink($0) == 0 } ?? false }
  }
}
