#include "cwmask.h"

#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

// Four bytes that every secret of a kind has, wherever it stands. All are looked for at once, as Teddy does it
// (Hyperscan, Rust's aho-corasick): for each of the four places a table of the low and one of the high half of a
// byte says in which buckets that byte is welcome; what is welcome four times is compared. One block of 16
// bytes in thirty of logs is.
typedef struct {
  uint8_t bucket, kind;
  /// How far before the four bytes the secret begins; there a byte that is no letter or digit stands before.
  uint8_t back;
  /// Lower case, compared with bit 0x20 set. Capitals are classes: Q what ends a name that has a value, H a
  /// hexadecimal digit, D a digit, A a letter, X anything.
  char text[5];
} pattern_t;

enum { NAME = CW_ANCHOR_NAME, TOKEN = CW_ANCHOR_TOKEN, URL = CW_ANCHOR_URL, PEM = CW_ANCHOR_PEM, WORD = CW_ANCHOR_WORD };

// Which patterns share a bucket was found by trying on logs of many kinds: those that welcome the fewest bytes
// together.
static const pattern_t patterns[] = {
    {0, NAME, 0, "oken"}, {0, NAME, 0, "ooki"}, {0, NAME, 0, "pi_k"}, {0, NAME, 0, "pi-k"}, {0, TOKEN, 0, "aiza"},
    {0, TOKEN, 0, "xapp"}, {0, TOKEN, 0, "pypi"}, {0, TOKEN, 1, "ooks"}, {0, TOKEN, 0, "xkey"},
    {1, NAME, 0, "onid"}, {1, NAME, 0, "ecre"}, {1, TOKEN, 0, "dapi"}, {6, NAME, 0, "on_i"}, {6, NAME, 0, "on-i"},
    {2, URL, 0, "://X"}, {2, TOKEN, 0, "sk-X"}, {2, TOKEN, 0, "sg.X"}, {2, TOKEN, 0, "sntr"},
    {3, TOKEN, 0, "skHH"}, {3, PEM, 0, "-beg"},
    {4, NAME, 0, "uthQ"}, {4, NAME, 0, "pwdQ"}, {4, NAME, 0, "jwtQ"}, {4, NAME, 0, "otpQ"}, {4, TOKEN, 0, "hvb."},
    {4, TOKEN, 0, "tske"}, {4, NAME, 0, "by '"}, {4, NAME, 0, "by \""}, {4, NAME, 0, "by \\"},
    {5, NAME, 0, "assQ"}, {5, NAME, 0, "assc"}, {5, NAME, 0, "assw"}, {5, NAME, 0, "riza"}, {5, TOKEN, 0, "shpa"},
    {5, TOKEN, 0, "shps"}, {5, TOKEN, 0, "whse"}, {5, TOKEN, 0, "r8_X"}, {5, TOKEN, 0, "shpp"}, {5, TOKEN, 0, "shpc"},
    {6, NAME, 0, "pike"}, {6, NAME, 0, "sig="}, {6, TOKEN, 0, "figd"}, {6, TOKEN, 0, "pmak"},
    {7, NAME, 0, "assp"}, {7, WORD, 0, "bear"}, {7, TOKEN, 0, "dop_"}, {7, TOKEN, 0, "doo_"}, {7, TOKEN, 0, "nrak"},
    {7, TOKEN, 0, "ntn_"},
    {8, NAME, 0, "keyQ"}, {8, TOKEN, 0, "npm_"}, {8, TOKEN, 0, "key-"}, {8, TOKEN, 0, "dckr"}, {8, TOKEN, 0, "gsk_"},
    {8, TOKEN, 0, "psca"},
    {9, NAME, 0, "eden"}, {9, TOKEN, 1, "k_li"}, {9, TOKEN, 0, "D:aa"},
    {10, NAME, 0, "pinQ"}, {10, NAME, 0, "cvvQ"}, {10, NAME, 0, "cvcQ"}, {10, NAME, 0, "ssnQ"}, {10, TOKEN, 0, "ya29"},
    {10, TOKEN, 0, "sbp_"},
    {11, NAME, 0, "sid="}, {11, TOKEN, 0, "ghA_"}, {11, TOKEN, 0, "gocs"}, {11, TOKEN, 0, "lin_"},
    {12, WORD, 0, "basi"}, {12, TOKEN, 0, "akia"}, {12, TOKEN, 5, "b_pa"}, {12, TOKEN, 1, "k_te"}, {12, TOKEN, 0, "age-"},
    {13, TOKEN, 0, "eyjX"}, {13, TOKEN, 0, "xoxA"}, {13, TOKEN, 0, "sq0X"},
    {14, TOKEN, 0, "asia"}, {14, TOKEN, 1, "lpat"}, {14, TOKEN, 0, "eaaa"}, {14, TOKEN, 0, "tatt"}, {14, TOKEN, 0, "atat"},
    {15, TOKEN, 0, "gldt"}, {15, TOKEN, 0, "glrt"}, {15, TOKEN, 0, "glcb"}, {15, TOKEN, 0, "glpt"}, {15, TOKEN, 0, "glft"},
    {15, TOKEN, 0, "glso"}, {15, TOKEN, 0, "glc_"}, {15, TOKEN, 0, "glsa"}, {15, TOKEN, 0, "hvs."}, {15, TOKEN, 0, "hf_X"},
};
enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

static int is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }
static int is_letter(uint8_t byte) { return (uint8_t)((byte | 0x20) - 'a') < 26; }

static int is_welcome(char want, uint8_t byte) {
  switch (want) {
  case 'Q': return byte == '=' || byte == ':' || byte == '"' || byte == '\'' || byte == '\\' || byte == ']' || byte == '>';
  case 'H': return is_digit(byte) || (uint8_t)((byte | 0x20) - 'a') < 6;
  case 'D': return is_digit(byte);
  case 'A': return is_letter(byte);
  case 'X': return byte > 0 && byte < 0x80;
  default: return (byte | 0x20) == (want | 0x20) && byte < 0x80;
  }
}

/// By place: the buckets that welcome a byte with this low half (16, twice: buckets 0 to 7, then 8 to 15) and
/// with this high half; and with this byte.
static uint8_t low[4][32], high[4][32];
static uint16_t welcome[4][256];

__attribute__((constructor)) static void prepare(void) {
  for (int i = 0; i < PATTERNS; i++) {
    const pattern_t *pattern = &patterns[i];
    uint8_t bit = (uint8_t)(1 << (pattern->bucket & 7));
    int half = pattern->bucket & 8 ? 16 : 0;
    for (int place = 0; place < 4; place++) {
      for (int byte = 0; byte < 0x80; byte++) {
        if (!is_welcome(pattern->text[place], (uint8_t)byte)) continue;
        low[place][half + (byte & 15)] |= bit;
        high[place][half + (byte >> 4)] |= bit;
      }
    }
  }
  for (int place = 0; place < 4; place++) {
    for (int byte = 0; byte < 0x80; byte++) {
      welcome[place][byte] = (uint16_t)((low[place][byte & 15] & high[place][byte >> 4]) |
                                        (low[place][16 + (byte & 15)] & high[place][16 + (byte >> 4)]) << 8);
    }
  }
}

/// The pattern whose four bytes stand at `at`, among those in `buckets`; none: -1.
static int compare(const uint8_t *bytes, size_t at, size_t count, uint32_t buckets, int kinds) {
  if (at + 4 > count) return -1;
  for (int i = 0; i < PATTERNS; i++) {
    const pattern_t *pattern = &patterns[i];
    if (!(buckets >> pattern->bucket & 1) || !(kinds & pattern->kind)) continue;
    int same = 1;
    for (int place = 0; same && place < 4; place++) same = is_welcome(pattern->text[place], bytes[at + (size_t)place]);
    if (!same || at < pattern->back) continue;
    size_t start = at - pattern->back;
    // What stands before a bot's number is more of it: the detector looks.
    int is_bound = (pattern->kind == TOKEN && pattern->text[0] != 'D') || pattern->kind == WORD;
    if (is_bound && start > 0 && (is_digit(bytes[start - 1]) || is_letter(bytes[start - 1]))) continue;
    return i;
  }
  return -1;
}

static cw_anchor_t found(size_t at, int pattern) {
  return (cw_anchor_t){at, at - patterns[pattern].back, patterns[pattern].kind};
}

#if defined(__SSE2__)
/// Buckets that welcome `block` at `place`: a byte for each of its 16, buckets 0 to 7, then 8 to 15.
__attribute__((target("avx2"))) static inline __m256i welcoming(__m128i bytes, int place) {
  __m256i block = _mm256_broadcastsi128_si256(bytes);
  // Bytes from 0x80 on give none: the shuffle's own rule.
  __m256i lows = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)low[place]), block);
  __m256i halves = _mm256_and_si256(_mm256_srli_epi16(block, 4), _mm256_set1_epi8(0x0F));
  return _mm256_and_si256(lows, _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)high[place]), halves));
}

/// The first pattern at one of the 16 bytes from `base` on that are not before `at`.
__attribute__((target("avx2"), noinline)) static cw_anchor_t compare_block(
    const uint8_t *bytes, size_t base, size_t at, size_t count, __m256i all, int kinds) {
  uint8_t by_place[32];
  _mm256_storeu_si256((__m256i *)by_place, all);
  for (size_t place = at - base; place < 16; place++) {
    uint32_t in = by_place[place] | (uint32_t)by_place[16 + place] << 8;
    int pattern = in ? compare(bytes, base + place, count, in, kinds) : -1;
    if (pattern >= 0) return found(base + place, pattern);
  }
  return (cw_anchor_t){count, count, 0};
}

/// 4 to 15 bytes, zeros behind them.
static inline __m128i load_short(const uint8_t *bytes, size_t count) {
  uint64_t first, last = 0;
  if (count < 8) {
    uint32_t head, tail;
    memcpy(&head, bytes, 4);
    memcpy(&tail, bytes + count - 4, 4);
    first = head | (uint64_t)tail << 8 * (count - 4);
  } else {
    memcpy(&first, bytes, 8);
    memcpy(&last, bytes + count - 8, 8);
    last = last >> 8 * (15 - count) >> 8;
  }
  return _mm_set_epi64x((long long)last, (long long)first);
}

/// The first pattern that lies within the 16 bytes `block` from `base` on, and not before `at`.
__attribute__((target("avx2"))) static inline cw_anchor_t compare_last(
    __m128i block, const uint8_t *bytes, size_t base, size_t at, size_t count, int kinds) {
  __m256i all = _mm256_and_si256(welcoming(block, 0), welcoming(_mm_srli_si128(block, 1), 1));
  all = _mm256_and_si256(all, welcoming(_mm_srli_si128(block, 2), 2));
  all = _mm256_and_si256(all, welcoming(_mm_srli_si128(block, 3), 3));
  if (__builtin_expect(_mm256_testz_si256(all, all), 1)) return (cw_anchor_t){count, count, 0};
  return compare_block(bytes, base, at, count, all, kinds);
}

__attribute__((target("avx2"))) static cw_anchor_t find_avx2(
    const uint8_t *bytes, size_t at, size_t count, int kinds) {
  for (; at + 19 <= count; at += 16) {
    const uint8_t *here = bytes + at;
    __m256i all = welcoming(_mm_loadu_si128((const __m128i *)here), 0);
    all = _mm256_and_si256(all, welcoming(_mm_loadu_si128((const __m128i *)(here + 1)), 1));
    all = _mm256_and_si256(all, welcoming(_mm_loadu_si128((const __m128i *)(here + 2)), 2));
    all = _mm256_and_si256(all, welcoming(_mm_loadu_si128((const __m128i *)(here + 3)), 3));
    if (__builtin_expect(_mm256_testz_si256(all, all), 1)) continue;
    cw_anchor_t anchor = compare_block(bytes, at, at, count, all, kinds);
    if (anchor.kind) return anchor;
  }
  if (at + 4 > count) return (cw_anchor_t){count, count, 0};
  if (count < 16) return compare_last(load_short(bytes, count), bytes, 0, at, count, kinds);
  // The last 16 bytes, some of them once more; before that one or two bytes, if more are left.
  size_t base = count - 16;
  if (at < base) {
    cw_anchor_t anchor = compare_last(_mm_loadu_si128((const __m128i *)(bytes + at)), bytes, at, at, count, kinds);
    if (anchor.kind) return anchor;
    at = base;
  }
  return compare_last(_mm_loadu_si128((const __m128i *)(bytes + base)), bytes, base, at, count, kinds);
}
#endif

static cw_anchor_t find_plain(const uint8_t *bytes, size_t at, size_t count, int kinds) {
  for (; at + 4 <= count; at++) {
    uint32_t in = welcome[0][bytes[at]] & welcome[1][bytes[at + 1]] & welcome[2][bytes[at + 2]] & welcome[3][bytes[at + 3]];
    int pattern = in ? compare(bytes, at, count, in, kinds) : -1;
    if (pattern >= 0) return found(at, pattern);
  }
  return (cw_anchor_t){count, count, 0};
}

cw_anchor_t cw_mask_anchor(const uint8_t *bytes, size_t start, size_t count, int kinds) {
#if defined(__SSE2__)
  if (__builtin_cpu_supports("avx2")) return find_avx2(bytes, start, count, kinds);
#endif
  return find_plain(bytes, start, count, kinds);
}

cw_anchor_t cw_mask_anchor_plain(const uint8_t *bytes, size_t start, size_t count, int kinds) {
  return find_plain(bytes, start, count, kinds);
}
