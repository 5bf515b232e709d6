import CLibev
import Synchronization

/// The threads of a pool.
///
/// A thread that finds no work sleeps; to spin for a while first was measured, and costs more CPU
/// time than it saves. What wakes the threads keeps to this: while a work
/// waits and a thread sleeps, some thread has been woken and is on its way to the queue, and when the
/// last such one has found a work, it wakes the next if more wait. So no work waits behind another
/// one for long, and a burst of short works does not wake more threads than it needs.
final class PoolThreads {
  let queue: WorkQueue
  private let loop: Unmanaged<Loop>
  private var threads: [pthread_t] = []

  /// Threads that sleep, in the lower half; in the upper half seekers, which have been woken and
  /// have not yet found a work.
  private let idle = Atomic<UInt64>(0)
  private static let oneSleeper: UInt64 = 1
  private static let oneSeeker: UInt64 = 1 << 32
  private static let sleepers: UInt64 = oneSeeker - 1
  /// A unit for each sleeper that has been counted off.
  private let wakes: UnsafeMutablePointer<sem_t>

  private let isStopping = Atomic<Bool>(false)
  private let running: Atomic<Int>
  /// Tells the pool that all threads have ended. Set before they are told to.
  private var ended: UnsafeMutablePointer<PostNode>?

  /// Starts the threads.
  /// - Throws: `EDDY_EAGAIN` if the system gives no more; `EDDY_ENOMEM`.
  convenience init(count: Int, loop: Loop) throws(EddyError) {
    self.init(try WorkQueue(), count: count, loop)
    start(count)
    guard threads.count == count else {
      running.subtract(count - threads.count, ordering: .relaxed)
      stop()
      join()
      throw EddyError(EDDY_EAGAIN)
    }
  }

  private init(_ queue: WorkQueue, count: Int, _ loop: Loop) {
    self.queue = queue
    self.loop = Unmanaged.passUnretained(loop)
    running = Atomic(count)
    wakes = .allocate(capacity: 1)
    sem_init(wakes, 0, 0)
  }

  deinit {
    sem_destroy(wakes)
    wakes.deallocate()
    ended?.deallocate()
  }

  // MARK: The loop's thread

  private func start(_ count: Int) {
    // Threads inherit the mask: the host's signals stay with the host's threads.
    var all = sigset_t()
    sigfillset(&all)
    var mask = sigset_t()
    pthread_sigmask(SIG_SETMASK, &all, &mask)
    defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
    threads.reserveCapacity(count)
    for _ in 0..<count {
      var thread = pthread_t()
      let status = pthread_create(
        &thread, nil,
        { context in
          Unmanaged<PoolThreads>.fromOpaque(context.unsafelyUnwrapped)
            ._withUnsafeGuaranteedRef { $0.runThread() }
          return nil
        }, Unmanaged.passUnretained(self).toOpaque())
      guard status == 0 else { return }
      threads.append(thread)
    }
  }

  /// A work has been put into the queue.
  @inline(__always)
  func workHasCome() {
    wakeOneIfNoneSeeks(idle.load(ordering: .sequentiallyConsistent))
  }

  /// Lets the threads end once they have run what they have begun.
  /// - Parameter pool: who is told of it, on the loop's thread.
  func stop(telling pool: Pool? = nil) {
    if let pool {
      let node = UnsafeMutablePointer<PostNode>.allocate(capacity: 1)
      node.initialize(
        to: PostNode(
          { pool, _ in
            Unmanaged<Pool>.fromOpaque(pool.unsafelyUnwrapped)._withUnsafeGuaranteedRef {
              $0.threadsHaveEnded()
            }
          }, Unmanaged.passUnretained(pool).toOpaque()))
      ended = node
    }
    isStopping.store(true, ordering: .sequentiallyConsistent)
    while countOffSleeper(idle.load(ordering: .sequentiallyConsistent), if: { _ in true }) {
      sem_post(wakes)
    }
  }

  /// Waits for the threads, which have been told to stop.
  func join() {
    for thread in threads { pthread_join(thread, nil) }
  }

  // MARK: The pool's threads

  private func runThread() {
    var knownTail: UInt = 0
    while let work = nextWork(&knownTail) {
      work.pointee.function.unsafelyUnwrapped(work.pointee.context)
      loop._withUnsafeGuaranteedRef { Work.complete(work, on: $0) }
    }
    if running.subtract(1, ordering: .acquiringAndReleasing).newValue == 0, let ended {
      loop._withUnsafeGuaranteedRef { $0.post(ended) }
    }
  }

  /// The next work; nil when the pool stops.
  private func nextWork(_ knownTail: inout UInt) -> UnsafeMutablePointer<Work>? {
    if let work = queue.take(&knownTail) { return work }
    sleep(asSeeker: false)
    while !isStopping.load(ordering: .acquiring) {
      if let work = queue.take(&knownTail) {
        endSeeking()
        return work
      }
      sleep(asSeeker: true)
    }
    return nil
  }

  /// A seeker has found a work. Until now nobody else was woken, so it looks after that.
  private func endSeeking() {
    let idle = idle.subtract(Self.oneSeeker, ordering: .sequentiallyConsistent).newValue
    if idle != 0, !queue.isEmpty { wakeOneIfNoneSeeks(idle) }
  }

  /// Sleeps until it is woken, or not at all if a work has come meanwhile; a seeker from then on.
  private func sleep(asSeeker isSeeker: Bool) {
    let change = isSeeker ? Self.oneSleeper &- Self.oneSeeker : Self.oneSleeper
    let known = idle.wrappingAdd(change, ordering: .sequentiallyConsistent).newValue
    if !queue.isEmpty || isStopping.load(ordering: .sequentiallyConsistent) {
      if countOffSleeper(known, if: { _ in true }) { return }
      // All sleepers had been counted off: a unit for this one is on its way.
    }
    while sem_wait(wakes) != 0 {}  // EINTR
  }

  // MARK: Any thread

  /// Makes a seeker of a sleeper and wakes it, unless there is a seeker already.
  @inline(__always)
  private func wakeOneIfNoneSeeks(_ known: UInt64) {
    guard known & Self.sleepers != 0, known < Self.oneSeeker else { return }
    if countOffSleeper(known, if: { $0 < Self.oneSeeker }) { sem_post(wakes) }
  }

  /// Makes a seeker of some sleeper. False if there is none, or the condition does not hold.
  private func countOffSleeper(_ known: UInt64, if condition: (UInt64) -> Bool) -> Bool {
    var known = known
    while known & Self.sleepers != 0, condition(known) {
      let result = idle.weakCompareExchange(
        expected: known, desired: known - Self.oneSleeper + Self.oneSeeker,
        ordering: .sequentiallyConsistent)
      if result.exchanged { return true }
      known = result.original
    }
    return false
  }
}
