// The least server over EddyHTTP, for load: GET /deferred is answered by a handler that is called
// on the loop, GET /async by an async one. Prints its address, and runs until it is killed.

import Eddy
import EddyHTTP
import Glibc
import Logging

try EventLoop.run { loop in
  let router = Router()
  router.onDeferred(.get, "/deferred") { _, responder in
    responder.respond(.text("hello\n"))
  }
  router.get("/async") { _ in .text("hello\n") }
  let server = HTTPServer(loop: loop, router: router, logger: Logger(label: "hello-server"))
  print(try server.listen(on: "127.0.0.1:0"))
  fflush(nil)  // a file is not a terminal: the line would wait in the buffer
  for await _ in try loop.signals(15) { break }
  server.close()
}
