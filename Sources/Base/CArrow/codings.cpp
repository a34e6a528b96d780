// Compression streams of HTTP's content codings, by Arrow's codecs.
#include <arrow/util/compression.h>

#include <memory>

#include "support.h"

#include "codings.h"

using namespace cordwood;

// Numbers of Zstandard's own parameters (ZSTD_c_windowLog, ZSTD_d_windowLogMax): its header is not among
// Arrow's.
static constexpr int kCompressionWindowLog = 101;
static constexpr int kDecompressionWindowLogMax = 100;
// RFC 9659: a content coding's frames need no more than 8 MiB, and no recipient must have more.
static constexpr int kWindowLogMax = 23;
// 128 KiB: an answer's stream then holds about half a MiB, and pieces of 64 KiB lose next to nothing by it.
static constexpr int kAnswerWindowLog = 17;

static std::unique_ptr<arrow::util::Codec> codec(int32_t format, int32_t level) {
  if (format == CW_ZSTD) {
    arrow::util::ZstdCodecOptions options;
    options.compression_level = level;
    options.compression_context_params = {{kCompressionWindowLog, kAnswerWindowLog}};
    options.decompression_context_params = {{kDecompressionWindowLogMax, kWindowLogMax}};
    return take(arrow::util::Codec::Create(arrow::Compression::ZSTD, options));
  }
  arrow::util::GZipCodecOptions options;
  options.compression_level = level;
  options.gzip_format = format == CW_RAW_DEFLATE ? arrow::util::GZipFormat::DEFLATE
                        : format == CW_ZLIB      ? arrow::util::GZipFormat::ZLIB
                                                 : arrow::util::GZipFormat::GZIP;
  return take(arrow::util::Codec::Create(arrow::Compression::GZIP, options));
}

struct cw_decompressor {
  std::unique_ptr<arrow::util::Codec> codec;
  std::shared_ptr<arrow::util::Decompressor> stream;
};

int32_t cw_decompressor_new(int32_t format, cw_decompressor **made, cw_error *error) {
  return guard(error, 3, [&] {
    auto own = std::make_unique<cw_decompressor>();
    own->codec = codec(format, 1);
    own->stream = take(own->codec->MakeDecompressor());
    *made = own.release();
  });
}

void cw_decompressor_free(cw_decompressor *stream) { delete stream; }

int32_t cw_decompressor_step(cw_decompressor *stream, const uint8_t *in, int64_t in_count, uint8_t *out,
                             int64_t out_count, int64_t *read, int64_t *written, int32_t *finished,
                             cw_error *error) {
  return guard(error, 1, [&] {
    auto result = take(stream->stream->Decompress(in_count, in, out_count, out));
    *read = result.bytes_read;
    *written = result.bytes_written;
    *finished = stream->stream->IsFinished();
  });
}

int32_t cw_decompressor_reset(cw_decompressor *stream, cw_error *error) {
  return guard(error, 3, [&] { check(stream->stream->Reset()); });
}

struct cw_compressor {
  std::unique_ptr<arrow::util::Codec> codec;
  std::shared_ptr<arrow::util::Compressor> stream;
};

int32_t cw_compressor_new(int32_t format, int32_t level, cw_compressor **made, cw_error *error) {
  return guard(error, 3, [&] {
    auto own = std::make_unique<cw_compressor>();
    own->codec = codec(format, level);
    own->stream = take(own->codec->MakeCompressor());
    *made = own.release();
  });
}

void cw_compressor_free(cw_compressor *stream) { delete stream; }

int32_t cw_compressor_step(cw_compressor *stream, int32_t what, const uint8_t *in, int64_t in_count,
                           uint8_t *out, int64_t out_count, int64_t *read, int64_t *written, int32_t *again,
                           cw_error *error) {
  return guard(error, 3, [&] {
    *read = 0;
    if (what == CW_TAKE) {
      auto result = take(stream->stream->Compress(in_count, in, out_count, out));
      *read = result.bytes_read;
      *written = result.bytes_written;
      *again = result.bytes_read < in_count;
    } else if (what == CW_FLUSH) {
      auto result = take(stream->stream->Flush(out_count, out));
      *written = result.bytes_written;
      *again = result.should_retry;
    } else {
      auto result = take(stream->stream->End(out_count, out));
      *written = result.bytes_written;
      *again = result.should_retry;
    }
  });
}
