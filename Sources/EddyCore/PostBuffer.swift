import CLibev
import Synchronization

/// What was posted.
struct PostedCallback {
  let function: Loop.Post
  let context: UnsafeMutableRawPointer?
  let argument: UnsafeMutableRawPointer?

  @inline(__always)
  func call() {
    function(context, argument)
  }

  /// What `eddy_loop_post` posts: the C callback, which takes one pointer, is the argument.
  static let callOfC: Loop.Post = { context, callback in
    unsafeBitCast(callback.unsafelyUnwrapped, to: eddy_post_cb.self)(context)
  }

  /// The function that the program knows.
  var reportedFunction: UnsafeMutableRawPointer {
    let function = unsafeBitCast(function, to: UnsafeMutableRawPointer.self)
    let isOfC = function == unsafeBitCast(Self.callOfC, to: UnsafeMutableRawPointer.self)
    return isOfC ? argument.unsafelyUnwrapped : function
  }
}

/// Posted callbacks in their order, in one piece of memory: what a post costs is mostly the cache lines
/// that it touches, and here several share one.
struct PostBuffer {
  /// 6 KB.
  private static let firstCapacity = 256
  /// A buffer that has grown beyond this, 192 KB, is freed when it has run empty.
  private static let keptCapacity = 8192

  private var memory: UnsafeMutablePointer<PostedCallback>?
  private var capacity = 0
  private var start = 0
  private var end = 0

  var isEmpty: Bool {
    @inline(__always) get { start == end }
  }

  var count: Int { end - start }

  /// Moves all of another buffer behind what is here. Without memory some stay there.
  mutating func take(_ other: inout PostBuffer) {
    if isEmpty { return swap(&self, &other) }
    while end < capacity || makeRoom(), let callback = other.pop() { _ = append(callback) }
  }

  /// False without memory, and then nothing has changed.
  @inline(__always)
  mutating func append(_ callback: PostedCallback) -> Bool {
    guard end < capacity || makeRoom() else { return false }
    (memory.unsafelyUnwrapped + end).initialize(to: callback)
    end &+= 1
    return true
  }

  @inline(__always)
  mutating func pop() -> PostedCallback? {
    guard start < end else { return nil }
    let callback = memory.unsafelyUnwrapped[start]
    start &+= 1
    if start == end { hasRunEmpty() }
    return callback
  }

  private mutating func hasRunEmpty() {
    start = 0
    end = 0
    if capacity > Self.keptCapacity { release() }
  }

  /// Moves what waits to the front where at least as much has run before it; otherwise doubles the room.
  @inline(never)
  private mutating func makeRoom() -> Bool {
    let count = end - start
    if let memory, start > 0, count <= start {
      memory.update(from: memory + start, count: count)
      start = 0
      end = count
      return true
    }
    let new = max(Self.firstCapacity, capacity * 2)
    guard let bytes = realloc(memory, new * MemoryLayout<PostedCallback>.stride) else {
      return false
    }
    memory = bytes.assumingMemoryBound(to: PostedCallback.self)
    capacity = new
    return true
  }

  mutating func release() {
    free(memory)
    self = PostBuffer()
  }
}

/// Callbacks that other threads have posted, under a mutex, which the loop takes all at once.
struct SharedPosts: ~Copyable {
  private struct State: ~Copyable {
    var mutex = pthread_mutex_t()
    var posts = PostBuffer()
    /// Whether there are any: the loop looks at it before it blocks.
    let isFilled = Atomic<Bool>(false)
  }

  private let state: UnsafeMutablePointer<State>

  init() {
    state = .allocate(capacity: 1)
    state.initialize(to: State())
    clibev_adaptive_mutex_init(&state.pointee.mutex)
  }

  deinit {
    pthread_mutex_destroy(&state.pointee.mutex)
    state.pointee.posts.release()
    state.deallocate()
  }

  /// Adds a callback. Any thread.
  /// - Returns: whether it was the first since the loop has taken all: then the poster sees to it that
  ///   the loop wakes. Nil without memory.
  @inline(__always)
  borrowing func push(_ callback: PostedCallback) -> Bool? {
    let state = state  // ThreadSanitizer takes a change behind the pointer for one of the pointer
    pthread_mutex_lock(&state.pointee.mutex)
    let isFirst = state.pointee.posts.isEmpty
    let isQueued = state.pointee.posts.append(callback)
    // Sequentially consistent with the loop's flag that it sleeps: either the loop sees the post
    // before it blocks, or the poster then sees that it blocks.
    if isFirst, isQueued {
      state.pointee.isFilled.store(true, ordering: .sequentiallyConsistent)
    }
    pthread_mutex_unlock(&state.pointee.mutex)
    return isQueued ? isFirst : nil
  }

  /// Whether none waits here. The loop's thread.
  var isEmpty: Bool {
    @inline(__always) get { !state.pointee.isFilled.load(ordering: .sequentiallyConsistent) }
  }

  /// Takes all, and leaves `empty` for the next. The loop's thread.
  borrowing func exchange(for empty: inout PostBuffer) {
    let state = state
    pthread_mutex_lock(&state.pointee.mutex)
    swap(&state.pointee.posts, &empty)
    state.pointee.isFilled.store(false, ordering: .relaxed)
    pthread_mutex_unlock(&state.pointee.mutex)
  }

  /// In a child of fork(2): a thread that is not in the child may have held the mutex, and left a post
  /// half made.
  borrowing func forked() {
    if pthread_mutex_trylock(&state.pointee.mutex) != 0 { state.pointee.posts = PostBuffer() }
    clibev_adaptive_mutex_init(&state.pointee.mutex)
  }
}
