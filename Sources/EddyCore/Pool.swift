import CLibev

/// A pool of threads for work that would hold the loop up. The loop's thread, but for the work.
public final class Pool: Handle {
  public static let defaultThreads = 4
  public static let defaultQueueCapacity = 1024
  /// More threads than this are a mistake in a unit, not a wish.
  public static let maximumThreads = 1024

  private let threads: PoolThreads
  private let queueCapacity: Int
  /// Works to use again, so that a submit allocates only when more are under way than ever before.
  private var freeWorks: UnsafeMutablePointer<Work>?
  /// Accepted works whose completion has not been called.
  private var underWay = 0

  /// - Parameters:
  ///   - threads: 1 to 1,024.
  ///   - queueCapacity: the most works that wait for a thread, at least 1.
  /// - Throws: `EDDY_EINVAL`; `EDDY_EAGAIN` if the system gives no more threads; `EDDY_ENOMEM`.
  public convenience init(
    loop: Loop, threads count: Int = defaultThreads, queueCapacity: Int = defaultQueueCapacity
  ) throws(EddyError) {
    guard (1...Self.maximumThreads).contains(count), queueCapacity > 0 else {
      throw EddyError(EDDY_EINVAL)
    }
    self.init(
      loop: loop, try PoolThreads(count: count, loop: loop), queueCapacity: queueCapacity)
  }

  private init(loop: Loop, _ threads: PoolThreads, queueCapacity: Int) {
    self.threads = threads
    self.queueCapacity = queueCapacity
    super.init(loop: loop, context: nil, forbidsFork: true)
  }

  deinit {
    while let work = freeWorks {
      freeWorks = work.pointee.next
      free(work)
    }
  }

  /// Queues work. While it waits or runs it keeps the loop alive.
  /// - Parameters:
  ///   - work: runs on a thread of the pool, with every signal blocked.
  ///   - done: runs on the loop's thread, once, with 0 or `EDDY_ECANCELED`.
  ///   - accepted: receives the work, for `cancel`; valid until `done` is called.
  /// - Returns: 0; `EDDY_EAGAIN` if the queue is full; `EDDY_EALREADY` when closing; `EDDY_ENOMEM`.
  public func submit(
    work function: @escaping eddy_work_cb, done: eddy_done_cb?,
    context: UnsafeMutableRawPointer?, accepted: UnsafeMutablePointer<OpaquePointer?>? = nil
  ) -> Int32 {
    guard !isClosing else { return code(EDDY_EALREADY) }
    guard threads.queue.hasRoom(queueCapacity) else { return code(EDDY_EAGAIN) }
    guard let work = freeWorks ?? Work.allocate(pool: self) else { return code(EDDY_ENOMEM) }
    freeWorks = work.pointee.next
    work.pointee.function = function
    work.pointee.done = done
    work.pointee.context = context
    work.pointee.status = 0
    guard threads.queue.append(work) else {
      release(work)
      return code(EDDY_ENOMEM)
    }
    if underWay == 0 { loop.ref() }
    underWay += 1
    accepted?.pointee = OpaquePointer(work)
    threads.workHasCome()
    return 0
  }

  /// Cancels a work that no thread has begun. Its completion is called later, from the loop, and
  /// its place in the queue is free at once.
  /// - Parameter work: what `submit` gave; its completion has not been called yet.
  /// - Returns: 0; `EDDY_EBUSY` if it runs or has run; `EDDY_EALREADY` if it was cancelled before.
  @discardableResult
  public static func cancel(_ work: OpaquePointer) -> Int32 {
    let work = UnsafeMutablePointer<Work>(work)
    switch work.pointee.cancel() {
    case .cancelled: return code(EDDY_EALREADY)
    case .begun: return code(EDDY_EBUSY)
    case .waits:
      work.pointee.pool._withUnsafeGuaranteedRef {
        $0.threads.queue.countCancelled()
        $0.completeCancelled(work)
      }
      return 0
    }
  }

  /// Works that wait for a thread.
  public var waiting: Int { threads.queue.count }

  /// Closes the pool without blocking: what waits is completed as `EDDY_ECANCELED`, what runs
  /// runs to its end, then the close callback comes.
  /// - Parameter context: the close callback's.
  public func close(
    _ callback: eddy_close_cb? = nil, context: UnsafeMutableRawPointer? = nil
  ) {
    guard !isClosing else { return }
    beginClosing(callback, context)
    loop.ref()  // until the last thread has ended
    // Before the threads are told to end: the last of them posts after every completion.
    threads.queue.takeAll { work in
      _ = work.pointee.cancel()
      completeCancelled(work)
    }
    threads.stop(telling: self)
  }

  /// The last thread has ended; runs on the loop's thread, after every completion.
  func threadsHaveEnded() {
    threads.join()
    loop.unref()
    finishClosing()
  }

  private func completeCancelled(_ work: UnsafeMutablePointer<Work>) {
    work.pointee.status = code(EDDY_ECANCELED)
    Work.complete(work, on: loop)
  }

  /// The loop's thread has the work back.
  static func hasCompleted(_ work: UnsafeMutableRawPointer) {
    let work = work.assumingMemoryBound(to: Work.self)
    work.pointee.pool._withUnsafeGuaranteedRef { $0.hasCompleted(work) }
  }

  private func hasCompleted(_ work: UnsafeMutablePointer<Work>) {
    let (done, status, context) = (work.pointee.done, work.pointee.status, work.pointee.context)
    release(work)
    underWay -= 1
    unmanagedLoop._withUnsafeGuaranteedRef { loop in
      if underWay == 0 { loop.unref() }
      if let done { loop.dispatch(.done, done, context) { done(status, context) } }
    }
  }

  private func release(_ work: UnsafeMutablePointer<Work>) {
    work.pointee.next = freeWorks
    freeWorks = work
  }
}
