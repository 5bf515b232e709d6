@c @implementation
public func eddy_address_parse(
  _ text: UnsafePointer<CChar>!, _ out_address: UnsafeMutablePointer<eddy_address>!
) -> Int32 {
  guard let text, let out_address else { return invalid }
  do throws(EddyError) {
    guard let value = try Address(numeric: text).value else { return code(EDDY_EADDRFORMAT) }
    out_address.pointee = value
    return 0
  } catch {
    return error.code
  }
}

@c @implementation
public func eddy_address_format(
  _ address: UnsafePointer<eddy_address>!, _ buffer: UnsafeMutablePointer<CChar>!, _ size: Int
) -> Int32 {
  guard let address, address.pointee.isValid, let buffer, size >= 0 else { return invalid }
  return Address(address.pointee).write(
    to: UnsafeMutableBufferPointer(start: buffer, count: size))
}
