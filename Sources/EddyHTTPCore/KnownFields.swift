/// What the fields say that the engine itself acts upon.
struct KnownFields {
  /// -1 without `Content-Length`.
  var contentLength: Int64 = -1
  var hasTransferEncoding = false
  var isChunked = false
  var closes = false
  var keepsAlive = false
  var expectsContinue = false
  var hasUnknownExpectation = false
  var hasHost = false
  var host = ByteRange()
}
