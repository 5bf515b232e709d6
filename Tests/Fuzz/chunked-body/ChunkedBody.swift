import CLibev

@testable import EddyHTTPCore

/// A chunked body: whole and in pieces it gives the same data and the same end or refusal.
@c(LLVMFuzzerTestOneInput) public func fuzzChunkedBody(
  _ data: UnsafePointer<UInt8>, _ size: Int
) -> CInt {
  guard let choices = Choices(data, size) else { return 0 }
  var limits = HTTPLimits()
  if choices.hasSmallLimits {
    limits.fieldsSize = 32
    limits.fieldCount = 3
    limits.chunkExtensions = 16
  }
  let whole = decode(choices.content, ends: [choices.content.count], limits)
  let inPieces = decode(choices.content, ends: choices.cuts, limits)
  require(whole == inPieces, "whole: \(whole)\nin pieces: \(inPieces)")

  // Nothing behind the end was needed to find it.
  if case .end(let length) = whole.end {
    let alone = UnsafeRawBufferPointer(rebasing: choices.content[..<length])
    require(decode(alone, ends: [length], limits) == whole, "what follows a body changes it")
  }
  return 0
}

/// What became of a body, or of a part of one.
struct Decoded: Equatable {
  enum End: Equatable {
    case missing
    case end(Int)
    case refused(RequestError)
  }

  var data: [UInt8] = []
  var end = End.missing
}

private func decode(
  _ bytes: UnsafeRawBufferPointer, ends: some Sequence<Int>, _ limits: HTTPLimits
) -> Decoded {
  var decoder = ChunkedDecoder()
  var result = Decoded()
  var start = 0
  for end in ends {
    let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    result.end = withExactCopy(piece) {
      decodePiece($0, at: start, with: &decoder, into: &result.data, limits)
    }
    guard result.end == .missing else { break }
    start = end
  }
  require(result.data.count <= bytes.count, "more data than bytes")
  return result
}

private func decodePiece(
  _ piece: UnsafeRawBufferPointer, at offset: Int, with decoder: inout ChunkedDecoder,
  into data: inout [UInt8], _ limits: HTTPLimits
) -> Decoded.End {
  let base = piece.baseAddress!.assumingMemoryBound(to: UInt8.self)
  var index = 0
  while true {
    let before = index
    switch decoder.next(base, &index, piece.count, limits) {
    case .incomplete:
      require(index == piece.count, "bytes are left of a piece that was not enough")
      return .missing
    case .data(let from, let to):
      require(before <= from && from < to && to == index, "data that is not what was read")
      data += piece[from..<to]
    case .end(let end):
      return .end(offset + end)
    case .refused(let error):
      return .refused(error)
    }
  }
}
