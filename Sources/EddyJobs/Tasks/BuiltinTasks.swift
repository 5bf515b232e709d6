import Eddy
import EddyHTTP

/// Tasks to try a server with.
public enum BuiltinTasks {
  /// `sleep` and `sha256`.
  ///
  /// - Parameter loop: the loop whose timers `sleep` uses.
  public static func all(loop: EventLoop) -> [TaskDefinition] { [sleep(on: loop), sha256] }

  /// The longest that `sleep` sleeps.
  static let longestSleep = Duration.seconds(3_600)

  /// Sleeps as many seconds as the body says, such as `2` or `0.25`, at most an hour.
  public static func sleep(on loop: EventLoop) -> TaskDefinition {
    var task = TaskDefinition.async("sleep", concurrency: 10_000) { context in
      try await loop.sleep(for: try sleepInterval(context.input))
      return TaskOutput(
        text: "slept \(String(decoding: trimmed(context.input), as: UTF8.self)) s\n")
    }
    task.queueLimit = 10_000
    task.bodyLimit = 1_024
    task.contentType = "text/plain; charset=utf-8"
    task.timeLimit = longestSleep + .seconds(60)
    task.validate = { input throws(Problem) in _ = try sleepInterval(input.bytes) }
    return task
  }

  private static func sleepInterval(_ body: [UInt8]) throws(Problem) -> Duration {
    let text = trimmed(body)
    do throws(DecimalSeconds.Flaw) {
      let interval = try DecimalSeconds.parse(text)
      if interval <= longestSleep { return interval }
      throw DecimalSeconds.Flaw.tooLarge
    } catch {
      let shown = String(decoding: text.prefix(40), as: UTF8.self)
      throw Problem(
        .unprocessableContent,
        "The body of 'sleep' is '\(shown)', which \(error.explanation); "
          + "send seconds as a decimal number from 0 to 3600, such as 2 or 0.25.")
    }
  }

  private static func trimmed(_ body: [UInt8]) -> ArraySlice<UInt8> {
    let isSpace: (UInt8) -> Bool = { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    guard let first = body.firstIndex(where: { !isSpace($0) }),
      let last = body.lastIndex(where: { !isSpace($0) })
    else { return [] }
    return body[first...last]
  }

  /// The SHA-256 of the body, as 64 hexadecimal digits.
  public static var sha256: TaskDefinition {
    var task = TaskDefinition.function("sha256") { context in
      TaskOutput(Array(Digest(of: context.input).hex.utf8))
    }
    task.queueLimit = 10_000
    task.bodyLimit = 50 << 20
    task.outputLimit = 64
    task.contentType = "text/plain; charset=utf-8"
    return task
  }
}
