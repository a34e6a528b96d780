#include "cwsearch.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static inline int is_letter(uint8_t byte) {
  uint8_t lower = byte | 0x20;
  return lower >= 'a' && lower <= 'z';
}

static inline int is_here(const uint8_t *place, const cw_needle *needle) {
  if (!needle->ignore_case) return memcmp(place, needle->bytes, needle->count) == 0;
  for (size_t i = 0; i < needle->count; i++) {
    uint8_t byte = place[i];
    if (byte >= 'A' && byte <= 'Z') byte |= 0x20;
    if (byte != needle->bytes[i]) return 0;
  }
  return 1;
}

static ptrdiff_t find_bytewise(const uint8_t *text, size_t count, size_t from, const cw_needle *needle) {
  for (size_t i = from; i + needle->count <= count; i++) {
    if (is_here(text + i, needle)) return (ptrdiff_t)i;
  }
  return -1;
}

#if defined(__x86_64__)
// A letter and its other case differ in bit 0x20 only; with other bytes that bit must stay.
static inline uint8_t fold_mask(const cw_needle *needle, uint8_t byte) {
  return needle->ignore_case && is_letter(byte) ? 0x20 : 0;
}

#define CW_FIND(NAME, TARGET, WIDTH, VECTOR, LOAD, SET1, OR, AND, EQUAL, MASK)                             \
  TARGET static ptrdiff_t NAME(const uint8_t *text, size_t count, const cw_needle *needle) {               \
    uint8_t first = needle->bytes[needle->first_probe];                                                    \
    uint8_t second = needle->bytes[needle->second_probe];                                                  \
    VECTOR first_wanted = SET1((char)first), second_wanted = SET1((char)second);                           \
    VECTOR first_fold = SET1((char)fold_mask(needle, first));                                              \
    VECTOR second_fold = SET1((char)fold_mask(needle, second));                                            \
    const uint8_t *a = text + needle->first_probe, *b = text + needle->second_probe;                       \
    size_t i = 0;                                                                                          \
    /* Probes are below needle->count, so both loads end within the text. */                               \
    for (; i + needle->count + WIDTH - 1 <= count; i += WIDTH) {                                           \
      VECTOR x = EQUAL(OR(LOAD((const VECTOR *)(a + i)), first_fold), first_wanted);                       \
      VECTOR y = EQUAL(OR(LOAD((const VECTOR *)(b + i)), second_fold), second_wanted);                     \
      uint32_t hits = (uint32_t)MASK(AND(x, y));                                                           \
      while (hits) {                                                                                       \
        size_t place = i + (size_t)__builtin_ctz(hits);                                                    \
        if (is_here(text + place, needle)) return (ptrdiff_t)place;                                        \
        hits &= hits - 1;                                                                                  \
      }                                                                                                    \
    }                                                                                                      \
    return find_bytewise(text, count, i, needle);                                                          \
  }

CW_FIND(find_sse2, , 16, __m128i, _mm_loadu_si128, _mm_set1_epi8, _mm_or_si128, _mm_and_si128, _mm_cmpeq_epi8,
        _mm_movemask_epi8)
CW_FIND(find_avx2, __attribute__((target("avx2"))), 32, __m256i, _mm256_loadu_si256, _mm256_set1_epi8,
        _mm256_or_si256, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_movemask_epi8)

ptrdiff_t cw_find(const uint8_t *text, size_t count, const cw_needle *needle) {
  if (count < needle->count) return -1;
  return __builtin_cpu_supports("avx2") ? find_avx2(text, count, needle) : find_sse2(text, count, needle);
}
#else
ptrdiff_t cw_find(const uint8_t *text, size_t count, const cw_needle *needle) {
  if (count < needle->count) return -1;
  return find_bytewise(text, count, 0, needle);
}
#endif
