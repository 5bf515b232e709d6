import CLibev

/// What the loop's thread and the lookup threads share, under its mutex. It lives until the loop and
/// the last thread have left it.
struct LookupQueue {
  /// A name server that does not answer holds a thread for many seconds, so that one is not enough.
  static let maximumThreads = 4
  /// How long a thread waits for its next request before it ends.
  static let idleLimit = 10 * Int(EDDY_SECOND)

  private struct Thread {
    enum State {
      case none
      /// Waits for a request, or is about to look for one.
      case available
      /// Is in getaddrinfo(3), for nobody knows how long.
      case resolving
    }
    var state = State.none
    var thread = pthread_t()
    let queue: UnsafeMutablePointer<LookupQueue>
  }

  var mutex = pthread_mutex_t()
  /// A request has come, or the loop has left.
  var arrival = pthread_cond_t()
  /// nil once the loop has left.
  private var loop: Unmanaged<Loop>?
  private var first: UnsafeMutablePointer<LookupRequest>?
  private var last: UnsafeMutablePointer<LookupRequest>?
  private var waiting = 0
  /// `maximumThreads` of them, in the same piece of memory.
  private let threads: UnsafeMutablePointer<Thread>
  /// The loop, and each thread.
  private var holders = 1

  private init(loop: Loop, threads: UnsafeMutablePointer<Thread>) {
    self.loop = Unmanaged.passUnretained(loop)
    self.threads = threads
  }

  /// nil without memory.
  static func allocate(loop: Loop) -> UnsafeMutablePointer<LookupQueue>? {
    let threadsSize = maximumThreads * MemoryLayout<Thread>.stride
    guard let memory = malloc(MemoryLayout<LookupQueue>.stride + threadsSize) else { return nil }
    let queue = memory.bindMemory(to: LookupQueue.self, capacity: 1)
    let threads = (memory + MemoryLayout<LookupQueue>.stride).bindMemory(
      to: Thread.self, capacity: maximumThreads)
    threads.initialize(repeating: Thread(queue: queue), count: maximumThreads)
    queue.initialize(to: LookupQueue(loop: loop, threads: threads))
    pthread_mutex_init(&queue.pointee.mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(&queue.pointee.arrival, &attributes)
    pthread_condattr_destroy(&attributes)
    return queue
  }

  // MARK: Requests

  mutating func append(_ request: UnsafeMutablePointer<LookupRequest>) {
    request.pointee.previous = last
    if let last {
      last.pointee.next = request
    } else {
      first = request
    }
    last = request
    waiting += 1
  }

  mutating func remove(_ request: UnsafeMutablePointer<LookupRequest>) {
    let next = request.pointee.next
    let previous = request.pointee.previous
    if let previous {
      previous.pointee.next = next
    } else {
      first = next
    }
    if let next {
      next.pointee.previous = previous
    } else {
      last = previous
    }
    waiting -= 1
  }

  // MARK: The loop's side

  /// Starts a thread unless as many as there are requests are available.
  /// - Returns: false if there is none at all and the system gives none.
  static func addThreadIfNeeded(_ queue: UnsafeMutablePointer<LookupQueue>) -> Bool {
    var unused: UnsafeMutablePointer<Thread>?
    var available = 0
    var resolving = 0
    for index in 0..<maximumThreads {
      let thread = queue.pointee.threads + index
      switch thread.pointee.state {
      case .none: unused = thread
      case .available: available += 1
      case .resolving: resolving += 1
      }
    }
    guard queue.pointee.waiting > available, let unused else { return true }
    return start(unused) || available + resolving > 0
  }

  private static func start(_ thread: UnsafeMutablePointer<Thread>) -> Bool {
    // Threads inherit the mask: the host's signals stay with the host's threads.
    var all = sigset_t()
    sigfillset(&all)
    var mask = sigset_t()
    pthread_sigmask(SIG_SETMASK, &all, &mask)
    defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
    let status = pthread_create(
      &thread.pointee.thread, nil,
      { thread in
        LookupQueue.run(thread.unsafelyUnwrapped.assumingMemoryBound(to: Thread.self))
        return nil
      }, thread)
    guard status == 0 else { return false }
    thread.pointee.state = .available
    thread.pointee.queue.pointee.holders += 1
    return true
  }

  /// Takes the loop off. Threads that are available end before this returns; the others once they
  /// come out of getaddrinfo(3), which can't be waited for.
  static func leave(_ queue: UnsafeMutablePointer<LookupQueue>) {
    pthread_mutex_lock(&queue.pointee.mutex)
    queue.pointee.loop = nil
    var mustJoin: UInt32 = 0
    for index in 0..<maximumThreads {
      switch queue.pointee.threads[index].state {
      case .none: break
      case .available: mustJoin |= 1 << UInt32(index)
      case .resolving: pthread_detach(queue.pointee.threads[index].thread)
      }
    }
    pthread_mutex_unlock(&queue.pointee.mutex)
    pthread_cond_broadcast(&queue.pointee.arrival)
    for index in 0..<maximumThreads where mustJoin & 1 << UInt32(index) != 0 {
      pthread_join(queue.pointee.threads[index].thread, nil)
    }
    pthread_mutex_lock(&queue.pointee.mutex)
    unlockAndRelease(queue)
  }

  private static func unlockAndRelease(_ queue: UnsafeMutablePointer<LookupQueue>) {
    queue.pointee.holders -= 1
    let isLast = queue.pointee.holders == 0
    pthread_mutex_unlock(&queue.pointee.mutex)
    guard isLast else { return }
    pthread_mutex_destroy(&queue.pointee.mutex)
    pthread_cond_destroy(&queue.pointee.arrival)
    free(queue)
  }

  // MARK: The threads' side

  /// The life of a thread.
  private static func run(_ thread: UnsafeMutablePointer<Thread>) {
    let queue = thread.pointee.queue
    pthread_mutex_lock(&queue.pointee.mutex)
    while true {
      if let request = queue.pointee.first {
        queue.pointee.remove(request)
        request.pointee.progress = .running
        thread.pointee.state = .resolving
        pthread_mutex_unlock(&queue.pointee.mutex)
        LookupRequest.resolve(request)
        pthread_mutex_lock(&queue.pointee.mutex)
        thread.pointee.state = .available
        finish(request, queue.pointee.loop)
      } else if queue.pointee.loop == nil {
        break  // `leave` has detached the thread, or waits for it
      } else if !awaitArrival(queue), queue.pointee.first == nil, queue.pointee.loop != nil {
        thread.pointee.state = .none
        pthread_detach(pthread_self())
        break
      }
    }
    unlockAndRelease(queue)
  }

  /// False if nothing has come for long.
  private static func awaitArrival(_ queue: UnsafeMutablePointer<LookupQueue>) -> Bool {
    var deadline = timespec()
    clock_gettime(CLOCK_MONOTONIC, &deadline)
    deadline.tv_sec += idleLimit / Int(EDDY_SECOND)
    return pthread_cond_timedwait(&queue.pointee.arrival, &queue.pointee.mutex, &deadline) == 0
  }

  /// Hands an answer to the loop. The mutex, which is held, keeps the loop from leaving meanwhile.
  private static func finish(
    _ request: UnsafeMutablePointer<LookupRequest>, _ loop: Unmanaged<Loop>?
  ) {
    guard !request.pointee.isGivenUp, let loop else { return LookupRequest.free(request) }
    LookupRequest.post(request, to: loop)
  }
}
