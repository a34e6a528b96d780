#include "cwmask.h"

#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

// Four bytes that every secret of a kind has, wherever it stands. All are looked for at once, as Teddy does
// it (Hyperscan, Rust's aho-corasick): for each of the four places a table of the low and one of the high
// half of a byte says in which buckets that byte is welcome; what is welcome four times is compared. One
// block of 16 bytes in thirty of logs is.
typedef struct {
  uint8_t bucket, kind;
  /// How far before the four bytes the secret begins; there a byte that is no letter or digit stands before.
  uint8_t back;
  /// Lower case, compared with bit 0x20 set. Capitals are classes: Q what ends a name that has a value, H a
  /// hexadecimal digit, D a digit, A a letter, X anything.
  char text[5];
} pattern_t;

enum {
  NAME = CW_ANCHOR_NAME,
  TOKEN = CW_ANCHOR_TOKEN,
  URL = CW_ANCHOR_URL,
  PEM = CW_ANCHOR_PEM,
  WORD = CW_ANCHOR_WORD
};

// Which patterns share a bucket was found by trying on logs of many kinds: those that welcome the fewest
// bytes together.
static const pattern_t patterns[] = {
    {0, TOKEN, 1, "ooks"}, {0, NAME, 0, "eden"}, {0, TOKEN, 0, "D:aa"}, {0, TOKEN, 0, "eaaa"},
    {1, NAME, 0, "assQ"}, {1, NAME, 0, "assc"}, {1, NAME, 0, "assw"}, {1, TOKEN, 0, "whse"},
    {1, NAME, 0, "assp"}, {1, TOKEN, 0, "xoxA"}, {1, TOKEN, 0, "glso"}, {1, TOKEN, 0, "glsa"},
    {1, TOKEN, 0, "hf_X"},
    {2, TOKEN, 0, "dapi"}, {2, NAME, 0, "by '"}, {2, NAME, 0, "by \""}, {2, NAME, 0, "by \\"},
    {2, WORD, 0, "bear"}, {2, NAME, 0, "keyQ"}, {2, TOKEN, 0, "key-"}, {2, TOKEN, 0, "dckr"},
    {2, WORD, 0, "basi"},
    {3, URL, 0, "://X"}, {3, NAME, 0, "jwtQ"}, {3, TOKEN, 0, "r8_X"}, {3, TOKEN, 1, "k_te"},
    {4, TOKEN, 0, "dop_"}, {4, TOKEN, 0, "doo_"}, {4, TOKEN, 0, "ghA_"}, {4, TOKEN, 0, "akia"},
    {4, TOKEN, 5, "b_pa"},
    {5, NAME, 0, "oken"}, {5, NAME, 0, "pi_k"}, {5, TOKEN, 0, "pypi"}, {5, TOKEN, 0, "xkey"},
    {5, NAME, 0, "on_i"}, {5, NAME, 0, "pike"},
    {6, PEM, 0, "-beg"}, {6, NAME, 0, "sig="}, {6, NAME, 0, "sid="}, {6, TOKEN, 0, "gocs"},
    {6, TOKEN, 0, "age-"},
    {7, NAME, 0, "uthQ"}, {7, NAME, 0, "otpQ"}, {7, TOKEN, 0, "ntn_"}, {7, NAME, 0, "pinQ"},
    {7, NAME, 0, "cvvQ"}, {7, TOKEN, 0, "lin_"},
    {8, TOKEN, 0, "sk-X"}, {8, TOKEN, 0, "skHH"}, {8, TOKEN, 0, "ya29"}, {8, TOKEN, 0, "sq0X"},
    {9, NAME, 0, "ooki"}, {9, TOKEN, 0, "figd"}, {9, TOKEN, 0, "pmak"}, {9, TOKEN, 0, "nrak"},
    {10, TOKEN, 0, "tske"}, {10, TOKEN, 1, "k_li"}, {10, TOKEN, 1, "lpat"}, {10, TOKEN, 0, "atat"},
    {11, TOKEN, 0, "sg.X"}, {11, NAME, 0, "pwdQ"}, {11, TOKEN, 0, "psca"}, {11, NAME, 0, "cvcQ"},
    {11, NAME, 0, "ssnQ"}, {11, TOKEN, 0, "glcb"}, {11, TOKEN, 0, "glc_"},
    {12, NAME, 0, "ecre"}, {12, TOKEN, 0, "eyjX"},
    {13, TOKEN, 0, "hvb."}, {13, TOKEN, 0, "npm_"}, {13, TOKEN, 0, "gsk_"}, {13, TOKEN, 0, "gldt"},
    {13, TOKEN, 0, "glrt"}, {13, TOKEN, 0, "glpt"}, {13, TOKEN, 0, "glft"}, {13, TOKEN, 0, "hvs."},
    {14, TOKEN, 0, "xapp"}, {14, TOKEN, 0, "sntr"}, {14, TOKEN, 0, "shpa"}, {14, TOKEN, 0, "shps"},
    {14, TOKEN, 0, "shpp"}, {14, TOKEN, 0, "shpc"}, {14, TOKEN, 0, "sbp_"}, {14, TOKEN, 0, "tatt"},
    {15, NAME, 0, "pi-k"}, {15, TOKEN, 0, "aiza"}, {15, NAME, 0, "onid"}, {15, NAME, 0, "on-i"},
    {15, NAME, 0, "riza"}, {15, TOKEN, 0, "asia"},
};
enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

static int is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }
static int is_letter(uint8_t byte) { return (uint8_t)((byte | 0x20) - 'a') < 26; }

static int is_welcome(char want, uint8_t byte) {
  switch (want) {
  case 'Q': return byte && strchr("=:\"'\\]>", byte) != NULL;
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
/// The first pattern of each bucket, and how many there are.
static uint8_t first[17];

__attribute__((constructor)) static void prepare(void) {
  for (int bucket = 0; bucket <= 16; bucket++) {
    while (first[bucket] < PATTERNS && patterns[first[bucket]].bucket < bucket) first[bucket]++;
  }
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

/// Whether `pattern` is at `at`, with what it wants before.
static int is_at(const pattern_t *pattern, const uint8_t *bytes, size_t at) {
  for (int place = 0; place < 4; place++) {
    if (!is_welcome(pattern->text[place], bytes[at + (size_t)place])) return 0;
  }
  if (at < pattern->back) return 0;
  size_t start = at - pattern->back;
  // What stands before a bot's number is more of it: the detector looks.
  int is_bound = (pattern->kind == TOKEN && pattern->text[0] != 'D') || pattern->kind == WORD;
  return !is_bound || start == 0 || !(is_digit(bytes[start - 1]) || is_letter(bytes[start - 1]));
}

/// The pattern whose four bytes stand at `at`, among those in `buckets`; none: -1.
static int compare(const uint8_t *bytes, size_t at, size_t count, uint32_t buckets, int kinds) {
  if (at + 4 > count) return -1;
  for (; buckets; buckets &= buckets - 1) {
    int bucket = __builtin_ctz(buckets);
    for (int i = first[bucket]; i < first[bucket + 1]; i++) {
      if (kinds & patterns[i].kind && is_at(&patterns[i], bytes, at)) return i;
    }
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
  __m256i highs = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)high[place]), halves);
  return _mm256_and_si256(lows, highs);
}

/// The first pattern at one of the 16 bytes from `base` on that are not before `at`.
__attribute__((target("avx2"), noinline)) static cw_anchor_t compare_block(
    const uint8_t *bytes, size_t base, size_t at, size_t count, __m256i all, int kinds) {
  uint8_t by_place[32];
  _mm256_storeu_si256((__m256i *)by_place, all);
  uint32_t none = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(all, _mm256_setzero_si256()));
  uint32_t places = (~none | ~none >> 16) & (0xFFFF & ~0u << (at - base));
  for (; places; places &= places - 1) {
    size_t place = (size_t)__builtin_ctz(places);
    uint32_t in = by_place[place] | (uint32_t)by_place[16 + place] << 8;
    int pattern = compare(bytes, base + place, count, in, kinds);
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
    __m128i block = _mm_loadu_si128((const __m128i *)(bytes + at));
    cw_anchor_t anchor = compare_last(block, bytes, at, at, count, kinds);
    if (anchor.kind) return anchor;
    at = base;
  }
  return compare_last(_mm_loadu_si128((const __m128i *)(bytes + base)), bytes, base, at, count, kinds);
}
#endif

static cw_anchor_t find_plain(const uint8_t *bytes, size_t at, size_t count, int kinds) {
  for (; at + 4 <= count; at++) {
    uint32_t in = welcome[0][bytes[at]] & welcome[1][bytes[at + 1]];
    in &= welcome[2][bytes[at + 2]] & welcome[3][bytes[at + 3]];
    int pattern = in ? compare(bytes, at, count, in, kinds) : -1;
    if (pattern >= 0) return found(at, pattern);
  }
  return (cw_anchor_t){count, count, 0};
}

cw_anchor_t cw_mask_anchor(const uint8_t *bytes, size_t start, size_t count, int kinds) {
  if (count < CW_ANCHOR_TEXT_BYTES_MIN) return (cw_anchor_t){count, count, 0};
#if defined(__SSE2__)
  if (__builtin_cpu_supports("avx2")) return find_avx2(bytes, start, count, kinds);
#endif
  return find_plain(bytes, start, count, kinds);
}

cw_anchor_t cw_mask_anchor_plain(const uint8_t *bytes, size_t start, size_t count, int kinds) {
  if (count < CW_ANCHOR_TEXT_BYTES_MIN) return (cw_anchor_t){count, count, 0};
  return find_plain(bytes, start, count, kinds);
}
