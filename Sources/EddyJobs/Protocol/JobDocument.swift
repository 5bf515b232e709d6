import EddyHTTP

/// The JSON that describes a job to its clients.
///
/// ```json
/// {"id":"…","task":"sleep","state":"succeeded","version":2,"attempt":1,
///  "created":"2026-11-24T08:45:27.123Z","started":"…","finished":"…","expires":"…",
///  "result":{"href":"/jobs/…/result","contentType":"text/plain","length":8}}
/// ```
///
/// Members that do not apply are left out. It is written by hand: an encoder takes longer than the
/// request that it answers.
enum JobDocument {
  static func path(_ id: JobID) -> String { "/jobs/\(id.hex)" }
  static func resultPath(_ id: JobID) -> String { "/jobs/\(id.hex)/result" }

  static func render(_ job: Job) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(384)
    bytes += "{\"id\":\"".utf8
    bytes += job.id.hex.utf8
    bytes += "\"".utf8
    append("task", job.task, to: &bytes)
    append("state", job.state.rawValue, to: &bytes)
    append("version", job.version, to: &bytes)
    append("attempt", job.attempt, to: &bytes)
    if job.crashes > 0 { append("crashes", job.crashes, to: &bytes) }
    if job.isCancelRequested, !job.state.isFinal { bytes += ",\"cancelRequested\":true".utf8 }
    append("created", job.created, to: &bytes)
    append("started", job.started, to: &bytes)
    append("finished", job.finished, to: &bytes)
    append("expires", job.expires, to: &bytes)
    if let result = job.result {
      bytes += ",\"result\":{\"href\":\"".utf8
      bytes += resultPath(job.id).utf8
      bytes += "\"".utf8
      if let type = result.contentType { append("contentType", type, to: &bytes) }
      append("length", result.count, to: &bytes)
      bytes += "}".utf8
    }
    if let failure = job.failure {
      bytes += ",\"error\":{\"type\":\"".utf8
      bytes += JobProblem.type(failure.kind.rawValue).utf8
      bytes += "\"".utf8
      append("title", failure.title, to: &bytes)
      if let detail = failure.detail { append("detail", detail, to: &bytes) }
      if let status = failure.exitStatus { append("exitStatus", status, to: &bytes) }
      if let signal = failure.signal { append("signal", signal, to: &bytes) }
      bytes += "}".utf8
    }
    bytes += "}\n".utf8
    return bytes
  }

  private static func append(_ name: StaticString, to bytes: inout [UInt8]) {
    bytes += ",\"".utf8
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    bytes += "\":".utf8
  }

  private static func append(_ name: StaticString, _ value: String, to bytes: inout [UInt8]) {
    append(name, to: &bytes)
    JSONText.append(value, to: &bytes)
  }

  private static func append(_ name: StaticString, _ value: Int, to bytes: inout [UInt8]) {
    append(name, to: &bytes)
    bytes += String(value).utf8
  }

  private static func append(_ name: StaticString, _ time: Timestamp?, to bytes: inout [UInt8]) {
    guard let time else { return }
    append(name, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
    time.write(into: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }
}
