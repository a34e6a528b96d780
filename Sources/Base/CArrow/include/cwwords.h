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
  /// Bytes from 0x80 on.
  uint64_t high;
} cw_classes;

/// Bit i says something of byte i.
typedef struct {
  /// Bytes from 0xC0 on whose character may be of no word: see `cw_leads64`.
  uint64_t lead;
  /// 0xFF.
  uint64_t marker;
} cw_leads;

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
    int shift = part * 16;
    classes.word |= (uint64_t)(uint32_t)_mm_movemask_epi8(word) << shift;
    classes.digit |= (uint64_t)(uint32_t)_mm_movemask_epi8(digit) << shift;
    classes.hex |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_or_si128(digit, hex)) << shift;
    classes.high |= (uint64_t)(uint32_t)_mm_movemask_epi8(block) << shift;
  }
#else
  for (int i = 0; i < 64; i++) {
    uint8_t byte = bytes[i], folded = byte | 0x20;
    uint64_t digit = byte >= '0' && byte <= '9';
    uint64_t letter = folded >= 'a' && folded <= 'z';
    classes.word |= (digit | letter | (byte == '_') | (byte >= 0x80)) << i;
    classes.digit |= digit << i;
    classes.hex |= (digit | (uint64_t)(folded >= 'a' && folded <= 'f')) << i;
    classes.high |= (uint64_t)(byte >= 0x80) << i;
  }
#endif
  return classes;
}

/// The lead bytes among the 64 bytes at `bytes` whose characters have to be looked up; byte 64 is read too.
/// Left out are those that begin nothing but letters, marks and numbers unless 97 or B7 comes next: C3 to CA
/// (U+00C0 to U+02BF without the signs of multiplication and division), D0, D1 (U+0400 to U+047F), E4 to E9
/// (U+4000 to U+9FFF without U+4DC0 to U+4DFF), EB, EC (U+B000 to U+CFFF). Needs no more than SSE2.
static inline cw_leads cw_leads64(const uint8_t *bytes) {
  cw_leads leads = {0, 0};
#if defined(__SSE2__)
  for (int part = 0; part < 4; part++) {
    __m128i block = _mm_loadu_si128((const __m128i *)(bytes + part * 16));
    __m128i next = _mm_loadu_si128((const __m128i *)(bytes + part * 16 + 1));
    // Signed comparisons: bytes from 0x80 on are the negative ones, in their order.
#define CW_BETWEEN(low, high) \
  _mm_and_si128(_mm_cmpgt_epi8(block, _mm_set1_epi8((char)((low) - 1))), \
                _mm_cmpgt_epi8(_mm_set1_epi8((char)((high) + 1)), block))
    __m128i lead = _mm_and_si128(block, _mm_cmpgt_epi8(block, _mm_set1_epi8((char)0xbf)));
    __m128i two = _mm_or_si128(CW_BETWEEN(0xc3, 0xca), CW_BETWEEN(0xd0, 0xd1));
    __m128i three = _mm_or_si128(CW_BETWEEN(0xe4, 0xe9), CW_BETWEEN(0xeb, 0xec));
#undef CW_BETWEEN
    __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(next, _mm_set1_epi8((char)0x97)),
                               _mm_cmpeq_epi8(next, _mm_set1_epi8((char)0xb7)));
    __m128i letters = _mm_andnot_si128(odd, _mm_or_si128(two, three));
    __m128i marker = _mm_cmpeq_epi8(block, _mm_set1_epi8((char)0xff));
    int shift = part * 16;
    leads.lead |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_andnot_si128(letters, lead)) << shift;
    leads.marker |= (uint64_t)(uint32_t)_mm_movemask_epi8(marker) << shift;
  }
#else
  for (int i = 0; i < 64; i++) {
    uint8_t byte = bytes[i], next = bytes[i + 1];
    int letters = next != 0x97 && next != 0xb7 &&
                  ((byte >= 0xc3 && byte <= 0xca) || byte == 0xd0 || byte == 0xd1 ||
                   (byte >= 0xe4 && byte <= 0xe9) || byte == 0xeb || byte == 0xec);
    leads.lead |= (uint64_t)(byte >= 0xc0 && !letters) << i;
    leads.marker |= (uint64_t)(byte == 0xff) << i;
  }
#endif
  return leads;
}

#ifdef __cplusplus
}
#endif
