// Byte kernels that need instructions Swift cannot name: CRC-32C and 16-byte scans.
#pragma once
#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// CRC-32C (Castagnoli) of `count` bytes, continuing from `seed` (0 to start). SSE4.2 where the processor has
/// it.
uint32_t cw_crc32c(uint32_t seed, const uint8_t *bytes, size_t count);

/// A bit for each of the 16 bytes at `bytes` that ends the plain part of a JSON string: a quote, a backslash,
/// a control character or a byte from 0x80 on. Inlined into the callers, so it must need no more than SSE2.
static inline uint32_t cw_json_stops16(const uint8_t *bytes) {
#if defined(__SSE2__)
  __m128i block = _mm_loadu_si128((const __m128i *)bytes);
  __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  __m128i slash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  // Bytes from 0x80 on carry their own top bit into the mask.
  return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(control, block), _mm_or_si128(quote, slash)));
#else
  uint32_t mask = 0;
  for (int i = 0; i < 16; i++) {
    uint8_t byte = bytes[i];
    if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\') mask |= 1u << i;
  }
  return mask;
#endif
}

/// As above without the bytes from 0x80 on: a bit for each byte that a JSON string must hold escaped.
static inline uint32_t cw_json_escapes16(const uint8_t *bytes) {
#if defined(__SSE2__)
  __m128i block = _mm_loadu_si128((const __m128i *)bytes);
  __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  __m128i slash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  return (uint32_t)_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, slash)));
#else
  uint32_t mask = 0;
  for (int i = 0; i < 16; i++) {
    uint8_t byte = bytes[i];
    if (byte < 0x20 || byte == '"' || byte == '\\') mask |= 1u << i;
  }
  return mask;
#endif
}

#ifdef __cplusplus
}
#endif
