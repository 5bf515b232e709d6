import HTTPTypes
import Testing

@testable import EddyHTTP

@Suite struct ResponseTests {
  private struct Document: Encodable {
    let second = "a/b"
    let first = 1
  }

  private func lines(_ fields: HTTPFields) -> String {
    var bytes: [UInt8] = []
    FieldLines.append(fields, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func fieldsBecomeLines() {
    #expect(
      lines([.location: "/jobs/1", .eTag: "\"1\""]) == "Location: /jobs/1\r\nETag: \"1\"\r\n")
  }

  @Test func fieldsOfTheEngineAreLeftOut() {
    #expect(
      lines([
        .contentLength: "5", .date: "today", .server: "me", .connection: "close",
        .transferEncoding: "chunked", .vary: "Accept",
      ]) == "Vary: Accept\r\n")
  }

  @Test func nothingBreaksOutOfALine() {
    #expect(lines([.location: "/a\r\nSet-Cookie: x=1"]) == "Location: /a  Set-Cookie: x=1\r\n")
  }

  @Test func jsonHasItsTypeAndItsKeysInOrder() throws {
    let response = try Response.json(Document(), status: .created, headers: [.location: "/1"])
    #expect(response.status == .created)
    #expect(response.headers[.contentType] == "application/json")
    #expect(response.headers[.location] == "/1")
    guard case .bytes(let bytes) = response.body else {
      Issue.record("The body is not bytes.")
      return
    }
    #expect(String(decoding: bytes, as: UTF8.self) == #"{"first":1,"second":"a/b"}"#)
  }

  @Test func textIsUTF8() {
    #expect(Response.text("ü").headers[.contentType] == "text/plain; charset=utf-8")
  }
}
