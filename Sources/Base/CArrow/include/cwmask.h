// Where in a text a secret may begin: passes over 16 bytes at a time, for detectors that look closer.
#pragma once
#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Index from `start` on of the first byte at which one of these begins, or `count`:
/// - an `@`;
/// - behind a byte that is no letter or digit: `b?ar` (any case), `eyJ`, `A?IA`, `AIz`, `gh?_`, `gi?h`,
///   `xox`, or two letters and two digits;
/// - behind a byte that is no digit: four digits.
/// Reads `bytes[0 ..< count]` only.
size_t cw_mask_candidate(const uint8_t *bytes, size_t start, size_t count);

/// Detectors, as bits; the words are those of bearer tokens, JWTs and cloud keys, which are not told
/// apart.
enum { CW_MASK_EMAIL = 1, CW_MASK_WORDS = 2 | 4 | 32, CW_MASK_CARD = 8, CW_MASK_IBAN = 16 };

/// The detectors that may find something in a text; the others need not look. A detector is left out if
/// the text has nothing that its finds always have:
/// - an `@`;
/// - words: one of `bea` (any case), `yJ`, `IA`, `Iz`, `h?_`, `h?b`, `xo`;
/// - card: 13 digits, wherever they stand;
/// - IBAN: 15 bytes and, behind a byte that is no letter or digit, two letters and two digits.
/// Texts below 6 bytes hold nothing. Reads `bytes[0 ..< count]` only, each block of 16 bytes once: much
/// cheaper than to search for candidates, which stops at each number of four digits.
uint32_t cw_mask_signs(const uint8_t *bytes, size_t count);

/// Whether the first `count` bytes, at most 32, of `a` and `b` are equal; 32 bytes of both are read.
static inline int cw_mask_same_name(const uint8_t *a, const uint8_t *b, size_t count) {
#if defined(__SSE2__)
  const __m128i *one = (const __m128i *)a, *other = (const __m128i *)b;
  __m128i low = _mm_cmpeq_epi8(_mm_loadu_si128(one), _mm_loadu_si128(other));
  __m128i high = _mm_cmpeq_epi8(_mm_loadu_si128(one + 1), _mm_loadu_si128(other + 1));
  uint64_t same = (uint32_t)_mm_movemask_epi8(low) | (uint64_t)_mm_movemask_epi8(high) << 16;
  return (~same & ((1ull << count) - 1)) == 0;
#else
  for (size_t i = 0; i < count; i++) {
    if (a[i] != b[i]) return 0;
  }
  return 1;
#endif
}

#ifdef __cplusplus
}
#endif
