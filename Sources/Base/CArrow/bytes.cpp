// Zstandard, gzip and snappy.
#include <arrow/util/compression.h>

#include <memory>

#include "support.h"

using namespace cordwood;

static arrow::util::Codec &zstd(int32_t level) {
  thread_local std::unique_ptr<arrow::util::Codec> codec;
  thread_local int32_t current = -1000;
  if (!codec || current != level) {
    codec = take(arrow::util::Codec::Create(arrow::Compression::ZSTD, level));
    current = level;
  }
  return *codec;
}

int64_t cw_zstd_compress_bound(int64_t count) { return count + count / 128 + 1024; }

int64_t cw_zstd_compress(const uint8_t *bytes, int64_t count, int32_t level, uint8_t *out, int64_t capacity,
                         cw_error *error) {
  int64_t written = -1;
  guard(error, 3, [&] { written = take(zstd(level).Compress(count, bytes, capacity, out)); });
  return written;
}

int64_t cw_zstd_decompress(const uint8_t *bytes, int64_t count, uint8_t *out, int64_t capacity, cw_error *error) {
  int64_t written = -1;
  guard(error, 1, [&] { written = take(zstd(1).Decompress(count, bytes, capacity, out)); });
  return written;
}

static arrow::util::Codec &block_codec(int32_t kind, int32_t level) {
  thread_local std::unique_ptr<arrow::util::Codec> snappy;
  thread_local std::unique_ptr<arrow::util::Codec> gzip;
  thread_local int32_t current = -1000;
  if (kind == 0) {
    if (!snappy) snappy = take(arrow::util::Codec::Create(arrow::Compression::SNAPPY));
    return *snappy;
  }
  if (!gzip || current != level) {
    gzip = take(arrow::util::Codec::Create(arrow::Compression::GZIP, level));
    current = level;
  }
  return *gzip;
}

int64_t cw_compress_bound(int32_t kind, int32_t level, int64_t count, cw_error *error) {
  int64_t bound = -1;
  guard(error, 3, [&] { bound = block_codec(kind, level).MaxCompressedLen(count, nullptr) + 64; });
  return bound;
}

int64_t cw_compress(int32_t kind, int32_t level, const uint8_t *bytes, int64_t count, uint8_t *out, int64_t capacity,
                    cw_error *error) {
  int64_t written = -1;
  guard(error, 3, [&] { written = take(block_codec(kind, level).Compress(count, bytes, capacity, out)); });
  return written;
}

int64_t cw_snappy_decompress(const uint8_t *bytes, int64_t count, uint8_t *out, int64_t capacity, cw_error *error) {
  int64_t written = -1;
  guard(error, 1, [&] { written = take(block_codec(0, 0).Decompress(count, bytes, capacity, out)); });
  return written;
}
