/*
 * response_field.h: the field lines of a response's head.
 */
#ifndef CLIENT_RESPONSE_FIELD_H
#define CLIENT_RESPONSE_FIELD_H

#include "response.h"

/**
 * Reads one field line, "name: value", without its CR LF and with a final zero,
 * and notes in the parser what it says. The line is changed.
 *
 * @return null, or what is wrong with it.
 */
const char *response_field(struct response_parser *parser, char *line, size_t length);

#endif
