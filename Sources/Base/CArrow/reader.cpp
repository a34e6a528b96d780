// Reading Parquet from memory.
#include <arrow/c/bridge.h>
#include <parquet/arrow/schema.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>
#include <parquet/xxhasher.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "decode.h"
#include "support.h"

using namespace cordwood;

namespace {

constexpr int64_t rows_max = int64_t{1} << 24;

/// A column chunk as the footer describes it, parsed once.
struct Chunk {
  cw_chunk facts{};
  /// Holds the bytes the text bounds in `facts` point to.
  std::shared_ptr<parquet::Statistics> statistics;
  const uint8_t *filter = nullptr;
  uint64_t filter_blocks = 0;
};

/// Whether every data page holds dictionary indices.
bool all_pages_use_dictionary(const parquet::ColumnChunkMetaData &chunk) {
  if (!chunk.has_dictionary_page()) return false;
  bool any = false;
  for (const auto &stats : chunk.encoding_stats()) {
    if (stats.page_type != parquet::PageType::DATA_PAGE && stats.page_type != parquet::PageType::DATA_PAGE_V2) continue;
    if (stats.encoding != parquet::Encoding::PLAIN_DICTIONARY && stats.encoding != parquet::Encoding::RLE_DICTIONARY) {
      return false;
    }
    any = true;
  }
  return any;
}

/// The footer's counts and bounds of a chunk. Bounds that cannot be read are left out: they only ever save work.
void fill(Chunk &chunk, const parquet::ColumnChunkMetaData &meta) {
  auto &facts = chunk.facts;
  facts.start_offset = meta.has_dictionary_page() ? meta.dictionary_page_offset() : meta.data_page_offset();
  facts.compressed_bytes = meta.total_compressed_size();
  facts.uncompressed_bytes = meta.total_uncompressed_size();
  facts.null_count = -1;
  facts.all_dictionary = all_pages_use_dictionary(meta);
  chunk.statistics = meta.is_stats_set() ? meta.statistics() : nullptr;
  if (!chunk.statistics) return;
  if (chunk.statistics->HasNullCount()) facts.null_count = chunk.statistics->null_count();
  if (!chunk.statistics->HasMinMax()) return;
  if (auto *ints = dynamic_cast<parquet::Int64Statistics *>(chunk.statistics.get())) {
    facts.int_min = ints->min();
    facts.int_max = ints->max();
    facts.has_bounds = 1;
  } else if (auto *doubles = dynamic_cast<parquet::DoubleStatistics *>(chunk.statistics.get())) {
    facts.float_min = doubles->min();
    facts.float_max = doubles->max();
    facts.has_bounds = 1;
  } else if (auto *texts = dynamic_cast<parquet::ByteArrayStatistics *>(chunk.statistics.get())) {
    facts.bytes_min = texts->min().ptr;
    facts.bytes_min_count = texts->min().len;
    facts.bytes_max = texts->max().ptr;
    facts.bytes_max_count = texts->max().len;
    facts.has_bounds = 1;
  }
}

/// Finds the bits of a split-block Bloom filter at `offset`. Its header is a Thrift struct of the filter's size and
/// three unions with one member each, so all but the size is constant. Anything else means: no filter.
void locate_filter(Chunk &chunk, const uint8_t *file, int64_t count, std::optional<int64_t> offset) {
  static const uint8_t rest[] = {0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0, 0};
  if (!offset || *offset < 0 || *offset >= count) return;
  const uint8_t *at = file + *offset, *end = file + count;
  if (*at++ != 0x15) return;
  uint64_t size = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    if (at == end) return;
    const uint8_t byte = *at++;
    size |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  if ((size & 1) != 0) return;
  size >>= 1;
  const int64_t left = end - at;
  if (left < static_cast<int64_t>(sizeof rest) || std::memcmp(at, rest, sizeof rest) != 0) return;
  at += sizeof rest;
  if (size == 0 || size % 32 != 0 || size > static_cast<uint64_t>(end - at)) return;
  chunk.filter = at;
  chunk.filter_blocks = size / 32;
}

}  // namespace

struct cw_reader {
  std::unique_ptr<parquet::ParquetFileReader> file;
  std::shared_ptr<parquet::FileMetaData> metadata;
  std::shared_ptr<parquet::PageIndexReader> index;
  std::vector<int32_t> types;
  std::vector<int64_t> group_rows;
  /// Row group by row group, a chunk a column.
  std::vector<Chunk> chunks;
  // Offset indexes are parsed at first use and kept; the row groups' index readers are not thread-safe.
  mutable std::mutex mutex;
  mutable std::map<std::pair<int32_t, int32_t>, std::vector<int64_t>> first_rows;

  const Chunk &chunk(int32_t group, int32_t column) const {
    return chunks[static_cast<size_t>(group) * types.size() + static_cast<size_t>(column)];
  }

  /// First row of each page of a column chunk, and the row count behind the last.
  std::vector<int64_t> page_rows(int32_t group, int32_t column) const {
    std::lock_guard<std::mutex> lock(mutex);
    const std::pair<int32_t, int32_t> key(group, column);
    if (auto known = first_rows.find(key); known != first_rows.end()) return known->second;
    auto group_index = index ? index->RowGroup(group) : nullptr;
    auto offsets = group_index ? group_index->GetOffsetIndex(column) : nullptr;
    if (!offsets) throw Unsupported("a column chunk without offset index");
    std::vector<int64_t> rows;
    for (const auto &page : offsets->page_locations()) {
      const bool first = rows.empty();
      if (first ? page.first_row_index != 0 : page.first_row_index <= rows.back()) {
        throw std::runtime_error("pages out of order in the offset index");
      }
      rows.push_back(page.first_row_index);
    }
    if (rows.empty() ? group_rows[group] != 0 : rows.back() >= group_rows[group]) {
      throw std::runtime_error("an offset index that does not fit the row group");
    }
    rows.push_back(group_rows[group]);
    first_rows.emplace(key, rows);
    return rows;
  }
};

/// The types of the columns: from the Arrow schema in the footer where there is one, else from Parquet's types.
static void find_types(cw_reader &reader) {
  const auto *schema = reader.metadata->schema();
  for (int i = 0; i < schema->num_columns(); i++) {
    const auto *column = schema->Column(i);
    if (column->max_repetition_level() != 0 || column->max_definition_level() > 1) {
      throw Unsupported("column " + column->path()->ToDotString() + " is nested");
    }
  }
  std::shared_ptr<arrow::Schema> fields;
  check(parquet::arrow::FromParquetSchema(schema, parquet::ArrowReaderProperties(),
                                          reader.metadata->key_value_metadata(), &fields));
  if (fields->num_fields() != schema->num_columns()) throw Unsupported("nested columns");
  for (const auto &field : fields->fields()) reader.types.push_back(type_number(*field));
}

static void find_chunks(cw_reader &reader, const uint8_t *bytes, int64_t count) {
  const auto &metadata = *reader.metadata;
  int64_t rows = 0;
  for (int group = 0; group < metadata.num_row_groups(); group++) {
    auto meta = metadata.RowGroup(group);
    // A bound on what one read may allocate; row groups of ours have 131,072 rows.
    if (meta->num_rows() > rows_max) throw Unsupported("a row group of more than 16,777,216 rows");
    if (meta->num_rows() < 0 || meta->num_columns() != metadata.num_columns()) {
      throw std::runtime_error("a row group that does not fit the schema");
    }
    reader.group_rows.push_back(meta->num_rows());
    rows += meta->num_rows();
    for (int column = 0; column < metadata.num_columns(); column++) {
      auto part = meta->ColumnChunk(column);
      auto &chunk = reader.chunks.emplace_back();
      fill(chunk, *part);
      const auto &facts = chunk.facts;
      if (facts.start_offset < 0 || facts.compressed_bytes < 0 || facts.start_offset > count ||
          facts.compressed_bytes > count - facts.start_offset) {
        throw std::runtime_error("a column chunk outside the file");
      }
      locate_filter(chunk, bytes, count, part->bloom_filter_offset());
    }
  }
  if (rows != metadata.num_rows()) throw std::runtime_error("row groups that do not add up");
}

int32_t cw_reader_open(const uint8_t *bytes, int64_t count, int32_t verify, cw_reader **reader, cw_error *error) {
  return guard(error, 1, [&] {
    // Arrow looks at the end only.
    if (count < 12 || std::memcmp(bytes, "PAR1", 4) != 0) throw std::runtime_error("not a Parquet file");
    auto made = std::make_unique<cw_reader>();
    auto source = std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(bytes, count));
    parquet::ReaderProperties properties = parquet::default_reader_properties();
    properties.set_page_checksum_verification(verify != 0);
    made->file = parquet::ParquetFileReader::Open(source, properties);
    made->metadata = made->file->metadata();
    made->index = made->file->GetPageIndexReader();
    find_types(*made);
    find_chunks(*made, bytes, count);
    *reader = made.release();
  });
}

void cw_reader_free(cw_reader *reader) {
  guard(nullptr, 1, [&] { delete reader; });
}

int64_t cw_reader_rows(const cw_reader *reader) { return reader->metadata->num_rows(); }
int32_t cw_reader_row_groups(const cw_reader *reader) { return static_cast<int32_t>(reader->group_rows.size()); }
int32_t cw_reader_columns(const cw_reader *reader) { return static_cast<int32_t>(reader->types.size()); }
int32_t cw_reader_column_type(const cw_reader *reader, int32_t column) { return reader->types[column]; }
int64_t cw_reader_row_group_rows(const cw_reader *reader, int32_t group) { return reader->group_rows[group]; }

const char *cw_reader_column_name(const cw_reader *reader, int32_t column) {
  return reader->metadata->schema()->Column(column)->name().c_str();
}

int32_t cw_reader_column_nullable(const cw_reader *reader, int32_t column) {
  return reader->metadata->schema()->Column(column)->max_definition_level() > 0;
}

int32_t cw_reader_metadata_count(const cw_reader *reader) {
  const auto &metadata = reader->metadata->key_value_metadata();
  return metadata ? static_cast<int32_t>(metadata->size()) : 0;
}

const char *cw_reader_metadata_key(const cw_reader *reader, int32_t index, int64_t *count) {
  const auto &key = reader->metadata->key_value_metadata()->keys()[index];
  *count = static_cast<int64_t>(key.size());
  return key.data();
}

const char *cw_reader_metadata_value(const cw_reader *reader, int32_t index, int64_t *count) {
  const auto &value = reader->metadata->key_value_metadata()->values()[index];
  *count = static_cast<int64_t>(value.size());
  return value.data();
}

void cw_reader_chunk(const cw_reader *reader, int32_t group, int32_t column, cw_chunk *chunk) {
  *chunk = reader->chunk(group, column).facts;
}

int64_t cw_reader_pages(const cw_reader *reader, int32_t group, int32_t column, int64_t *rows, int64_t capacity) {
  int64_t pages = -1;
  guard(nullptr, 1, [&] {
    const auto first_rows = reader->page_rows(group, column);
    pages = static_cast<int64_t>(first_rows.size()) - 1;
    std::copy_n(first_rows.begin(), std::min(pages, capacity), rows);
  });
  return pages;
}

int32_t cw_reader_may_contain(const cw_reader *reader, int32_t group, int32_t column, const uint8_t *value,
                              int64_t count) {
  static const uint32_t salt[8] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                   0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};
  const auto &chunk = reader->chunk(group, column);
  if (chunk.filter == nullptr || count > UINT32_MAX) return 1;
  const parquet::ByteArray bytes(static_cast<uint32_t>(count), value);
  const uint64_t hash = parquet::XxHasher().Hash(&bytes);
  // Blocks of eight words; the hash's upper half picks the block, its lower half a bit in each word.
  const uint8_t *block = chunk.filter + (((hash >> 32) * chunk.filter_blocks) >> 32) * 32;
  for (int i = 0; i < 8; i++) {
    uint32_t word;
    std::memcpy(&word, block + i * 4, 4);
    if ((word & (1U << ((static_cast<uint32_t>(hash) * salt[i]) >> 27))) == 0) return 0;
  }
  return 1;
}

/// Cuts the wanted rows by pages. `first_rows`: each page's first row, then the row count.
static Wanted wanted_rows(const std::vector<int64_t> &first_rows, const int64_t *starts, const int64_t *ends,
                          int32_t ranges) {
  Wanted wanted;
  size_t page = 0;
  int64_t reached = 0;
  for (int32_t range = 0; range < ranges; range++) {
    if (starts[range] < reached || ends[range] < starts[range] || ends[range] > first_rows.back()) {
      throw std::runtime_error("rows outside the row group");
    }
    reached = ends[range];
    for (int64_t at = starts[range]; at < reached;) {
      while (first_rows[page + 1] <= at) page++;
      const int64_t first = first_rows[page], end = std::min(first_rows[page + 1], reached);
      if (wanted.pages.empty() || wanted.pages.back().number != page) {
        wanted.pages.push_back({page, first_rows[page + 1] - first, {}});
      }
      wanted.pages.back().spans.emplace_back(at - first, end - first);
      wanted.rows += end - at;
      at = end;
    }
  }
  return wanted;
}

int32_t cw_reader_read(const cw_reader *reader, int32_t group, int32_t column, const int64_t *starts,
                       const int64_t *ends, int32_t ranges, int32_t dictionary, ArrowArray *array, cw_error *error) {
  return guard(error, 1, [&] {
    const auto &facts = reader->chunk(group, column).facts;
    const auto first_rows = reader->page_rows(group, column);
    const Wanted wanted = wanted_rows(first_rows, starts, ends, ranges);
    auto pages = reader->file->RowGroup(group)->GetColumnPageReader(column);
    // The chunk's bytes spread evenly over its pages, within reason: the footer may lie.
    const int64_t page_count = static_cast<int64_t>(first_rows.size()) - 1;
    const int64_t estimate = page_count == 0 ? 0
                                             : std::clamp<int64_t>(facts.uncompressed_bytes, 0, 64 << 20) / page_count *
                                                   static_cast<int64_t>(wanted.pages.size());
    auto data = decode_rows(*pages, reader->metadata->schema()->Column(column), wanted, estimate,
                            dictionary != 0 && facts.all_dictionary != 0);
    check(arrow::ExportArray(*arrow::MakeArray(data), array));
  });
}

int32_t cw_reader_verify(const cw_reader *reader, cw_error *error) {
  return guard(error, 1, [&] {
    for (int32_t group = 0; group < reader->metadata->num_row_groups(); group++) {
      auto groups = reader->file->RowGroup(group);
      for (int32_t column = 0; column < reader->metadata->num_columns(); column++) {
        auto pages = groups->GetColumnPageReader(column);
        int64_t values = 0;
        while (auto page = pages->NextPage()) {
          if (auto *data = dynamic_cast<parquet::DataPage *>(page.get())) values += data->num_values();
        }
        if (values != groups->metadata()->num_rows()) throw std::runtime_error("a column chunk ends early");
      }
    }
  });
}

