import CLibev

/// A pool of threads for work that would hold the loop up. The loop's thread, but for the work.
public final class Pool: Handle {
  public static let defaultThreads = 4
  public static let defaultQueueCapacity = 1024
  /// More threads than this are a mistake in a unit, not a wish.
  public static let maximumThreads = 1024

  private let shared: UnsafeMutablePointer<WorkQueue>
  private let threads: [pthread_t]
  private let queueCapacity: Int

  /// - Parameters:
  ///   - threads: 1 to 1,024.
  ///   - queueCapacity: the most works that wait for a thread, at least 1.
  /// - Throws: `EDDY_EINVAL`; `EDDY_EAGAIN` if the system gives no more threads.
  public convenience init(
    loop: Loop, threads count: Int = defaultThreads, queueCapacity: Int = defaultQueueCapacity
  ) throws(EddyError) {
    guard (1...Self.maximumThreads).contains(count), queueCapacity > 0 else {
      throw EddyError(EDDY_EINVAL)
    }
    let queue = UnsafeMutablePointer<WorkQueue>.allocate(capacity: 1)
    queue.initialize(to: WorkQueue(loop: loop))
    pthread_mutex_init(&queue.pointee.mutex, nil)
    pthread_cond_init(&queue.pointee.arrival, nil)
    let started = Self.startThreads(count, queue)
    guard started.count == count else {
      Self.stopThreads(started, queue)
      Self.destroy(queue)
      throw EddyError(EDDY_EAGAIN)
    }
    self.init(loop: loop, started, queue, queueCapacity: queueCapacity)
  }

  private init(
    loop: Loop, _ threads: [pthread_t], _ shared: UnsafeMutablePointer<WorkQueue>,
    queueCapacity: Int
  ) {
    self.shared = shared
    self.threads = threads
    self.queueCapacity = queueCapacity
    super.init(loop: loop, context: nil, forbidsFork: true)
  }

  deinit {
    Self.destroy(shared)
  }

  /// Queues work. While it waits or runs it keeps the loop alive.
  /// - Parameters:
  ///   - work: runs on a thread of the pool, with every signal blocked.
  ///   - done: runs on the loop's thread, once, with 0 or `EDDY_ECANCELED`.
  /// - Returns: 0; `EDDY_EAGAIN` if the queue is full; `EDDY_EALREADY` when closing; `EDDY_ENOMEM`.
  public func submit(
    work: @escaping eddy_work_cb, done: eddy_done_cb?, context: UnsafeMutableRawPointer?
  ) -> Int32 {
    guard !isClosing else { return code(EDDY_EALREADY) }
    guard let memory = malloc(MemoryLayout<Work>.size) else { return code(EDDY_ENOMEM) }
    let node = memory.bindMemory(to: Work.self, capacity: 1)
    node.initialize(to: Work(work: work, done: done, context: context))
    pthread_mutex_lock(&shared.pointee.mutex)
    let isFull = shared.pointee.waiting >= queueCapacity
    if !isFull { shared.pointee.append(node) }
    pthread_mutex_unlock(&shared.pointee.mutex)
    guard !isFull else {
      free(node)
      return code(EDDY_EAGAIN)
    }
    pthread_cond_signal(&shared.pointee.arrival)
    loop.ref()
    return 0
  }

  /// Works that wait for a thread.
  public var waiting: Int {
    pthread_mutex_lock(&shared.pointee.mutex)
    defer { pthread_mutex_unlock(&shared.pointee.mutex) }
    return shared.pointee.waiting
  }

  /// Closes the pool without blocking: what waits is completed as `EDDY_ECANCELED`, what runs
  /// runs to its end, then the close callback comes.
  /// - Parameter context: the close callback's.
  public func close(
    _ callback: eddy_close_cb? = nil, context: UnsafeMutableRawPointer? = nil
  ) {
    guard !isClosing else { return }
    beginClosing(callback, context)
    loop.ref()  // until the last thread has ended
    pthread_mutex_lock(&shared.pointee.mutex)
    var cancelled = shared.pointee.takeAll()
    pthread_mutex_unlock(&shared.pointee.mutex)
    // Before the threads are told to end: the last of them posts after every completion.
    while let node = cancelled {
      cancelled = node.pointee.next
      node.pointee.status = code(EDDY_ECANCELED)
      loop.post(Work.complete, Unmanaged.passUnretained(loop).toOpaque(), node)
    }
    pthread_mutex_lock(&shared.pointee.mutex)
    shared.pointee.isStopping = true
    shared.pointee.liveThreads = threads.count
    shared.pointee.pool = Unmanaged.passUnretained(self)
    pthread_mutex_unlock(&shared.pointee.mutex)
    pthread_cond_broadcast(&shared.pointee.arrival)
  }

  /// The last thread has ended; runs on the loop's thread, after every completion.
  fileprivate func threadsHaveEnded() {
    for thread in threads { pthread_join(thread, nil) }
    loop.unref()
    finishClosing()
  }

  // MARK: Threads

  private static func startThreads(
    _ count: Int, _ queue: UnsafeMutablePointer<WorkQueue>
  ) -> [pthread_t] {
    // Threads inherit the mask: the host's signals stay with the host's threads.
    var all = sigset_t()
    sigfillset(&all)
    var mask = sigset_t()
    pthread_sigmask(SIG_SETMASK, &all, &mask)
    defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
    var threads: [pthread_t] = []
    threads.reserveCapacity(count)
    for _ in 0..<count {
      var thread = pthread_t()
      let status = pthread_create(
        &thread, nil,
        { queue in
          WorkQueue.runThread(queue.unsafelyUnwrapped.assumingMemoryBound(to: WorkQueue.self))
          return nil
        }, queue)
      guard status == 0 else { break }
      threads.append(thread)
    }
    return threads
  }

  private static func stopThreads(
    _ threads: [pthread_t], _ queue: UnsafeMutablePointer<WorkQueue>
  ) {
    pthread_mutex_lock(&queue.pointee.mutex)
    queue.pointee.isStopping = true
    pthread_mutex_unlock(&queue.pointee.mutex)
    pthread_cond_broadcast(&queue.pointee.arrival)
    for thread in threads { pthread_join(thread, nil) }
  }

  private static func destroy(_ queue: UnsafeMutablePointer<WorkQueue>) {
    pthread_mutex_destroy(&queue.pointee.mutex)
    pthread_cond_destroy(&queue.pointee.arrival)
    queue.deinitialize(count: 1)
    queue.deallocate()
  }
}

/// One function that waits for a thread, runs, or waits for its completion.
private struct Work {
  let work: eddy_work_cb
  let done: eddy_done_cb?
  let context: UnsafeMutableRawPointer?
  var status: Int32 = 0
  var next: UnsafeMutablePointer<Work>?

  init(work: @escaping eddy_work_cb, done: eddy_done_cb?, context: UnsafeMutableRawPointer?) {
    self.work = work
    self.done = done
    self.context = context
  }

  /// Runs on the loop's thread.
  static let complete: Loop.Post = { loop, node in
    let node = node.unsafelyUnwrapped.assumingMemoryBound(to: Work.self)
    let work = node.pointee
    free(node)
    Unmanaged<Loop>.fromOpaque(loop.unsafelyUnwrapped)._withUnsafeGuaranteedRef { $0.unref() }
    work.done?(work.status, work.context)
  }
}

/// What the loop's thread and the pool's share, under its mutex.
private struct WorkQueue {
  var mutex = pthread_mutex_t()
  var arrival = pthread_cond_t()
  var first: UnsafeMutablePointer<Work>?
  var last: UnsafeMutablePointer<Work>?
  var waiting = 0
  var isStopping = false
  /// Threads that have not ended yet; counted once the pool is closing.
  var liveThreads = 0
  var pool: Unmanaged<Pool>?
  let loop: Unmanaged<Loop>

  init(loop: Loop) {
    self.loop = Unmanaged.passUnretained(loop)
  }

  mutating func append(_ node: UnsafeMutablePointer<Work>) {
    if let last {
      last.pointee.next = node
    } else {
      first = node
    }
    last = node
    waiting += 1
  }

  mutating func take() -> UnsafeMutablePointer<Work>? {
    guard let node = first else { return nil }
    first = node.pointee.next
    if first == nil { last = nil }
    waiting -= 1
    return node
  }

  mutating func takeAll() -> UnsafeMutablePointer<Work>? {
    defer {
      first = nil
      last = nil
      waiting = 0
    }
    return first
  }

  /// The life of a thread.
  static func runThread(_ queue: UnsafeMutablePointer<WorkQueue>) {
    let loop = queue.pointee.loop
    pthread_mutex_lock(&queue.pointee.mutex)
    while true {
      if let node = queue.pointee.take() {
        pthread_mutex_unlock(&queue.pointee.mutex)
        node.pointee.work(node.pointee.context)
        loop._withUnsafeGuaranteedRef { $0.post(Work.complete, loop.toOpaque(), node) }
        pthread_mutex_lock(&queue.pointee.mutex)
      } else if queue.pointee.isStopping {
        break
      } else {
        pthread_cond_wait(&queue.pointee.arrival, &queue.pointee.mutex)
      }
    }
    queue.pointee.liveThreads -= 1
    let isLast = queue.pointee.liveThreads == 0
    let pool = queue.pointee.pool
    pthread_mutex_unlock(&queue.pointee.mutex)
    guard isLast, let pool else { return }
    loop._withUnsafeGuaranteedRef {
      $0.post(
        { pool, _ in
          Unmanaged<Pool>.fromOpaque(pool.unsafelyUnwrapped)._withUnsafeGuaranteedRef {
            $0.threadsHaveEnded()
          }
        }, pool.toOpaque())
    }
  }
}
