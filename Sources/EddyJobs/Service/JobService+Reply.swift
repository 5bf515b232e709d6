import EddyHTTP
import HTTPTypes

// What a waiter is told. Every answer forbids storing: the next one may differ.

extension JobService {
  /// The answer to a waiter from what was read; nil if it has to wait on.
  func reply(to waiter: Waiter, _ lookup: JobLookup, isWaitOver: Bool) -> Response? {
    let job: Job
    let result: StoredBytes?
    switch lookup {
    case .unknown: return JobProblem.unknownJob.uncached
    case .gone(let tombstone): return JobProblem.gone(tombstone).uncached
    case .found(let found, let bytes): (job, result) = (found, bytes)
    }

    switch waiter.wish {
    case .description(let tags?) where tags.contains(job.version):
      // A final job cannot change any more: there is nothing to wait for.
      guard job.state.isFinal || isWaitOver else { return nil }
      return Response(
        status: .notModified,
        headers: [.eTag: EntityTags.tag(job.version), .cacheControl: "no-store"])
    case .description(let tags):
      guard job.state.isFinal || isWaitOver || tags != nil else { return nil }
      return describe(job)
    case .result:
      if job.state.isFinal { return self.result(of: job, result) }
      return isWaitOver ? accepted(job, applied: nil) : nil
    case .submission(let applied):
      if job.state.isFinal {
        var response = self.result(of: job, result)
        response.headers[.contentLocation] = JobDocument.resultPath(job.id)
        if let applied { response.headers[.preferenceApplied] = applied }
        return response
      }
      return isWaitOver ? accepted(job, applied: applied) : nil
    }
  }

  /// The job's description, with its entity tag.
  func describe(_ job: Job, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status,
      headers: [
        .contentType: "application/json", .eTag: EntityTags.tag(job.version),
        .cacheControl: "no-store",
      ], body: .bytes(JobDocument.render(job)))
  }

  /// 202: not yet, and where to ask.
  func accepted(_ job: Job, applied: String?) -> Response {
    var headers: HTTPFields = [
      .contentType: "application/json", .location: JobDocument.path(job.id),
      .retryAfter: JobProblem.seconds(configuration.retryAfter), .cacheControl: "no-store",
    ]
    if let applied { headers[.preferenceApplied] = applied }
    return Response(status: .accepted, headers: headers, body: .bytes(JobDocument.render(job)))
  }

  /// What a final job came to.
  private func result(of job: Job, _ bytes: StoredBytes?) -> Response {
    guard job.state == .succeeded else { return JobProblem.noResult(job).uncached }
    guard let bytes else {
      let error = StoreError(.unusable, "job \(job.id) succeeded, but has no result")
      storeFailed(error)
      return JobProblem.storeDown(error).uncached
    }
    let headers: HTTPFields = [
      .contentType: job.result?.contentType ?? "application/octet-stream",
      .cacheControl: "no-store",
      // A result is somebody's bytes: a browser must not guess that they are a page of ours.
      .xContentTypeOptions: "nosniff",
    ]
    switch bytes {
    case .memory(let bytes):
      return Response(headers: headers, body: .bytes(bytes))
    case .external(let count, let read):
      return Response(
        headers: headers,
        body: .stream(length: Int64(count)) { writer in
          var offset = 0
          while offset < count {
            let piece = try await read(offset, min(StoredBytes.pieceSize, count - offset))
            guard !piece.isEmpty else { throw StoreError.truncated }
            try await writer.write(piece)
            offset += piece.count
          }
        })
    }
  }
}

extension Problem {
  /// The answer, not to be stored by any cache: 404 and 410 may be by default (RFC 9110 §15.1).
  var uncached: Response {
    var response = self.response
    response.headers[.cacheControl] = "no-store"
    return response
  }
}

extension HTTPField.Name {
  /// RFC 7240.
  static let prefer = Self("Prefer")!
  static let preferenceApplied = Self("Preference-Applied")!
  /// draft-ietf-httpapi-idempotency-key-header.
  static let idempotencyKey = Self("Idempotency-Key")!
}
