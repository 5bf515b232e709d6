import EddyCore

// MARK: - Executor

extension EventLoop {
  /// Queues a job of Swift's concurrency. Any thread; from the loop's own it costs no system call.
  public func enqueue(_ job: consuming ExecutorJob) {
    // A job is one pointer, and so goes through the loop's queue without an allocation of its own.
    let job = unsafeBitCast(UnownedJob(job), to: UnsafeMutableRawPointer.self)
    core.post(
      { context, argument in
        let loop = Unmanaged<EventLoop>.fromOpaque(context.unsafelyUnwrapped)
        let job = unsafeBitCast(argument.unsafelyUnwrapped, to: UnownedJob.self)
        loop._withUnsafeGuaranteedRef {
          job.runSynchronously(
            isolatedTo: $0.asUnownedSerialExecutor(), taskExecutor: $0.asUnownedTaskExecutor())
        }
      }, Unmanaged.passUnretained(self).toOpaque(), job)
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }

  public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
    UnownedTaskExecutor(ordinary: self)
  }

  /// Lets `assumeIsolated` of an actor on this loop see that it is right. Any thread.
  public func checkIsolated() {
    preconditionOnLoop()
  }

  /// Any thread.
  public func isIsolatingCurrentContext() -> Bool? {
    isOnLoop
  }
}
