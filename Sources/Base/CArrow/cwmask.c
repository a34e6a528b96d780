#include "cwmask.h"

#include <string.h>

static int is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }
static int is_letter(uint8_t byte) { return (uint8_t)((byte | 0x20) - 'a') < 26; }

/// Whether there is an anchor; URLs count by their `@`.
static inline uint32_t anchored(const uint8_t *bytes, size_t count) {
  int kinds = CW_ANCHOR_NAME | CW_ANCHOR_TOKEN | CW_ANCHOR_PEM | CW_ANCHOR_WORD;
  return cw_mask_anchor(bytes, 0, count, kinds).kind ? CW_MASK_ANCHORED : 0;
}

#if defined(__SSE2__)
typedef __m128i block_t;
static inline block_t load(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)bytes); }
static inline block_t is(block_t block, char byte) { return _mm_cmpeq_epi8(block, _mm_set1_epi8(byte)); }
static inline block_t both(block_t a, block_t b) { return _mm_and_si128(a, b); }
static inline block_t either(block_t a, block_t b) { return _mm_or_si128(a, b); }
static inline uint32_t bits(block_t block) { return (uint32_t)_mm_movemask_epi8(block); }
static inline block_t within(block_t block, char first, char length) {
  block_t offset = _mm_sub_epi8(block, _mm_set1_epi8(first));
  return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8((char)(length - 1))), offset);
}

/// What was met in a text so far.
typedef struct {
  block_t ats;
  /// Digits met, by place in a block, at most 255 each.
  block_t digit_count;
  /// A bit where two letters and two digits end.
  uint32_t accounts;
  /// The last four bytes: a bit for each that is a digit, a letter.
  uint32_t digits, letters;
  /// The last twelve bytes: a bit for each that is a digit, a space or a dash.
  uint32_t row;
  /// A bit where 13 of these begin, as every card number does: nearly all lines of logs have 13 digits
  /// somewhere, one in a hundred has them so.
  uint32_t cards;
} signs_t;

/// Adds the last `fresh` of the 16 bytes in `v0`.
static inline __attribute__((always_inline)) void add(signs_t *signs, block_t v0, size_t fresh) {
  static const uint8_t ones[32] = {[16] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  block_t fold = _mm_set1_epi8(0x20);
  block_t f0 = either(v0, fold);
  signs->ats = either(signs->ats, is(v0, '@'));
  block_t digit = within(v0, '0', 10);
  signs->digit_count = _mm_adds_epu8(signs->digit_count, both(digit, load(ones + fresh)));
  // Four bytes of the block before, where nothing ends any more, then the fresh ones.
  uint32_t digits = signs->digits | bits(digit) >> (16 - fresh) << 4;
  uint32_t letters = signs->letters | bits(within(f0, 'a', 26)) >> (16 - fresh) << 4;
  uint32_t ends = digits & digits << 1 & letters << 2 & letters << 3 & ~((digits | letters) << 4);
  signs->accounts |= ends >> 4;
  signs->digits = digits >> fresh;
  signs->letters = letters >> fresh;
  block_t between = either(is(v0, ' '), is(v0, '-'));
  uint32_t row = signs->row | bits(either(digit, between)) >> (16 - fresh) << 12;
  uint32_t of2 = row & row >> 1, of4 = of2 & of2 >> 2, of8 = of4 & of4 >> 4;
  signs->cards |= of8 & of8 >> 5;
  signs->row = row >> fresh;
}

/// 4 to 15 bytes, zeros behind them.
static inline block_t load_short(const uint8_t *bytes, size_t count) {
  uint64_t low, high = 0;
  if (count < 8) {
    uint32_t first, last;
    memcpy(&first, bytes, 4);
    memcpy(&last, bytes + count - 4, 4);
    low = first | (uint64_t)last << 8 * (count - 4);
  } else {
    memcpy(&low, bytes, 8);
    memcpy(&high, bytes + count - 8, 8);
    high = high >> 8 * (15 - count) >> 8;
  }
  return _mm_set_epi64x((long long)high, (long long)low);
}

uint32_t cw_mask_signs(const uint8_t *bytes, size_t count) {
  if (count < 6) return 0;
  signs_t signs = {_mm_setzero_si128(), _mm_setzero_si128(), 0, 0, 0, 0, 0};
  block_t first = count < 16 ? load_short(bytes, count) : load(bytes);
  add(&signs, first, 16);
  size_t at = 16;
  for (; at + 16 <= count; at += 16) add(&signs, load(bytes + at), 16);
  // The last 16 bytes once more.
  if (at < count) add(&signs, load(bytes + count - 16), count - at);
  block_t sums = _mm_sad_epu8(signs.digit_count, _mm_setzero_si128());
  int digit_count = _mm_cvtsi128_si32(sums) + _mm_extract_epi16(sums, 4);
  return (bits(signs.ats) ? CW_MASK_EMAIL | CW_MASK_USERINFO : 0) | anchored(bytes, count) |
         (digit_count >= 13 && signs.cards ? CW_MASK_CARD : 0) |
         (signs.accounts && count >= 15 ? CW_MASK_IBAN : 0);
}

/// A bit for each of the 16 bytes at `bytes`, of which 20 can be read.
static inline uint32_t candidates(const uint8_t *bytes, uint8_t previous) {
  block_t v0 = load(bytes), v4 = load(bytes + 4);
  block_t fold = _mm_set1_epi8(0x20);
  block_t f0 = either(v0, fold), f4 = either(v4, fold);
  // 20 bits each: the bytes 4 to 19 come from the last load.
  uint32_t digits = bits(within(v0, '0', 10)) | bits(within(v4, '0', 10)) << 4;
  uint32_t letters = bits(within(f0, 'a', 26)) | bits(within(f4, 'a', 26)) << 4;
  uint32_t behind_digit = digits << 1 | (uint32_t)is_digit(previous);
  uint32_t behind_word = (digits | letters) << 1 | (uint32_t)(is_digit(previous) || is_letter(previous));
  uint32_t runs = digits & digits >> 1 & digits >> 2 & digits >> 3 & ~behind_digit;
  uint32_t accounts = letters & letters >> 1 & digits >> 2 & digits >> 3;
  return (bits(is(v0, '@')) | runs | (accounts & ~behind_word)) & 0xFFFF;
}
#else
uint32_t cw_mask_signs(const uint8_t *bytes, size_t count) {
  uint32_t found = 0;
  size_t digit_count = 0, run = 0, run_max = 0;
  for (size_t i = 0; i < count; i++) {
    uint8_t b = bytes[i], b1 = i > 0 ? bytes[i - 1] : 0, b2 = i > 1 ? bytes[i - 2] : 0;
    if (b == '@') found |= CW_MASK_EMAIL | CW_MASK_USERINFO;
    digit_count += (size_t)is_digit(b);
    run = is_digit(b) || b == ' ' || b == '-' ? run + 1 : 0;
    if (run > run_max) run_max = run;
    if (i < 3 || !is_letter(bytes[i - 3]) || !is_letter(b2) || !is_digit(b1) || !is_digit(b)) continue;
    if (count < 15) continue;
    if (i == 3 || !(is_digit(bytes[i - 4]) || is_letter(bytes[i - 4]))) found |= CW_MASK_IBAN;
  }
  if (digit_count >= 13 && run_max >= 13) found |= CW_MASK_CARD;
  return count < 6 ? 0 : found | anchored(bytes, count);
}

static inline uint32_t candidates(const uint8_t *bytes, uint8_t previous) {
  uint32_t mask = 0;
  for (int i = 0; i < 16; i++) {
    const uint8_t *b = bytes + i;
    uint8_t before = i ? b[-1] : previous;
    int found = b[0] == '@';
    found |= is_digit(b[0]) && is_digit(b[1]) && is_digit(b[2]) && is_digit(b[3]) && !is_digit(before);
    if (!is_digit(before) && !is_letter(before)) {
      found |= is_letter(b[0]) && is_letter(b[1]) && is_digit(b[2]) && is_digit(b[3]);
    }
    mask |= (uint32_t)found << i;
  }
  return mask;
}
#endif

size_t cw_mask_candidate(const uint8_t *bytes, size_t start, size_t count) {
  size_t at = start;
  while (at < count && count - at >= 20) {
    uint32_t found = candidates(bytes + at, at ? bytes[at - 1] : 0);
    if (found) return at + (size_t)__builtin_ctz(found);
    at += 16;
  }
  if (at >= count) return count;
  // At most 19 bytes are left: a copy with zeros behind them has no candidate in its padding.
  uint8_t tail[40] = {0};
  memcpy(tail, bytes + at, count - at);
  uint32_t found = candidates(tail, at ? bytes[at - 1] : 0);
  if (found) return at + (size_t)__builtin_ctz(found);
  if (count - at <= 16) return count;
  found = candidates(tail + 16, tail[15]);
  return found ? at + 16 + (size_t)__builtin_ctz(found) : count;
}
