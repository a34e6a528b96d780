// Search for one string in bytes, 32 at a time with AVX2 where the processor has it, else 16 with SSE2.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What to look for. Two bytes of the needle are compared everywhere at once; only where both are right is
/// the rest looked at, so rare bytes make it fast.
typedef struct {
  const uint8_t *bytes;
  /// At least 1.
  size_t count;
  /// Offsets of the two bytes, below count; they may be equal.
  size_t first_probe;
  size_t second_probe;
  /// Not 0: ASCII case is ignored; the needle's letters are lower case then.
  int ignore_case;
} cw_needle;

/// The offset of the first place in `count` bytes at `text` where the whole needle lies; -1: none.
ptrdiff_t cw_find(const uint8_t *text, size_t count, const cw_needle *needle);

#ifdef __cplusplus
}
#endif
