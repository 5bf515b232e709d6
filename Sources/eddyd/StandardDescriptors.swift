import Glibc

/// Descriptors 0, 1 and 2.
enum StandardDescriptors {
  /// Opens /dev/null for those that are closed: else a connection could get the number 2, and the
  /// log would go to a client.
  static func fill() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is this one, since those below are open.
      _ = open("/dev/null", O_RDWR)
    }
  }
}
