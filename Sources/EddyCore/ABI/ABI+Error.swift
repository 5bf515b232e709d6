import CEddyTables
import CLibev

@c @implementation
public func eddy_version() -> UInt32 {
  UInt32(EDDY_VERSION_MAJOR << 16 | EDDY_VERSION_MINOR << 8 | EDDY_VERSION_PATCH)
}

@c @implementation
public func eddy_version_string() -> UnsafePointer<CChar>! {
  ceddy_version_string()
}

@c @implementation
public func eddy_error_name(_ error: Int32) -> UnsafePointer<CChar>! {
  ceddy_error_name(error)
}

@c @implementation
public func eddy_error_message(_ error: Int32) -> UnsafePointer<CChar>! {
  ceddy_error_message(error)
}

@c @implementation
public func eddy_error_from_errno(_ system_error: Int32) -> Int32 {
  let result =
    switch system_error {
    case EINVAL: EDDY_EINVAL
    case ENOMEM, ENOBUFS: EDDY_ENOMEM
    case EBUSY: EDDY_EBUSY
    case EALREADY: EDDY_EALREADY
    case EAGAIN: EDDY_EAGAIN
    case ECANCELED: EDDY_ECANCELED
    case ETIMEDOUT: EDDY_ETIMEDOUT
    case EBADF: EDDY_EBADF
    case EMFILE: EDDY_EMFILE
    case ENFILE: EDDY_ENFILE
    case EADDRINUSE: EDDY_EADDRINUSE
    case EADDRNOTAVAIL: EDDY_EADDRNOTAVAIL
    case ECONNREFUSED: EDDY_ECONNREFUSED
    case ECONNRESET: EDDY_ECONNRESET
    case ECONNABORTED: EDDY_ECONNABORTED
    case EPIPE: EDDY_EPIPE
    case ENOTCONN: EDDY_ENOTCONN
    case EHOSTUNREACH: EDDY_EHOSTUNREACH
    case ENETUNREACH: EDDY_ENETUNREACH
    case EACCES: EDDY_EACCES
    case EPERM: EDDY_EPERM
    case ENOENT: EDDY_ENOENT
    case ESRCH: EDDY_ESRCH
    case ENOTSUP, EAFNOSUPPORT, EPROTONOSUPPORT, ENOSYS: EDDY_ENOTSUP
    case EIO: EDDY_EIO
    case E2BIG: EDDY_E2BIG
    case ENOEXEC: EDDY_ENOEXEC
    case ENOSPC: EDDY_ENOSPC
    case EEXIST: EDDY_EEXIST
    case ENOTDIR: EDDY_ENOTDIR
    case ENAMETOOLONG: EDDY_ENAMETOOLONG
    case EMSGSIZE: EDDY_EMSGSIZE
    case EDESTADDRREQ: EDDY_EDESTADDRREQ
    case ENODEV: EDDY_ENODEV
    case EISDIR: EDDY_EISDIR
    default: EDDY_EUNKNOWN
    }
  return code(result)
}
