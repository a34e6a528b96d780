// The C face of Apache Arrow C++: Parquet and IPC between memory and columns. No file is opened here and no
// C++ exception leaves: each call that can fail returns 0 or fills `error` and returns another number.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The array half of the Arrow C Data Interface (https://arrow.apache.org/docs/format/CDataInterface.html);
// the types of columns are told by number, so the schema half never crosses.
#ifndef ARROW_C_DATA_INTERFACE
struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};
#endif

/// A failure's kind (1: the bytes are bad, 2: the sink failed, 3: anything else) and sentence.
typedef struct {
  int32_t kind;
  char message[240];
} cw_error;

/// Takes bytes; returns 0, or another number to fail.
typedef int32_t (*cw_sink)(void *context, const uint8_t *bytes, int64_t count);

// Physical types of columns, as Records.ColumnType numbers them.
enum { CW_INT64 = 1, CW_FLOAT64 = 2, CW_BOOL = 3, CW_UTF8 = 4, CW_UUID = 5, CW_JSON = 6, CW_TIMESTAMP = 7 };
/// Microseconds in UTC, for a writer of Parquet; who reads them gets CW_INT64.
enum { CW_MICROSECONDS = 8 };
enum { CW_PLAIN = 0, CW_DICTIONARY = 1, CW_DELTA = 2 };
// What a column's pages hold, as far as it matters for how Zstandard looks for repetitions.
enum { CW_MIXED = 0, CW_RANDOM = 1, CW_NUMBERS = 2 };

typedef struct {
  const char *name;
  int32_t type;
  int32_t nullable;
  int32_t encoding;
  int32_t content;
  /// Distinct values a row group's Bloom filter is sized for; 0: none.
  int64_t bloom_distinct;
  /// 1 for the first column the rows are sorted by, 2 for the next; 0: none.
  int32_t sort_rank;
} cw_column;

typedef struct cw_writer cw_writer;
typedef struct cw_reader cw_reader;
typedef struct cw_ipc_writer cw_ipc_writer;

int32_t cw_writer_open(const cw_column *columns, int32_t count, int64_t rows_per_page, cw_sink sink, void *context,
                       cw_writer **writer, cw_error *error);
/// Writes one row group from a struct array with a child a column. `dictionary[i]` is not 0 where child i has
/// dictionary layout. Takes the array over (released also on failure).
int32_t cw_writer_row_group(cw_writer *writer, struct ArrowArray *batch, const uint8_t *dictionary, cw_error *error);
/// Writes raw bytes where the sink stands; `offset` becomes their place in the file.
int32_t cw_writer_embed(cw_writer *writer, const uint8_t *bytes, int64_t count, int64_t *offset, cw_error *error);
int32_t cw_writer_finish(cw_writer *writer, const char *const *keys, const char *const *values, int32_t count,
                         cw_error *error);
/// Never calls the sink: an unfinished file stays without a footer.
void cw_writer_free(cw_writer *writer);

/// What the footer says of a column chunk. Pointers lead into the reader and live as long as it does.
typedef struct {
  int64_t start_offset;
  int64_t compressed_bytes;
  int64_t uncompressed_bytes;
  /// -1: not known.
  int64_t null_count;
  int32_t has_bounds;
  /// Whether every data page holds dictionary indices.
  int32_t all_dictionary;
  int64_t int_min, int_max;
  double float_min, float_max;
  const uint8_t *bytes_min, *bytes_max;
  int64_t bytes_min_count, bytes_max_count;
} cw_chunk;

/// Reads a file that lies in memory; the bytes must stay until cw_reader_free. Thread-safe after opening.
int32_t cw_reader_open(const uint8_t *bytes, int64_t count, int32_t verify, cw_reader **reader, cw_error *error);
void cw_reader_free(cw_reader *reader);
int64_t cw_reader_rows(const cw_reader *reader);
int32_t cw_reader_row_groups(const cw_reader *reader);
int32_t cw_reader_columns(const cw_reader *reader);
/// Columns, groups and metadata entries below are numbered from 0; the caller keeps them within the counts.
const char *cw_reader_column_name(const cw_reader *reader, int32_t column);
/// One of CW_INT64 …
int32_t cw_reader_column_type(const cw_reader *reader, int32_t column);
int32_t cw_reader_column_nullable(const cw_reader *reader, int32_t column);
int64_t cw_reader_row_group_rows(const cw_reader *reader, int32_t group);
int32_t cw_reader_metadata_count(const cw_reader *reader);
const char *cw_reader_metadata_key(const cw_reader *reader, int32_t index, int64_t *count);
const char *cw_reader_metadata_value(const cw_reader *reader, int32_t index, int64_t *count);
void cw_reader_chunk(const cw_reader *reader, int32_t group, int32_t column, cw_chunk *chunk);
/// Reads rows `starts[i] ..< ends[i]` (ascending, disjoint, within the row group) of a column; only their
/// pages are decoded. `dictionary`: keep dictionary layout where every page has it and 16 rows are wanted.
/// Fills the array (to be released).
int32_t cw_reader_read(const cw_reader *reader, int32_t group, int32_t column, const int64_t *starts,
                       const int64_t *ends, int32_t ranges, int32_t dictionary, struct ArrowArray *array,
                       cw_error *error);
/// As cw_reader_read, the indices alone (int32, 0 for null) of a text column every page of which holds
/// indices; `values_needed`: one more than the largest.
int32_t cw_reader_codes(const cw_reader *reader, int32_t group, int32_t column, const int64_t *starts,
                        const int64_t *ends, int32_t ranges, struct ArrowArray *array, int64_t *values_needed,
                        cw_error *error);
/// The values of such a column's dictionary, as text.
int32_t cw_reader_dictionary(const cw_reader *reader, int32_t group, int32_t column, struct ArrowArray *array,
                             cw_error *error);
/// The rows `first ..< end` of the page of a column chunk that has `row`. O(log pages).
int32_t cw_reader_page(const cw_reader *reader, int32_t group, int32_t column, int64_t row, int64_t *first,
                       int64_t *end, cw_error *error);
/// First row of each page of a column chunk into `rows`; returns how many pages there are, at most `capacity`
/// are stored. -1: no usable offset index.
int64_t cw_reader_pages(const cw_reader *reader, int32_t group, int32_t column, int64_t *rows, int64_t capacity);
/// Decompresses every page of the file, checksums verified if the reader was opened so.
int32_t cw_reader_verify(const cw_reader *reader, cw_error *error);
/// Whether the chunk's Bloom filter, probed where it lies, may hold the value; true if there is no filter.
int32_t cw_reader_may_contain(const cw_reader *reader, int32_t group, int32_t column, const uint8_t *value,
                              int64_t count);

/// `compression`: 0 none, 1 LZ4, 2 Zstandard.
int32_t cw_ipc_open(const cw_column *columns, int32_t count, int32_t compression, cw_sink sink, void *context,
                    cw_ipc_writer **writer, cw_error *error);
/// Takes the array over (released also on failure).
int32_t cw_ipc_write(cw_ipc_writer *writer, struct ArrowArray *batch, cw_error *error);
int32_t cw_ipc_finish(cw_ipc_writer *writer, cw_error *error);
/// Never calls the sink.
void cw_ipc_free(cw_ipc_writer *writer);
/// Calls `field` for each column of a stream in memory, then `batch` with each batch (the callee releases
/// it). Batches point into `bytes` unless they are compressed. Every buffer and all UTF-8 are checked.
int32_t cw_ipc_read(const uint8_t *bytes, int64_t count, void *context,
                    void (*field)(void *context, const char *name, int32_t type, int32_t nullable),
                    void (*batch)(void *context, struct ArrowArray *array), cw_error *error);

int64_t cw_zstd_compress_bound(int64_t count);
/// Bytes written, or -1.
int64_t cw_zstd_compress(const uint8_t *bytes, int64_t count, int32_t level, uint8_t *out, int64_t capacity,
                         cw_error *error);
int64_t cw_zstd_decompress(const uint8_t *bytes, int64_t count, uint8_t *out, int64_t capacity, cw_error *error);

/// `kind`: 0 a snappy block, 1 a gzip member. Bytes, or -1.
int64_t cw_compress_bound(int32_t kind, int32_t level, int64_t count, cw_error *error);
int64_t cw_compress(int32_t kind, int32_t level, const uint8_t *bytes, int64_t count, uint8_t *out, int64_t capacity,
                    cw_error *error);
int64_t cw_snappy_decompress(const uint8_t *bytes, int64_t count, uint8_t *out, int64_t capacity, cw_error *error);

#ifdef __cplusplus
}
#endif
