// A server with a page and a task, on Eddy.
//
//   swift run app [ADDRESS] &          default: 127.0.0.1:8080
//   curl localhost:8080/hello/Ada
//   curl -i -X POST -H 'Prefer: wait=5' localhost:8080/tasks/shout -d 'is anybody there?'

import Eddy
import EddyHTTP
import EddyJobs
import Logging

let logger = Logger(label: "app")
let wanted = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:8080"

try EventLoop.run { loop in
  let router = Router()

  // An async handler runs on the loop's own thread, with no hop to get there.
  router.get("/hello/{name}") { request in
    .text("Hello, \(request.parameters["name"] ?? "you")!\n")
  }

  // A task is submitted over HTTP, runs in the background, and its result is long-polled.
  let shout = TaskDefinition.async("shout") { context in
    try await loop.sleep(for: .seconds(1))
    return TaskOutput(text: String(decoding: context.input, as: UTF8.self).uppercased() + "\n")
  }
  let pool = try WorkPool(loop: loop)
  let jobs = try JobService(
    loop: loop, store: MemoryStore(), tasks: [shout], pool: pool, logger: logger)
  jobs.install(on: router)
  try await jobs.start()

  let server = HTTPServer(loop: loop, router: router, logger: logger)
  let address = try server.listen(on: wanted)
  logger.info("listening on \(address)")

  let interrupt: Int32 = 2  // signal(7)
  let terminate: Int32 = 15
  for await _ in try loop.signals(interrupt, terminate) { break }

  await jobs.drain(within: .seconds(10))
  await server.drain(within: .seconds(5))
  await pool.close()
}
