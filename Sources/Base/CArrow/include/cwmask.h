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
/// - behind a byte that is no letter or digit: two letters and two digits;
/// - behind a byte that is no digit: four digits.
/// Reads `bytes[0 ..< count]` only.
size_t cw_mask_candidate(const uint8_t *bytes, size_t start, size_t count);

/// Detectors, as bits; those that look at anchors are not told apart.
enum {
  CW_MASK_EMAIL = 1,
  CW_MASK_CARD = 8,
  CW_MASK_IBAN = 16,
  CW_MASK_USERINFO = 128,
  CW_MASK_ANCHORED = 2 | 4 | 32 | 64 | 256
};

/// The detectors that may find something in a text; the others need not look. A detector is left out if
/// the text has nothing that its finds always have:
/// - e-mail and userinfo: an `@`;
/// - anchored ones: an anchor of another kind than a URL's;
/// - card: 13 digits, and 13 bytes in a row that are digits, spaces or dashes;
/// - IBAN: 15 bytes and, behind a byte that is no letter or digit, two letters and two digits.
/// Texts below 6 bytes hold nothing. Reads `bytes[0 ..< count]` only, each block of 16 bytes twice: much
/// cheaper than to search for candidates, which stops at each number of four digits.
uint32_t cw_mask_signs(const uint8_t *bytes, size_t count);

/// What an anchor may belong to, a bit each.
enum {
  /// The name of a secret, somewhere in it.
  CW_ANCHOR_NAME = 1,
  /// A token that shows by how it begins.
  CW_ANCHOR_TOKEN = 2,
  CW_ANCHOR_URL = 4,
  CW_ANCHOR_PEM = 8,
  /// The name of a scheme of authentication.
  CW_ANCHOR_WORD = 16
};

/// Shorter texts have no anchor: half of the texts in records are shorter, and `pwd=abc` is no secret.
enum { CW_ANCHOR_TEXT_BYTES_MIN = 8 };

/// Four bytes that secrets have.
typedef struct {
  /// Where they stand.
  size_t at;
  /// Where the token begins, if it is one.
  size_t start;
  /// 0: there is none, `at` and `start` are the text's length.
  int kind;
} cw_anchor_t;

/// The first anchor from `start` on of one of `kinds`. Reads `bytes[0 ..< count]` only.
cw_anchor_t cw_mask_anchor(const uint8_t *bytes, size_t start, size_t count, int kinds);

/// The same, byte by byte, as machines without AVX2 find it.
cw_anchor_t cw_mask_anchor_plain(const uint8_t *bytes, size_t start, size_t count, int kinds);

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
