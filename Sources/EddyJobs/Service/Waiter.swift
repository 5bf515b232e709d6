import EddyHTTP

/// A client that waits for a job: a node of ``Waiters``' list, not a suspended task.
///
/// It never names a connection or a descriptor, only an exchange, through its responder.
final class Waiter: Timed, @unchecked Sendable {
  /// What the client asked for.
  enum Wish {
    /// The job's description; with tags, as soon as it is none of these versions.
    case description(EntityTags?)
    /// The result.
    case result
    /// The result of what it just submitted; what was honoured of its preferences.
    case submission(applied: String?)

    var needsResult: Bool {
      if case .description = self { false } else { true }
    }
  }

  /// Where it stands on its way: register, read, park.
  enum Phase {
    /// Registered, so that wakes reach it; the job has not been read since.
    case reading
    /// The job was read and has nothing to say yet.
    case parked
    /// Answered, or its client is gone.
    case done
  }

  let id: JobID
  let responder: Responder
  var wish: Wish
  var phase = Phase.reading
  /// The version that was read last.
  var seen = 0
  /// The latest version that a wake has named.
  var woken = 0

  private unowned let service: JobService
  // Waiters' links: others that wait for the same job.
  var next: Waiter?
  unowned(unsafe) var previous: Waiter?

  init(id: JobID, responder: Responder, wish: Wish, service: JobService) {
    self.id = id
    self.responder = responder
    self.wish = wish
    self.service = service
  }

  override func expire() { service.endWait(self) }
}

/// Who waits for which job. Confined to the loop's thread.
struct Waiters {
  private var first: [JobID: Waiter] = [:]
  private(set) var count = 0

  var ids: some Collection<JobID> { first.keys }

  mutating func register(_ waiter: Waiter) {
    if let head = first[waiter.id] {
      waiter.next = head
      head.previous = waiter
    }
    first[waiter.id] = waiter
    count += 1
  }

  /// - Precondition: it is registered.
  mutating func remove(_ waiter: Waiter) {
    if let previous = waiter.previous {
      previous.next = waiter.next
    } else {
      first[waiter.id] = waiter.next
    }
    waiter.next?.previous = waiter.previous
    waiter.next = nil
    waiter.previous = nil
    count -= 1
  }

  func isEmpty(for id: JobID) -> Bool { first[id] == nil }

  /// All that wait for a job; a copy, so that answering may change the list.
  func waiting(for id: JobID) -> [Waiter] {
    var all: [Waiter] = []
    var waiter = first[id]
    while let each = waiter {
      all.append(each)
      waiter = each.next
    }
    return all
  }

  /// Whether any that is parked has seen only versions before this one.
  func isStale(_ id: JobID, version: Int) -> Bool {
    var waiter = first[id]
    while let each = waiter {
      if each.phase == .parked, each.seen < version { return true }
      waiter = each.next
    }
    return false
  }

  var all: [Waiter] { first.keys.flatMap { waiting(for: $0) } }
}
