// Compression streams of HTTP's content codings: bytes in, bytes out, a piece at a time. As in carrow.h no
// exception leaves: a call that can fail returns 0 or fills `error` and returns another number. A stream is
// one thread's at a time.
#pragma once
#include "carrow.h"

#ifdef __cplusplus
extern "C" {
#endif

// RFC 1952, RFC 1950, RFC 1951, RFC 8878.
enum { CW_GZIP = 0, CW_ZLIB = 1, CW_RAW_DEFLATE = 2, CW_ZSTD = 3 };

typedef struct cw_decompressor cw_decompressor;
/// Zstandard frames that ask for a window over 8 MiB are refused (RFC 9659).
int32_t cw_decompressor_new(int32_t format, cw_decompressor **made, cw_error *error);
void cw_decompressor_free(cw_decompressor *stream);
/// Takes some input and gives some output; `finished`: a member or frame ended. Nothing read and nothing
/// written: it waits for more input.
int32_t cw_decompressor_step(cw_decompressor *stream, const uint8_t *in, int64_t in_count, uint8_t *out,
                             int64_t out_count, int64_t *read, int64_t *written, int32_t *finished,
                             cw_error *error);
/// Begins the next gzip member; Zstandard's next frame begins by itself.
int32_t cw_decompressor_reset(cw_decompressor *stream, cw_error *error);

typedef struct cw_compressor cw_compressor;
/// `format`: CW_GZIP or CW_ZSTD.
int32_t cw_compressor_new(int32_t format, int32_t level, cw_compressor **made, cw_error *error);
void cw_compressor_free(cw_compressor *stream);
enum { CW_TAKE = 0, CW_FLUSH = 1, CW_END = 2 };
/// CW_TAKE compresses some of `in`; CW_FLUSH and CW_END take no input, and are to be called `again` while
/// they say so.
int32_t cw_compressor_step(cw_compressor *stream, int32_t what, const uint8_t *in, int64_t in_count,
                           uint8_t *out, int64_t out_count, int64_t *read, int64_t *written, int32_t *again,
                           cw_error *error);

#ifdef __cplusplus
}
#endif
