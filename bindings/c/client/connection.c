#include "connection.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What is shown of bytes that nobody asked for. */
#define EXCERPT_LENGTH 120

static void set_timer(struct connection *connection, uint64_t delay) {
  eddy_timer_start(connection->timer, delay, 0);
}

/* Closes the stream, and hands the unanswered jobs back. Nothing may follow it in a callback. */
static void
end(struct connection *connection, enum connection_end reason, int error, const char *text) {
  const struct connection_owner *owner = connection->owner;
  struct job *jobs[PIPELINE_LIMIT];
  uint32_t count = connection->count;
  memcpy(jobs, connection->jobs, sizeof jobs);
  connection->count = 0;
  connection->open = false;
  connection->drop_pending = false;
  eddy_timer_stop(connection->timer);
  if (connection->stream != NULL) {
    if (reason == END_DROPPED && connection->plan.way == DROP_BY_RESET) {
      eddy_stream_reset(connection->stream, NULL);
    } else {
      eddy_stream_close(connection->stream, NULL);
    }
    connection->stream = NULL;
  }
  owner->ended(owner->context, connection, reason, error, text, jobs, count);
}

static void end_unasked(struct connection *connection, const uint8_t *data, size_t length) {
  char excerpt[EXCERPT_LENGTH + 1];
  size_t kept = length < EXCERPT_LENGTH ? length : EXCERPT_LENGTH;
  for (size_t i = 0; i < kept; i++) {
    excerpt[i] = (char)(isprint(data[i]) ? data[i] : ' ');
  }
  excerpt[kept] = '\0';
  end(connection, END_UNASKED, 0, excerpt);
}

static void write_request(struct connection *connection) {
  const struct connection_owner *owner = connection->owner;
  const struct drop_plan *plan = &connection->plan;
  bool in_request = plan->drops && plan->place == DROP_IN_REQUEST;
  bool before_answer = plan->drops && plan->place == DROP_BEFORE_ANSWER;
  size_t length = connection->request.length;
  if (in_request) {
    length = drop_cut(plan, length);
  }
  ptrdiff_t queued = eddy_stream_write(connection->stream, connection->request.bytes, length);
  if (queued < 0) {
    end(connection, END_BY_PEER, (int)queued, NULL);
    return;
  }
  if (in_request) {
    end(connection, END_DROPPED, 0, NULL);
    return;
  }
  owner->sent(owner->context, connection);
  if (before_answer && plan->delay == 0) {
    end(connection, END_DROPPED, 0, NULL);
    return;
  }
  connection->drop_pending = before_answer;
  set_timer(connection, before_answer ? plan->delay : owner->timeout);
}

/* Takes the answers in `data`. Returns how many bytes were used, or -1 if the connection ended. */
static ptrdiff_t take_answers(struct connection *connection, const uint8_t *data, size_t length) {
  const struct connection_owner *owner = connection->owner;
  struct response_parser *parser = &connection->parser;
  size_t used = 0;
  while (used < length && connection->count > 0) {
    ptrdiff_t taken = response_parse(parser, data + used, length - used);
    if (taken < 0) {
      end(connection, END_MALFORMED, 0, parser->error);
      return -1;
    }
    used += (size_t)taken;
    if (!response_complete(parser)) {
      break;
    }
    struct job *job = connection->jobs[0];
    bool keep_alive = parser->response.keep_alive;
    connection->count--;
    memmove(connection->jobs, connection->jobs + 1, connection->count * sizeof *connection->jobs);
    owner->answered(owner->context, job, &parser->response);
    response_begin(parser);
    if (!keep_alive) {
      end(connection, connection->count > 0 ? END_BY_PEER : END_IDLE, EDDY_EOF, NULL);
      return -1;
    }
    set_timer(connection, owner->timeout);
  }
  return (ptrdiff_t)used;
}

static void read_bytes(struct connection *connection, const uint8_t *data, size_t length) {
  const struct connection_owner *owner = connection->owner;
  const struct drop_plan *plan = &connection->plan;
  if (connection->count == 0) {
    end_unasked(connection, data, length);
    return;
  }
  if (connection->drop_pending) {
    end(connection, END_DROPPED, 0, NULL);
    return;
  }
  bool in_answer = plan->drops && plan->place == DROP_IN_ANSWER;
  ptrdiff_t used = take_answers(connection, data, in_answer ? drop_cut(plan, length) : length);
  if (used < 0) {
    return;
  }
  if (in_answer) {
    end(connection, END_DROPPED, 0, NULL);
  } else if ((size_t)used < length) {
    end_unasked(connection, data + used, length - (size_t)used);
  } else if (connection->count == 0) {
    eddy_timer_stop(connection->timer);
    owner->idle(owner->context, connection);
  }
}

static void on_read(eddy_stream *stream, const uint8_t *data, ptrdiff_t length, void *context) {
  struct connection *connection = context;
  struct response_parser *parser = &connection->parser;
  (void)stream;
  if (length > 0) {
    read_bytes(connection, data, (size_t)length);
    return;
  }
  if (connection->count == 0) {
    end(connection, END_IDLE, (int)length, NULL);
    return;
  }
  if (length == EDDY_EOF && connection->count == 1 && response_end_of_stream(parser)) {
    struct job *job = connection->jobs[0];
    connection->count = 0;
    connection->owner->answered(connection->owner->context, job, &parser->response);
    end(connection, END_IDLE, (int)length, NULL);
    return;
  }
  end(connection, END_BY_PEER, (int)length, NULL);
}

static void on_connect(eddy_stream *stream, int status, void *context) {
  struct connection *connection = context;
  if (status == 0) {
    status = eddy_stream_read_start(stream);
  }
  if (status != 0) {
    end(connection, END_REFUSED, status, NULL);
    return;
  }
  connection->open = true;
  connection->owner->opened(connection->owner->context);
  write_request(connection);
}

static void on_drain(eddy_stream *stream, int status, void *context) {
  (void)stream;
  if (status < 0) {
    end(context, END_BY_PEER, status, NULL);
  }
}

static void on_timer(eddy_timer *timer, void *context) {
  struct connection *connection = context;
  (void)timer;
  end(connection, connection->drop_pending ? END_DROPPED : END_TIMEOUT, 0, NULL);
}

int connection_begin(struct connection *connection, const struct connection_owner *owner) {
  memset(connection, 0, sizeof *connection);
  connection->owner = owner;
  return eddy_timer_create(owner->loop, on_timer, connection, &connection->timer);
}

void connection_end(struct connection *connection) {
  if (connection->stream != NULL) {
    eddy_stream_close(connection->stream, NULL);
  }
  if (connection->timer != NULL) {
    eddy_timer_close(connection->timer, NULL);
  }
  buffer_free(&connection->request);
  memset(connection, 0, sizeof *connection);
}

void connection_send(
    struct connection *connection, struct job *const *jobs, uint32_t count,
    const struct drop_plan *plan) {
  const struct connection_owner *owner = connection->owner;
  memcpy(connection->jobs, jobs, count * sizeof *jobs);
  connection->count = count;
  connection->plan = *plan;
  response_begin(&connection->parser);
  if (connection->open) {
    write_request(connection);
    return;
  }
  eddy_stream_config config = EDDY_STREAM_CONFIG_INIT;
  config.context = connection;
  config.on_connect = on_connect;
  config.on_read = on_read;
  config.on_drain = on_drain;
  int error = eddy_stream_connect(owner->loop, owner->address, &config, &connection->stream);
  if (error < 0) {
    connection->stream = NULL;
    end(connection, END_REFUSED, error, NULL);
  }
}
