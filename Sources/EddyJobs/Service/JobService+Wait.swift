import EddyHTTP

// How a poll is held: it registers, then reads, then parks.
//
// A wake that comes between registering and parking finds the waiter and is remembered, so that the
// job is read again; one that comes before registering is contained in what is then read. What is
// never announced at all is found by the sweep.

extension JobService {
  /// Answers `responder` when the job has what it wishes, or after `wait`, whichever is first.
  func wait(for id: JobID, _ wish: Waiter.Wish, _ responder: Responder, upTo wait: Duration) {
    let waiter = Waiter(id: id, responder: responder, wish: wish, service: self)
    waiters.register(waiter)
    spawn { await self.look(waiter, wait) }
  }

  /// Parks the waiter of a job that this very turn has read, and that this worker runs.
  func park(_ waiter: Waiter, seen version: Int, upTo wait: Duration) {
    waiter.seen = version
    // If the client is gone already, no answer can be given.
    guard waiter.responder.onAbandoned({ self.abandon(waiter) }) else {
      return abandon(waiter)
    }
    waiter.phase = .parked
    deadlines.add(waiter, after: jittered(wait))
  }

  private func jittered(_ wait: Duration) -> Duration {
    guard configuration.waitJitter > 0 else { return wait }
    let nanoseconds = Double(wait.clampedNanoseconds)
    let share = Double.random(in: 0...configuration.waitJitter, using: &jitter)
    return .nanoseconds(Int64(nanoseconds * (1 - share)))
  }

  /// Reads the job for a waiter that is registered, and answers it or parks it.
  private func look(_ waiter: Waiter, _ wait: Duration) async {
    while waiter.phase == .reading {
      waiter.woken = 0
      let lookup: JobLookup
      do throws(StoreError) {
        lookup = try await read(waiter)
      } catch {
        return answer(waiter, with: JobProblem.storeDown(error).response)
      }
      // Meanwhile an attempt of this worker may have ended and answered it.
      guard waiter.phase == .reading else { return }
      let isWaitOver = wait <= .zero || isDraining
      if let response = reply(to: waiter, lookup, isWaitOver: isWaitOver) {
        return answer(waiter, with: response)
      }
      guard case .found(let job, _) = lookup else { return }
      if waiter.woken > job.version { continue }
      waiter.pinVersion(job)
      return park(waiter, seen: job.version, upTo: wait)
    }
  }

  private func read(_ waiter: Waiter) async throws(StoreError) -> JobLookup {
    do {
      let lookup = try await store.read(
        waiter.id, principal: nil, result: waiter.wish.needsResult)
      storeWorked()
      return lookup
    } catch {
      storeFailed(error)
      throw error
    }
  }

  /// Answers a waiter; unless it was answered before, or its client is gone.
  func answer(_ waiter: Waiter, with response: Response) {
    guard waiter.phase != .done else { return }
    if waiter.phase == .parked { counted.pollsAnswered += 1 }
    waiter.phase = .done
    deadlines.remove(waiter)
    waiters.remove(waiter)
    waiter.responder.respond(response)
  }

  /// The client went away: the waiter goes, and the job goes on, unless its task says otherwise.
  private func abandon(_ waiter: Waiter) {
    guard waiter.phase != .done else { return }
    waiter.phase = .done
    counted.pollsAbandoned += 1
    deadlines.remove(waiter)
    waiters.remove(waiter)
    guard waiters.isEmpty(for: waiter.id), !isDraining else { return }
    cancelIfUnwanted(waiter.id)
  }

  /// Cancels a job that nobody here waits for any more, if its task wants that.
  private func cancelIfUnwanted(_ id: JobID) {
    guard runners.values.contains(where: \.definition.cancelsWhenAbandoned) else { return }
    spawn {
      do throws(StoreError) {
        guard
          case .found(let job, _) = try await self.store.read(id, principal: nil, result: false),
          self.runners[job.task]?.definition.cancelsWhenAbandoned == true,
          self.waiters.isEmpty(for: id)
        else { return }
        self.cancelled(try await self.store.cancel(id, principal: job.principal))
      } catch {
        // The job goes on and its result expires: harmless.
        self.storeFailed(error)
      }
    }
  }

  /// The wait is over: answers with the state as it is now.
  func endWait(_ waiter: Waiter) {
    spawn {
      guard waiter.phase == .parked else { return }
      do throws(StoreError) {
        let lookup = try await self.read(waiter)
        guard waiter.phase == .parked else { return }
        if let response = self.reply(to: waiter, lookup, isWaitOver: true) {
          self.answer(waiter, with: response)
        }
      } catch {
        self.answer(waiter, with: JobProblem.storeDown(error).response)
      }
    }
  }

  // MARK: Wakes

  /// A hint from the store.
  func receive(_ wake: JobWake) {
    guard !isClosed else { return }
    switch wake {
    case .claimable(let task):
      guard let runner = runners[task] else { return }
      runner.hasBacklog = true
      refill()
    case .changed(let id, let version):
      for waiter in waiters.waiting(for: id) where waiter.phase == .reading {
        waiter.woken = max(waiter.woken, version)
      }
      if waiters.isStale(id, version: version) || isStale(attemptAt: id, version: version) {
        spawn { await self.lookAgain(id) }
      }
    }
  }

  func isStale(attemptAt id: JobID, version: Int) -> Bool {
    guard let attempt = running[id] else { return false }
    return attempt.seen < version
  }

  /// Reads a job that is said to have changed, for all that are parked and for the attempt at it.
  func lookAgain(_ id: JobID) async {
    let needsResult = waiters.waiting(for: id).contains(where: \.wish.needsResult)
    do {
      let lookup = try await store.read(id, principal: nil, result: needsResult)
      storeWorked()
      deliver(id, lookup, hasResult: needsResult)
    } catch {
      // They stay parked; the sweep tries again.
      storeFailed(error)
    }
  }

  /// Tells an attempt what has become of its job.
  private func inform(_ attempt: Attempt, _ lookup: JobLookup) {
    guard case .found(let job, _) = lookup else {
      attempt.seen = .max
      return attempt.cancel()
    }
    guard attempt.seen < job.version else { return }
    attempt.seen = job.version
    if job.state == .running, job.attempt == attempt.claim.attempt,
      job.owner == attempt.claim.owner
    {
      if job.isCancelRequested { requestCancel(of: attempt) }
    } else {
      // Somebody has taken it from us: what the attempt comes to will be refused.
      attempt.cancel()
    }
  }

  /// Hands what was read, or what an attempt came to, to all that it concerns.
  func deliver(_ id: JobID, _ lookup: JobLookup, hasResult: Bool) {
    if let attempt = running[id] { inform(attempt, lookup) }
    for waiter in waiters.waiting(for: id) {
      if waiter.phase == .reading {
        // It has its own reading under way, which may have missed this.
        if case .found(let job, _) = lookup { waiter.woken = max(waiter.woken, job.version) }
        continue
      }
      // Readings of a store that is slow may overtake each other.
      if case .found(let job, _) = lookup {
        if job.version < waiter.seen { continue }
        // What is final is not seen before its result is.
        if job.state.isFinal && waiter.wish.needsResult && !hasResult { continue }
      }
      if let response = reply(to: waiter, lookup, isWaitOver: false) {
        answer(waiter, with: response)
      } else if case .found(let job, _) = lookup {
        waiter.seen = max(waiter.seen, job.version)
      }
    }
  }
}

extension Waiter {
  /// `If-None-Match: *` waits for a change of whatever it is now.
  func pinVersion(_ job: Job) {
    if case .description(.any?) = wish { wish = .description(.versions([job.version])) }
  }
}
