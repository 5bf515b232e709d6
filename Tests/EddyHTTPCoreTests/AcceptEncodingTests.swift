import Testing

@testable import EddyHTTPCore

/// RFC 9110 §12.4.2 and §12.5.3.
@Suite struct AcceptEncodingTests {
  @Test(arguments: [
    ("gzip", 1000, 0), ("gzip, br", 1000, 1000), ("GZIP", 1000, 0), ("", 0, 0),
    ("gzip;q=0.5", 500, 0), ("gzip; q=0.5", 500, 0), ("gzip ;\tq=0.123", 123, 0),
    ("gzip;q=0", 0, 0), ("gzip;q=0.000", 0, 0), ("gzip;q=1", 1000, 0), ("gzip;q=1.000", 1000, 0),
    ("gzip;q=1.", 1000, 0), ("gzip;Q=0.9", 900, 0), ("identity", 0, 0),
    ("*", 1000, 1000), ("*;q=0.2", 200, 200), ("br, *;q=0.1", 100, 1000),
    ("*, gzip;q=0", 0, 1000), ("gzip;q=0, *", 0, 1000), ("deflate, gzip;q=0.8, br;q=0.9", 800, 900),
    // What is no weight permits nothing.
    ("gzip;q=2", 0, 0), ("gzip;q=1.001", 0, 0), ("gzip;q=0.1234", 0, 0), ("gzip;q=", 0, 0),
    ("gzip;q=-1", 0, 0), ("gzip;q=.5", 0, 0), ("gzip;x=1", 0, 0), ("gzip;q=0.5;x=1", 0, 0),
    ("gzip br", 0, 0), ("xgzip", 0, 0), ("gzipx", 0, 0), ("@gzip", 0, 0), (",,gzip,,", 1000, 0),
  ])
  func aCodingHasAWeight(_ list: String, _ gzip: Int, _ brotli: Int) {
    withBytes(list) { list in
      #expect(AcceptEncoding.weight(of: "gzip", in: list) == gzip)
      #expect(AcceptEncoding.weight(of: "br", in: list) == brotli)
    }
  }
}
