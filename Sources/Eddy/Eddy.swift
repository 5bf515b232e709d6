import EddyCore

/// An error of the reactor, with the code and the message that `eddy/error.h` gives it.
public typealias EddyError = EddyCore.EddyError
