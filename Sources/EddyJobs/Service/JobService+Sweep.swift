// The sweep: once a second it looks for what no wake has told.

extension JobService {
  /// How many jobs are asked about, or purged, in one call of the store.
  private static let batch = 1_000

  func sweep() {
    guard !isSweeping, !isClosed else { return }
    isSweeping = true
    spawn {
      do throws(StoreError) {
        try await self.findMissedWakes()
        _ = try await self.store.reclaim(.expiredLeases)
        while try await self.store.purge(limit: Self.batch) == Self.batch {
          // A store in memory never waits, and many jobs may expire at once.
          await Task.yield()
        }
        self.storeWorked()
      } catch {
        self.storeFailed(error)
      }
      self.isSweeping = false
      guard !self.isDraining else { return }
      for runner in self.runners.values {
        runner.isHeldBack = false
        runner.hasBacklog = true
      }
      self.refill()
    }
  }

  /// Reads the versions of all jobs that somebody waits for or that run here; those that have
  /// changed unseen are read and delivered, and counted.
  private func findMissedWakes() async throws(StoreError) {
    let ids = Array(Set(waiters.ids).union(running.keys))
    var start = 0
    while start < ids.count {
      let end = min(start + Self.batch, ids.count)
      let asked = Array(ids[start..<end])
      start = end
      let versions = try await store.versions(of: asked)
      let stale = asked.filter { id in
        // A job that is gone has a version past all others.
        let version = versions[id] ?? .max
        return waiters.isStale(id, version: version) || isStale(attemptAt: id, version: version)
      }
      counted.wakesMissed += stale.count
      // All at once: a store that is far away answers them together.
      let readings = stale.map { id in spawn { await self.lookAgain(id) } }
      for reading in readings { await reading.value }
    }
  }
}
