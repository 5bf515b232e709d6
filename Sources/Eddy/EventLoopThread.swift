import EddyCore
import Glibc
import Synchronization

/// A loop on a thread of its own.
///
/// ```swift
/// let thread = try EventLoopThread()
/// let answer = try await thread.loop.submit { 42 }
/// thread.stop()
/// ```
///
/// Any thread may use it.
public final class EventLoopThread: Sendable {
  public let loop: EventLoop
  private let thread: pthread_t
  private let isJoined = Mutex(false)

  /// Starts the thread, and returns once its loop runs.
  ///
  /// - Throws: `EDDY_EAGAIN` if the system gives no more threads; as ``EventLoop/init()``.
  public init() throws(EddyError) {
    let start = try Start()
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { context in
        Unmanaged<Start>.fromOpaque(context.unsafelyUnwrapped).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(start).toOpaque())
    guard status == 0 else {
      Unmanaged.passUnretained(start).release()
      throw EddyError(code: eddy_error_from_errno(status))
    }
    start.waitUntilRunning()
    loop = start.loop
    self.thread = thread
  }

  deinit {
    stop()
  }

  /// Stops the loop and waits for its thread to end. What was queued before runs first; what is
  /// queued later does not. From here on the loop is the calling thread's, so that what was confined
  /// to it can be let go there. Calling it again does nothing.
  ///
  /// - Precondition: not called on the loop's thread, which would wait for itself.
  public func stop() {
    precondition(
      pthread_equal(pthread_self(), thread) == 0, "The loop's thread can't await itself.")
    isJoined.withLock { isJoined in
      guard !isJoined else { return }
      loop.stop()
      pthread_join(thread, nil)
      isJoined = true
      do {
        // A stop ends the turn that sees it. What was queued before it may close what would
        // otherwise keep the loop alive for ever: a server, whose connections refer to it.
        try loop.run(.nowait)
      } catch {
        preconditionFailure("A loop whose thread has ended cannot be running: \(error).")
      }
    }
  }

  /// What the two threads share while one starts the other.
  private final class Start: Sendable {
    let loop: EventLoop
    private let isRunning: OpaqueSemaphore

    init() throws(EddyError) {
      loop = try EventLoop()
      isRunning = OpaqueSemaphore()
    }

    func run() {
      // From inside the loop: until it runs, the thread that created it counts as the loop's.
      loop.execute { [isRunning] in isRunning.signal() }
      do {
        try loop.run(.untilStopped)
      } catch {
        preconditionFailure("A loop that nobody else has seen cannot run elsewhere: \(error).")
      }
    }

    func waitUntilRunning() {
      isRunning.wait()
    }
  }
}

/// A semaphore of sem_overview(7), which is made for use by several threads.
private final class OpaqueSemaphore: @unchecked Sendable {
  // Unchecked, because a pointer is not Sendable; the calls that get it are thread-safe.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() {
    sem_init(semaphore, 0, 0)
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func signal() {
    sem_post(semaphore)
  }

  func wait() {
    while sem_wait(semaphore) != 0 {}  // EINTR
  }
}
