# Turns what the headers say in plain text into Doxygen's commands, without moving a line.

# A header begins with "/*" and " * eddy/timer.h: what it is for." Both become a file's comment.
1s,^/\*$,/**,
2s,^ \* (eddy[a-z_/]*\.h): (.), * @file \1 @brief \u\2,

# "Since 0.1." ends a comment; the manual sets it apart.
s,Since ([0-9]+\.[0-9]+)\.,@since \1.,

# What stands in every configuration struct.
s,^  size_t size;$,  size_t size; /**< sizeof the struct\; set by its _INIT macro */,
s,^  void \*context;$,  void *context; /**< given to every callback */,

# The table of errors, whose lines are arguments of a macro, becomes the enumeration it stands for.
s,^#define EDDY_ERRORS\(X\) .*,enum {,
s,^  X\((EDDY_E[A-Z0-9]+)\, (-[0-9]+)\, "(.*)"\) +\\$,  \1 = \2\, /**< \3 */,
s,^  X\((EDDY_E[A-Z0-9]+)\, (-[0-9]+)\, "(.*)"\)$,  \1 = \2 /**< \3 */ };,
