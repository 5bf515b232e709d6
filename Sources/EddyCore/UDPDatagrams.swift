import CLibev

/// What recvmmsg(2) and sendmmsg(2) need to take and give several datagrams at once: a loop's, for all
/// of its sockets. The bytes are received into the loop's read buffer.
final class DatagramBatch {
  /// Datagrams that one call takes or gives: past some dozens the cost of the call no longer shows.
  static let capacity = 64

  /// One datagram on its way in and one on its way out.
  private struct Slot {
    var received = iovec()
    var sent = iovec()
  }

  /// The loop's.
  private let buffer: UnsafeMutableRawBufferPointer
  /// What was received last.
  let datagrams: UnsafeMutablePointer<eddy_datagram>
  /// `capacity` of those that receive, and as many that send.
  private let headers: UnsafeMutablePointer<mmsghdr>
  private let slots: UnsafeMutablePointer<Slot>
  /// What `slots` are laid out for.
  private var slotSize = 0
  private var slotCount = 0

  private var outgoing: UnsafeMutablePointer<mmsghdr> { headers + Self.capacity }

  /// - Parameter buffer: where to receive to.
  /// - Throws: `EDDY_ENOMEM`.
  convenience init(buffer: UnsafeMutableRawBufferPointer) throws(EddyError) {
    let datagrams = calloc(Self.capacity, MemoryLayout<eddy_datagram>.stride)
    let headers = calloc(2 * Self.capacity, MemoryLayout<mmsghdr>.stride)
    let slots = calloc(Self.capacity, MemoryLayout<Slot>.stride)
    guard let datagrams, let headers, let slots else {
      free(datagrams)
      free(headers)
      free(slots)
      throw EddyError(EDDY_ENOMEM)
    }
    self.init(buffer, datagrams, headers, slots)
  }

  private init(
    _ buffer: UnsafeMutableRawBufferPointer,
    _ datagrams: UnsafeMutableRawPointer, _ headers: UnsafeMutableRawPointer,
    _ slots: UnsafeMutableRawPointer
  ) {
    self.buffer = buffer
    self.datagrams = datagrams.bindMemory(to: eddy_datagram.self, capacity: Self.capacity)
    self.headers = headers.bindMemory(to: mmsghdr.self, capacity: 2 * Self.capacity)
    self.slots = slots.bindMemory(to: Slot.self, capacity: Self.capacity)
    for index in 0..<Self.capacity {
      let slot = self.slots + index
      let incoming = self.headers + index
      incoming.pointee.msg_hdr.msg_name = (self.datagrams + index).peerBytes
      incoming.pointee.msg_hdr.msg_iov = withUnsafeMutablePointer(to: &slot.pointee.received) { $0 }
      incoming.pointee.msg_hdr.msg_iovlen = 1
      let outgoing = self.outgoing + index
      outgoing.pointee.msg_hdr.msg_iov = withUnsafeMutablePointer(to: &slot.pointee.sent) { $0 }
      outgoing.pointee.msg_hdr.msg_iovlen = 1
    }
  }

  deinit {
    free(datagrams)
    free(headers)
    free(slots)
  }

  /// Receives what is there into `datagrams`.
  /// - Returns: how many; less than 0: see errno.
  func receive(_ fd: Int32, slotSize: Int) -> Int {
    if slotSize != self.slotSize { layOut(slotSize) }
    for index in 0..<slotCount {
      headers[index].msg_hdr.msg_namelen = eddy_address.ipv6Length
    }
    let count = Int(recvmmsg(fd, headers, UInt32(slotCount), 0, nil))
    for index in 0..<max(count, 0) {
      let header = headers + index
      let datagram = datagrams + index
      datagram.pointee.data = UnsafeRawPointer(slots[index].received.iov_base)
      datagram.pointee.length = Int(header.pointee.msg_len)
      datagram.pointee.peer.length = header.pointee.msg_hdr.msg_namelen
      let isCut = header.pointee.msg_hdr.msg_flags & Int32(MSG_TRUNC) != 0
      datagram.pointee.truncated = isCut ? 1 : 0
    }
    return count
  }

  private func layOut(_ slotSize: Int) {
    self.slotSize = slotSize
    slotCount = min(Self.capacity, buffer.count / slotSize)
    for index in 0..<slotCount {
      slots[index].received = iovec(
        iov_base: buffer.baseAddress.unsafelyUnwrapped + index * slotSize, iov_len: slotSize)
    }
  }

  /// Sends the first of some datagrams, `capacity` at most.
  /// - Parameter datagrams: at least one.
  /// - Returns: how many were sent; if none: see errno.
  func send(_ fd: Int32, _ datagrams: UnsafeBufferPointer<eddy_datagram>) -> Int {
    var count = 0
    while count < min(datagrams.count, Self.capacity) {
      let datagram = UnsafeMutablePointer(
        mutating: datagrams.baseAddress.unsafelyUnwrapped + count)
      let peerLength = datagram.pointee.peer.length
      guard datagram.pointee.data != nil || datagram.pointee.length == 0,
        peerLength == 0 || datagram.pointee.peer.isValid
      else { break }
      slots[count].sent = iovec(
        iov_base: UnsafeMutableRawPointer(mutating: datagram.pointee.data),
        iov_len: datagram.pointee.length)
      outgoing[count].msg_hdr.msg_name = peerLength == 0 ? nil : datagram.peerBytes
      outgoing[count].msg_hdr.msg_namelen = peerLength
      count += 1
    }
    guard count > 0 else {
      clibev_set_errno(EINVAL)
      return 0
    }
    return Int(sendmmsg(fd, outgoing, UInt32(count), 0))
  }
}

extension UnsafeMutablePointer<eddy_datagram> {
  /// The peer as the socket calls take it.
  fileprivate var peerBytes: UnsafeMutableRawPointer {
    withUnsafeMutablePointer(to: &pointee.peer.words) { UnsafeMutableRawPointer($0) }
  }
}

// MARK: - Sending

extension UDPSocket {
  /// Sends one datagram.
  /// - Parameter peer: nil on a connected socket.
  /// - Throws: `EDDY_EAGAIN` when the kernel has no room: `onWritable` will be called; what send(2)
  ///   says; `EDDY_EINVAL`; `EDDY_EALREADY` when closing.
  public func send(
    _ data: UnsafeRawBufferPointer, to peer: UnsafePointer<eddy_address>? = nil
  ) throws(EddyError) {
    guard !isClosing else { throw EddyError(EDDY_EALREADY) }
    var peerLength: socklen_t = 0
    if let peer, peer.pointee.length > 0 {
      guard peer.pointee.isValid else { throw EddyError(EDDY_EINVAL) }
      peerLength = peer.pointee.length
    }
    let address =
      peerLength == 0 ? nil : UnsafeRawPointer(peer)?.assumingMemoryBound(to: sockaddr.self)
    while sendto(fd, data.baseAddress, data.count, 0, address, peerLength) < 0 {
      let error = clibev_errno()
      if error == EINTR { continue }
      if error == EAGAIN { awaitRoom() }
      throw EddyError(code: eddy_error_from_errno(error))
    }
  }

  /// Sends several datagrams with as few calls of sendmmsg(2) as can be.
  /// - Returns: how many were sent. If fewer than all, either `onWritable` will be called, or sending
  ///   the next one alone tells the error.
  /// - Throws: the error of the first, as `send` does.
  public func send(
    _ datagrams: UnsafeBufferPointer<eddy_datagram>
  ) throws(EddyError) -> Int {
    guard !isClosing else { throw EddyError(EDDY_EALREADY) }
    let batch = try loop.datagramBatch()
    var sent = 0
    while sent < datagrams.count {
      let result = batch.send(fd, UnsafeBufferPointer(rebasing: datagrams[sent...]))
      if result > 0 {
        sent += result
        continue
      }
      let error = clibev_errno()
      if error == EINTR { continue }
      if error == EAGAIN { awaitRoom() }
      guard sent > 0 else { throw EddyError(code: eddy_error_from_errno(error)) }
      break
    }
    return sent
  }
}

extension Loop {
  /// - Throws: `EDDY_ENOMEM`.
  func datagramBatch() throws(EddyError) -> DatagramBatch {
    if let datagrams { return datagrams }
    let batch = try DatagramBatch(buffer: readBuffer)
    datagrams = batch
    return batch
  }
}
