import CLibev

/// One question to getaddrinfo(3), and its answer. It lies in memory of its own, because it may
/// outlive the lookup, and the loop: a thread can't be called back from getaddrinfo.
struct LookupRequest: ~Copyable {
  enum Progress {
    /// In the queue.
    case waiting
    /// A thread is at it, and alone may touch the question and the answer.
    case running
    /// Answered: from here on all is the loop's thread's, and the memory goes with its post.
    case answered
  }

  var progress = Progress.waiting
  /// Nobody waits for the answer any more.
  var isGivenUp = false
  /// Who waits for it. The loop's thread alone.
  var lookup: Unmanaged<Lookup>?
  /// Tells the loop's thread of the answer.
  private var post: PostNode
  /// Neighbours in the queue.
  var next: UnsafeMutablePointer<LookupRequest>?
  var previous: UnsafeMutablePointer<LookupRequest>?

  private let family: Int32
  private let port: UInt16
  /// Owned; in the same piece of memory.
  private let host: UnsafeMutablePointer<CChar>

  /// 0 or an `EDDY_E…` code.
  private(set) var status: Int32 = 0
  private(set) var addresses: UnsafeMutablePointer<eddy_address>?
  private(set) var count = 0

  /// - Parameters:
  ///   - host: of at most 253 bytes; copied.
  ///   - family: one of getaddrinfo's.
  /// - Returns: nil without memory.
  static func allocate(
    host: UnsafePointer<CChar>, port: UInt16, family: Int32
  ) -> UnsafeMutablePointer<LookupRequest>? {
    let hostSize = strlen(host) + 1
    guard let memory = malloc(MemoryLayout<LookupRequest>.size + hostSize) else { return nil }
    let copy = (memory + MemoryLayout<LookupRequest>.size).assumingMemoryBound(to: CChar.self)
    memcpy(copy, host, hostSize)
    let request = memory.bindMemory(to: LookupRequest.self, capacity: 1)
    request.initialize(
      to: LookupRequest(
        family: family, port: port, host: copy,
        post: PostNode({ request, _ in Lookup.deliver(request) }, memory)))
    return request
  }

  private init(
    family: Int32, port: UInt16, host: UnsafeMutablePointer<CChar>, post: consuming PostNode
  ) {
    self.post = post
    self.family = family
    self.port = port
    self.host = host
  }

  /// Has `Lookup.deliver` called by the loop, which then owns the request.
  static func post(_ request: UnsafeMutablePointer<LookupRequest>, to loop: Unmanaged<Loop>) {
    request.pointee.progress = .answered
    let node = withUnsafeMutablePointer(to: &request.pointee.post) { $0 }
    loop._withUnsafeGuaranteedRef { $0.post(node) }
  }

  static func free(_ request: UnsafeMutablePointer<LookupRequest>) {
    CLibev.free(request.pointee.addresses)
    CLibev.free(request)
  }

  // What follows takes a pointer, because meanwhile the loop's thread may touch other members.

  /// Asks getaddrinfo, however long it takes, and keeps the answer.
  static func resolve(_ request: UnsafeMutablePointer<LookupRequest>) {
    _ = ask(request, flags: 0)
  }

  /// The same for a host that is an address as text, which takes no time.
  /// - Returns: false if it is a name, which remains to be asked for.
  static func resolveNumeric(_ request: UnsafeMutablePointer<LookupRequest>) -> Bool {
    ask(request, flags: Int32(AI_NUMERICHOST)) != EAI_NONAME
  }

  private static func ask(
    _ request: UnsafeMutablePointer<LookupRequest>, flags: Int32
  ) -> Int32 {
    var hints = addrinfo()
    hints.ai_family = request.pointee.family
    hints.ai_flags = flags
    // Without it each address comes once a type of socket.
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let error = getaddrinfo(request.pointee.host, nil, &hints, &list)
    request.pointee.status = status(error, systemError: clibev_errno())
    if error == 0 {
      keep(list, request)
      freeaddrinfo(list)
    }
    return error
  }

  private static func keep(
    _ list: UnsafeMutablePointer<addrinfo>?, _ request: UnsafeMutablePointer<LookupRequest>
  ) {
    var length = 0
    var entry = list
    while let current = entry {
      length += 1
      entry = current.pointee.ai_next
    }
    guard let memory = malloc(length * MemoryLayout<eddy_address>.stride) else {
      request.pointee.status = code(EDDY_ENOMEM)
      return
    }
    let addresses = memory.bindMemory(to: eddy_address.self, capacity: length)
    var count = 0
    entry = list
    while let current = entry {
      entry = current.pointee.ai_next
      guard let address = current.pointee.ai_addr else { continue }
      let value = eddy_address(address, port: request.pointee.port)
      guard value.isValid else { continue }
      addresses[count] = value
      count += 1
    }
    guard count > 0 else {
      CLibev.free(memory)
      request.pointee.status = code(EDDY_ENONAME)
      return
    }
    request.pointee.addresses = addresses
    request.pointee.count = count
  }

  /// The code for a result of getaddrinfo.
  private static func status(_ error: Int32, systemError: Int32) -> Int32 {
    switch error {
    case 0: 0
    case EAI_NONAME, EAI_FAMILY, Int32(CLIBEV_EAI_NODATA), Int32(CLIBEV_EAI_ADDRFAMILY):
      code(EDDY_ENONAME)
    case EAI_AGAIN, EAI_FAIL: code(EDDY_ENAMESERVER)
    case EAI_MEMORY: code(EDDY_ENOMEM)
    case EAI_SYSTEM: eddy_error_from_errno(systemError)
    default: code(EDDY_EUNKNOWN)
    }
  }
}
