import CLibev

/// The threads that ask getaddrinfo(3) for a loop. The loop's thread; what it shares with the others
/// is in `LookupQueue`.
final class LookupThreads {
  private let queue: UnsafeMutablePointer<LookupQueue>
  private var isForgotten = false

  /// - Throws: `EDDY_ENOMEM`.
  convenience init(loop: Loop) throws(EddyError) {
    guard let queue = LookupQueue.allocate(loop: loop) else { throw EddyError(EDDY_ENOMEM) }
    self.init(queue)
  }

  private init(_ queue: UnsafeMutablePointer<LookupQueue>) {
    self.queue = queue
  }

  /// The loop goes: nothing is posted to it from here on. Threads that have nothing to do end before
  /// this returns; those in getaddrinfo end with it, and the last one frees the queue.
  deinit {
    if !isForgotten { LookupQueue.leave(queue) }
  }

  /// In the child of fork(2), which has none of the threads. No lookup may be running.
  func forget() {
    isForgotten = true
    free(queue)  // its mutex and condition may be in use by threads that are not there
  }

  /// Queues a request for a thread.
  /// - Throws: `EDDY_EAGAIN` if there is no thread and the system gives none.
  func submit(_ request: UnsafeMutablePointer<LookupRequest>) throws(EddyError) {
    pthread_mutex_lock(&queue.pointee.mutex)
    queue.pointee.append(request)
    let canRun = LookupQueue.addThreadIfNeeded(queue)
    if !canRun { queue.pointee.remove(request) }
    pthread_mutex_unlock(&queue.pointee.mutex)
    guard canRun else { throw EddyError(EDDY_EAGAIN) }
    pthread_cond_signal(&queue.pointee.arrival)
  }

  /// Has nobody called when a request is answered. It is freed, at once or by then.
  func giveUp(_ request: UnsafeMutablePointer<LookupRequest>) {
    pthread_mutex_lock(&queue.pointee.mutex)
    let isWaiting = request.pointee.progress == .waiting
    if isWaiting { queue.pointee.remove(request) }
    request.pointee.isGivenUp = true
    pthread_mutex_unlock(&queue.pointee.mutex)
    if isWaiting { LookupRequest.free(request) }
  }

  /// Whether the answer to a request is on its way.
  func isAnswered(_ request: UnsafeMutablePointer<LookupRequest>) -> Bool {
    pthread_mutex_lock(&queue.pointee.mutex)
    defer { pthread_mutex_unlock(&queue.pointee.mutex) }
    return request.pointee.progress == .answered
  }
}
