// Which of 64 bytes words, digits and hexadecimal digits are made of.
#pragma once
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Bit i says something of byte i.
typedef struct {
  /// ASCII letters, digits, `_` and bytes from 0x80 on.
  uint64_t word;
  uint64_t digit;
  /// 0-9, a-f, A-F.
  uint64_t hex;
  /// 0xFF.
  uint64_t marker;
} cw_classes;

/// The classes of the 64 bytes at `bytes`. Inlined into the callers, so it must need no more than SSE2.
static inline cw_classes cw_classify64(const uint8_t *bytes) {
  cw_classes classes = {0, 0, 0, 0};
#if defined(__SSE2__)
  for (int part = 0; part < 4; part++) {
    __m128i block = _mm_loadu_si128((const __m128i *)(bytes + part * 16));
    // Signed comparisons of bytes moved so that a range ends at the greatest value.
    __m128i digit = _mm_cmpgt_epi8(_mm_add_epi8(block, _mm_set1_epi8(127 - '9')), _mm_set1_epi8(127 - 10));
    __m128i folded = _mm_or_si128(block, _mm_set1_epi8(0x20));
    __m128i letter = _mm_cmpgt_epi8(_mm_add_epi8(folded, _mm_set1_epi8(127 - 'z')), _mm_set1_epi8(127 - 26));
    __m128i hex = _mm_cmpgt_epi8(_mm_add_epi8(folded, _mm_set1_epi8(127 - 'f')), _mm_set1_epi8(127 - 6));
    __m128i line = _mm_cmpeq_epi8(block, _mm_set1_epi8('_'));
    // Bytes from 0x80 on carry their own top bit into the mask.
    __m128i word = _mm_or_si128(_mm_or_si128(digit, letter), _mm_or_si128(line, block));
    __m128i marker = _mm_cmpeq_epi8(block, _mm_set1_epi8((char)0xff));
    int shift = part * 16;
    classes.word |= (uint64_t)(uint32_t)_mm_movemask_epi8(word) << shift;
    classes.digit |= (uint64_t)(uint32_t)_mm_movemask_epi8(digit) << shift;
    classes.hex |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_or_si128(digit, hex)) << shift;
    classes.marker |= (uint64_t)(uint32_t)_mm_movemask_epi8(marker) << shift;
  }
#else
  for (int i = 0; i < 64; i++) {
    uint8_t byte = bytes[i], folded = byte | 0x20;
    uint64_t digit = byte >= '0' && byte <= '9';
    uint64_t letter = folded >= 'a' && folded <= 'z';
    classes.word |= (digit | letter | (byte == '_') | (byte >= 0x80)) << i;
    classes.digit |= digit << i;
    classes.hex |= (digit | (uint64_t)(folded >= 'a' && folded <= 'f')) << i;
    classes.marker |= (uint64_t)(byte == 0xff) << i;
  }
#endif
  return classes;
}

#ifdef __cplusplus
}
#endif
