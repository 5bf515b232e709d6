extension MemoryJobs {
  mutating func claim(_ slots: [TaskSlots], owner: WorkerID, _ now: Timestamp) -> [ClaimedJob] {
    var claimed: [ClaimedJob] = []
    for slot in slots {
      var free = slot.free
      while free > 0, let id = queues[slot.task]?.order.popFirst() {
        // A job that was cancelled while it waited is skipped here.
        guard let entry = jobs[id], entry.job.state.isClaimable else { continue }
        countQueued(-1, task: slot.task)
        Self.start(&entry.job, owner: owner, now)
        entry.job.version += 1
        claimed.append(
          ClaimedJob(
            claim: JobClaim(id: id, attempt: entry.job.attempt, owner: owner), job: entry.job,
            input: .memory(entry.input), inputContentType: entry.inputContentType))
        wake(.changed(id, version: entry.job.version))
        free -= 1
      }
    }
    return claimed
  }

  /// The job that runs under exactly this claim. The fence.
  private func held(_ claim: JobClaim) -> MemoryJob? {
    guard let entry = jobs[claim.id], entry.job.state == .running,
      entry.job.attempt == claim.attempt, entry.job.owner == claim.owner
    else { return nil }
    return entry
  }

  mutating func finish(
    _ claim: JobClaim, _ outcome: JobOutcome, timeToLive: Duration, _ now: Timestamp
  ) -> TransitionOutcome {
    guard let entry = held(claim) else { return .refused }
    switch outcome {
    case .succeeded(let bytes, let contentType):
      entry.result = bytes
      heldBytes += bytes.count
      entry.job.result = ResultDescription(contentType: contentType, count: bytes.count)
      end(entry, .succeeded, timeToLive: timeToLive, now)
    case .failed(let failure):
      entry.job.failure = failure
      end(entry, .failed, timeToLive: timeToLive, now)
    case .cancelled:
      end(entry, .cancelled, timeToLive: timeToLive, now)
    }
    return .applied(entry.job)
  }

  /// Makes a job final. Its input is of no more use.
  private mutating func end(
    _ entry: MemoryJob, _ state: JobState, timeToLive: Duration, _ now: Timestamp
  ) {
    entry.job.state = state
    entry.job.owner = nil
    entry.job.finished = now
    entry.job.expires = now + timeToLive
    entry.job.version += 1
    heldBytes -= entry.input.count
    entry.input = []
    finished.append(entry)
    wake(.changed(entry.job.id, version: entry.job.version))
  }

  mutating func release(_ claim: JobClaim, timeToLive: Duration, _ now: Timestamp)
    -> TransitionOutcome
  {
    guard let entry = held(claim) else { return .refused }
    giveBack(entry, .queued, timeToLive: timeToLive, now)
    return .applied(entry.job)
  }

  private mutating func giveBack(
    _ entry: MemoryJob, _ state: JobState, timeToLive: Duration, _ now: Timestamp
  ) {
    if entry.job.isCancelRequested {
      end(entry, .cancelled, timeToLive: timeToLive, now)
      return
    }
    entry.job.state = state
    entry.job.owner = nil
    entry.job.version += 1
    // It is older than all that wait: it was claimed before them.
    queues[entry.job.task, default: TaskQueue()].order.prepend(entry.job.id)
    countQueued(1, task: entry.job.task)
    wake(.changed(entry.job.id, version: entry.job.version))
    wake(.claimable(task: entry.job.task))
  }

  mutating func reclaim(_ scope: ReclaimScope, policy: WorkerAttachment?, _ now: Timestamp) -> Int {
    let owners: Set<WorkerID>
    switch scope {
    case .expiredLeases:
      owners = lost
      lost = []
    case .worker(let owner):
      owners = [owner]
    }
    guard !owners.isEmpty else { return 0 }

    let timeToLive = policy?.resultTimeToLive ?? .zero
    let maximumCrashes = policy?.maximumCrashes ?? 1
    var count = 0
    for entry in jobs.values {
      guard entry.job.state == .running, let owner = entry.job.owner, owners.contains(owner) else {
        continue
      }
      count += 1
      entry.job.crashes += 1
      if entry.job.crashes >= maximumCrashes, !entry.job.isCancelRequested {
        entry.job.failure = JobFailure(
          kind: .crashed, title: "The task crashed its worker too often",
          detail: "It was tried \(entry.job.attempt) times and lost its worker each time.")
        end(entry, .dead, timeToLive: timeToLive, now)
      } else {
        giveBack(entry, .retrying, timeToLive: timeToLive, now)
      }
    }
    return count
  }

  mutating func cancel(
    _ id: JobID, principal: String?, timeToLive: Duration, _ now: Timestamp
  ) -> CancelOutcome {
    guard let entry = live(id, principal: principal, now) else {
      return remains(of: id, principal: principal).map(CancelOutcome.gone) ?? .unknown
    }
    switch entry.job.state {
    case .queued, .retrying:
      countQueued(-1, task: entry.job.task)
      end(entry, .cancelled, timeToLive: timeToLive, now)
      dropStaleEntries(task: entry.job.task)
      return .cancelled(entry.job)
    case .running:
      if !entry.job.isCancelRequested {
        entry.job.isCancelRequested = true
        entry.job.version += 1
        wake(.changed(id, version: entry.job.version))
      }
      return .requested(entry.job)
    case .succeeded, .failed, .cancelled, .dead:
      return .alreadyFinal(entry.job)
    }
  }

  /// Cancelled jobs leave their ids in the queue; they may not outnumber those that wait.
  private mutating func dropStaleEntries(task: String) {
    guard let queue = queues[task], queue.order.count > 2 * queue.count + 64 else { return }
    queues[task]?.order.filter { jobs[$0]?.job.state.isClaimable ?? false }
  }

  mutating func acknowledge(_ id: JobID, principal: String?, _ now: Timestamp)
    -> AcknowledgeOutcome
  {
    guard let entry = live(id, principal: principal, now) else {
      return remains(of: id, principal: principal).map(AcknowledgeOutcome.gone) ?? .unknown
    }
    guard entry.job.state.isFinal else { return .notFinal(entry.job) }
    bury(entry, .acknowledged, since: now)
    // Who still polls for it learns at once that it is gone.
    wake(.changed(id, version: entry.job.version + 1))
    return .acknowledged
  }

  /// Leaves a tombstone in place of a job.
  private mutating func bury(
    _ entry: MemoryJob, _ reason: JobTombstone.Reason, since: Timestamp
  ) {
    let id = entry.job.id
    finished.remove(entry)
    jobs[id] = nil
    heldBytes -= entry.heldBytes
    tombstones[id] = Grave(
      tombstone: JobTombstone(reason: reason, principal: entry.job.principal, since: since),
      key: entry.key)
    graveyard.append(id)
    while graveyard.count > limits.tombstones { dropOldestTombstone() }
  }

  private mutating func dropOldestTombstone() {
    guard let id = graveyard.popFirst(), let grave = tombstones.removeValue(forKey: id) else {
      return
    }
    if let key = grave.key, keys[key]?.id == id { keys[key] = nil }
  }

  mutating func purge(limit: Int, tombstoneTimeToLive: Duration, _ now: Timestamp) -> Int {
    var touched = 0
    while touched < limit, let entry = finished.first, let expires = entry.job.expires,
      expires <= now
    {
      bury(entry, .expired, since: expires)
      touched += 1
    }
    while touched < limit, let id = graveyard.first, let grave = tombstones[id],
      grave.tombstone.since + tombstoneTimeToLive <= now
    {
      dropOldestTombstone()
      touched += 1
    }
    return touched
  }
}
