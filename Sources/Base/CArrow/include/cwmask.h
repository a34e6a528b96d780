// Where in a text a secret may begin: one pass over 16 bytes at a time, for detectors that look closer.
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
/// - behind a byte that is no letter or digit: `b?ar` (any case), `eyJ`, `A?IA`, `AIz`, `gh?_`, `gi?h`, `xox`, or two
///   letters and two digits;
/// - behind a byte that is no digit: four digits.
/// Reads `bytes[0 ..< count]` only.
size_t cw_mask_candidate(const uint8_t *bytes, size_t start, size_t count);

#ifdef __cplusplus
}
#endif
