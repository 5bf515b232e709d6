import EddyHTTP
import HTTPTypes

extension JobService {
  /// Adds the job protocol to a router: `/tasks/{name}` and `/jobs/{id}`.
  public func install(on router: Router) {
    loop.preconditionOnLoop()
    // A route a task, so that each has its own bound of the body.
    for runner in runners.values {
      router.onDeferred(
        .post, "/tasks/\(runner.definition.name)", bodyLimit: runner.definition.bodyLimit
      ) { request, responder in self.submit(request, responder, to: runner) }
    }
    router.onDeferred(.post, "/tasks/{name}") { request, responder in
      responder.respond(JobProblem.unknownTask(request.parameters["name"] ?? "").uncached)
    }
    on(router, .get, "/jobs/{id}") { id, request, responder in
      let tags = request.header(.ifNoneMatch).map(EntityTags.init(parsing:))
      self.poll(id, .description(tags), request, responder)
    }
    on(router, .get, "/jobs/{id}/result") { id, request, responder in
      self.poll(id, .result, request, responder)
    }
    on(router, .delete, "/jobs/{id}") { id, _, responder in self.cancel(id, responder) }
    on(router, .delete, "/jobs/{id}/result") { id, _, responder in
      self.acknowledge(id, responder)
    }
  }

  /// A route of one job. Ids that are none need no store to be unknown.
  private func on(
    _ router: Router, _ method: HTTPRequest.Method, _ pattern: String,
    _ handler: @escaping (JobID, Request, Responder) -> Void
  ) {
    router.onDeferred(method, pattern) { request, responder in
      guard let id = request.parameters["id"].flatMap(JobID.init(hex:)) else {
        responder.respond(JobProblem.unknownJob.uncached)
        return
      }
      handler(id, request, responder)
    }
  }

  private func poll(_ id: JobID, _ wish: Waiter.Wish, _ request: Request, _ responder: Responder) {
    do {
      let wait = try WaitParameter.parse(request.query, configuration)
      self.wait(for: id, wish, responder, upTo: wait)
    } catch {
      responder.respond(error.uncached)
    }
  }

  /// `DELETE /jobs/{id}`
  private func cancel(_ id: JobID, _ responder: Responder) {
    spawn {
      do throws(StoreError) {
        let outcome = try await self.store.cancel(id, principal: nil)
        self.storeWorked()
        self.cancelled(outcome)
        switch outcome {
        case .cancelled(let job), .alreadyFinal(let job): responder.respond(self.describe(job))
        case .requested(let job): responder.respond(self.accepted(job, applied: nil))
        case .gone(let tombstone): responder.respond(JobProblem.gone(tombstone).uncached)
        case .unknown: responder.respond(JobProblem.unknownJob.uncached)
        }
      } catch {
        self.storeFailed(error)
        responder.respond(JobProblem.storeDown(error).uncached)
      }
    }
  }

  /// Tells whom a cancellation concerns on this worker: it gets no wake for its own changes.
  func cancelled(_ outcome: CancelOutcome) {
    switch outcome {
    case .cancelled(let job):
      counted.cancelled += 1
      deliver(job.id, .found(job, result: nil), hasResult: true)
    case .requested(let job):
      deliver(job.id, .found(job, result: nil), hasResult: false)
    case .alreadyFinal, .gone, .unknown: break
    }
  }

  /// `DELETE /jobs/{id}/result`
  private func acknowledge(_ id: JobID, _ responder: Responder) {
    spawn {
      do throws(StoreError) {
        let outcome = try await self.store.acknowledge(id, principal: nil)
        self.storeWorked()
        switch outcome {
        case .acknowledged:
          responder.respond(Response(status: .noContent, headers: [.cacheControl: "no-store"]))
        case .gone(let tombstone) where tombstone.reason == .acknowledged:
          responder.respond(Response(status: .noContent, headers: [.cacheControl: "no-store"]))
        case .gone(let tombstone): responder.respond(JobProblem.gone(tombstone).uncached)
        case .notFinal(let job): responder.respond(JobProblem.notFinal(job).uncached)
        case .unknown: responder.respond(JobProblem.unknownJob.uncached)
        }
      } catch {
        self.storeFailed(error)
        responder.respond(JobProblem.storeDown(error).uncached)
      }
    }
  }
}
