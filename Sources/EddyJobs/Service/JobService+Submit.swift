import EddyHTTP
import HTTPTypes

extension JobService {
  /// `POST /tasks/{name}`
  func submit(_ request: Request, _ responder: Responder, to runner: TaskRunner) {
    guard !isDraining else { return refuse(responder) }
    let preference = request.header(.prefer).map(Preference.init(parsing:)) ?? Preference()
    let key = request.header(.idempotencyKey)
    let input = TaskInput(request.body, contentType: request.header(.contentType))
    do {
      if let key { try IdempotencyKey.validate(key) }
      try runner.definition.validate?(input)
    } catch {
      responder.respond(error.uncached)
      return
    }
    spawn {
      do throws(StoreError) {
        let idempotency = await self.idempotency(key, input.bytes)
        guard !self.isDraining else { return self.refuse(responder) }
        try await self.submit(input, idempotency, preference, runner, responder)
      } catch {
        self.storeFailed(error)
        responder.respond(JobProblem.storeDown(error).uncached)
      }
    }
  }

  private func refuse(_ responder: Responder) {
    responder.respond(JobProblem.draining(retryAfter: configuration.retryAfter).uncached)
  }

  /// The pool would be quicker with a large body; but it may be busy for an hour, and a submission
  /// is answered at once.
  private func idempotency(_ key: String?, _ body: [UInt8]) async -> JobSubmission.Idempotency? {
    guard let key else { return nil }
    return JobSubmission.Idempotency(key: key, digest: await Digest(inPiecesOf: body))
  }

  private func submit(
    _ input: TaskInput, _ idempotency: JobSubmission.Idempotency?, _ preference: Preference,
    _ runner: TaskRunner, _ responder: Responder
  ) async throws(StoreError) {
    // With a free slot and nothing older known to wait, the job is to be ours from the start.
    let claimant =
      runner.free > 0 && !runner.hasBacklog && !runner.isHeldBack && !isDraining ? owner : nil
    if claimant != nil { runner.busy += 1 }
    let outcome: SubmitOutcome
    do throws(StoreError) {
      outcome = try await store.submit(
        JobSubmission(
          id: JobID(), task: runner.definition.name, input: input.bytes,
          inputContentType: input.contentType, idempotency: idempotency,
          taskQueueLimit: runner.definition.queueLimit,
          totalQueueLimit: configuration.maximumQueued, claimant: claimant))
      storeWorked()
    } catch {
      if claimant != nil { freeSlot(of: runner) }
      throw error
    }

    let wait = preference.wait.map { min(.seconds($0), configuration.maximumWait) } ?? .zero
    var honoured = preference
    honoured.wait = preference.wait == nil ? nil : Int(wait.components.seconds)

    switch outcome {
    case .created(let job):
      counted.submitted += 1
      if let claimant, job.owner == claimant {
        hold(job, responder, honoured.applied, upTo: wait)
        begin(
          ClaimedJob(
            claim: JobClaim(id: job.id, attempt: job.attempt, owner: claimant), job: job,
            input: .memory(input.bytes), inputContentType: input.contentType), runner)
        return
      }
      if claimant != nil { freeSlot(of: runner) }
      runner.hasBacklog = true
      refer(job, responder, honoured.applied, upTo: wait)
      refill()
    case .existing(let job):
      if claimant != nil { freeSlot(of: runner) }
      counted.replayed += 1
      refer(job, responder, honoured.applied, upTo: wait)
    case .existingGone(_, let tombstone):
      if claimant != nil { freeSlot(of: runner) }
      counted.replayed += 1
      responder.respond(JobProblem.gone(tombstone).uncached)
    case .keyReused:
      if claimant != nil { freeSlot(of: runner) }
      responder.respond(JobProblem.keyReused.uncached)
    case .queueFull(let bound):
      if claimant != nil { freeSlot(of: runner) }
      counted.refusedFull += 1
      responder.respond(
        JobProblem.queueFull(
          bound, task: runner.definition.name, retryAfter: configuration.retryAfter
        ).uncached)
    }
  }

  /// Answers a submission whose job begins here in this turn: its end is delivered by this worker,
  /// so there is nothing to read before parking.
  private func hold(_ job: Job, _ responder: Responder, _ applied: String?, upTo wait: Duration) {
    guard wait > .zero, !isDraining else {
      responder.respond(accepted(job, applied: applied))
      return
    }
    let waiter = Waiter(
      id: job.id, responder: responder, wish: .submission(applied: applied), service: self)
    waiters.register(waiter)
    park(waiter, seen: job.version, upTo: wait)
  }

  /// Answers a submission whose job is anybody's.
  private func refer(_ job: Job, _ responder: Responder, _ applied: String?, upTo wait: Duration) {
    if wait > .zero {
      self.wait(for: job.id, .submission(applied: applied), responder, upTo: wait)
    } else {
      responder.respond(accepted(job, applied: applied))
    }
  }
}
