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
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "decode.h"
#include "pages.h"
#include "support.h"

using namespace cordwood;

namespace {

constexpr int64_t rows_max = int64_t{1} << 24;
/// Fewer rows come plain.
constexpr int64_t few_rows = 16;

/// A column chunk as the footer describes it, parsed once.
struct Chunk {
  cw_chunk facts{};
  /// Holds the bytes the text bounds in `facts` point to.
  std::shared_ptr<parquet::Statistics> statistics;
  const uint8_t *filter = nullptr;
  uint64_t filter_blocks = 0;
  /// Whether its pages are of the kind we write, so that each can be read by itself.
  bool is_ours = false;
};

/// Whether all pages are version 1 and compressed with Zstandard.
bool has_our_pages(const parquet::ColumnChunkMetaData &chunk) {
  if (chunk.compression() != parquet::Compression::ZSTD || chunk.encoding_stats().empty()) return false;
  for (const auto &stats : chunk.encoding_stats()) {
    if (stats.page_type != parquet::PageType::DATA_PAGE && stats.page_type != parquet::PageType::DICTIONARY_PAGE) {
      return false;
    }
  }
  return true;
}

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

/// The footer's counts and bounds of a chunk. Bounds that cannot be read are left out: they only ever save
/// work.
void fill(Chunk &chunk, const parquet::ColumnChunkMetaData &meta) {
  auto &facts = chunk.facts;
  facts.start_offset = meta.has_dictionary_page() ? meta.dictionary_page_offset() : meta.data_page_offset();
  facts.compressed_bytes = meta.total_compressed_size();
  facts.uncompressed_bytes = meta.total_uncompressed_size();
  facts.null_count = -1;
  facts.all_dictionary = all_pages_use_dictionary(meta);
  chunk.is_ours = has_our_pages(meta);
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

/// Finds the bits of a split-block Bloom filter at `offset`. Its header is a Thrift struct of the filter's
/// size and three unions with one member each, so all but the size is constant. Anything else means: no
/// filter.
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
  const uint8_t *bytes = nullptr;
  bool verify = false;
  std::unique_ptr<parquet::ParquetFileReader> file;
  std::shared_ptr<parquet::FileMetaData> metadata;
  std::shared_ptr<parquet::PageIndexReader> index;
  std::vector<int32_t> types;
  std::vector<int64_t> group_rows;
  /// Row group by row group, a chunk a column.
  std::vector<Chunk> chunks;
  // Offset indexes are parsed at first use and kept; the row groups' index readers are not thread-safe.
  mutable std::mutex mutex;
  /// A table a chunk; null: not read yet.
  std::unique_ptr<std::atomic<const PageTable *>[]> tables;

  ~cw_reader() {
    for (size_t i = 0; tables && i < chunks.size(); i++) delete tables[i].load();
  }

  size_t place(int32_t group, int32_t column) const {
    return static_cast<size_t>(group) * types.size() + static_cast<size_t>(column);
  }
  const Chunk &chunk(int32_t group, int32_t column) const { return chunks[place(group, column)]; }

  /// Where the pages of a column chunk lie.
  const PageTable &pages(int32_t group, int32_t column) const {
    auto &known = tables[place(group, column)];
    if (const auto *table = known.load(std::memory_order_acquire)) return *table;
    std::lock_guard<std::mutex> lock(mutex);
    if (const auto *table = known.load(std::memory_order_acquire)) return *table;
    auto made = read_table(group, column);
    known.store(made.get(), std::memory_order_release);
    return *made.release();
  }

 private:
  std::unique_ptr<PageTable> read_table(int32_t group, int32_t column) const {
    auto group_index = index ? index->RowGroup(group) : nullptr;
    auto offsets = group_index ? group_index->GetOffsetIndex(column) : nullptr;
    if (!offsets) throw Unsupported("a column chunk without offset index");
    const int64_t count = group_rows[static_cast<size_t>(group)];
    auto table = std::make_unique<PageTable>();
    auto &rows = table->first_rows;
    const auto &places = offsets->page_locations();
    rows.reserve(places.size() + 1);
    for (const auto &page : places) {
      const bool first = rows.empty();
      const int64_t row = page.first_row_index;
      if (first ? row != 0 : row <= rows.back() || row >= count) {
        throw std::runtime_error("pages out of order in the offset index");
      }
      rows.push_back(static_cast<int32_t>(page.first_row_index));
    }
    if (rows.empty() && count != 0) {
      throw std::runtime_error("an offset index that does not fit the row group");
    }
    rows.push_back(static_cast<int32_t>(count));
    const auto &facts = chunk(group, column).facts;
    table->start = facts.start_offset;
    if (!chunk(group, column).is_ours || facts.compressed_bytes > UINT32_MAX) return table;
    // Pages without gaps between them: a table that leads elsewhere shows.
    const int64_t end = facts.start_offset + facts.compressed_bytes;
    table->offsets.reserve(places.size() + 1);
    for (size_t i = 0; i < places.size(); i++) {
      const int64_t next = i + 1 < places.size() ? places[i + 1].offset : end;
      const int64_t offset = places[i].offset;
      if (offset < facts.start_offset || next <= offset || next > end || next - offset != places[i].compressed_page_size) {
        table->offsets.clear();
        return table;
      }
      table->offsets.push_back(static_cast<uint32_t>(offset - facts.start_offset));
    }
    if (!places.empty()) table->offsets.push_back(static_cast<uint32_t>(facts.compressed_bytes));
    return table;
  }
};

/// The types of the columns: from the Arrow schema in the footer where there is one, else from Parquet's
/// types.
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
  for (const auto &field : fields->fields()) {
    const bool is_time = field->type()->id() == arrow::Type::TIMESTAMP;
    const bool is_micros =
        is_time && static_cast<const arrow::TimestampType &>(*field->type()).unit() == arrow::TimeUnit::MICRO;
    reader.types.push_back(is_micros ? CW_INT64 : type_number(*field));
  }
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
  reader.tables = std::make_unique<std::atomic<const PageTable *>[]>(reader.chunks.size());
}

int32_t cw_reader_open(const uint8_t *bytes, int64_t count, int32_t verify, cw_reader **reader, cw_error *error) {
  return guard(error, 1, [&] {
    // Arrow looks at the end only.
    if (count < 12 || std::memcmp(bytes, "PAR1", 4) != 0) throw std::runtime_error("not a Parquet file");
    auto made = std::make_unique<cw_reader>();
    made->bytes = bytes;
    made->verify = verify != 0;
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
    const auto &table = reader->pages(group, column);
    pages = static_cast<int64_t>(table.pages());
    std::copy_n(table.first_rows.begin(), std::min(pages, capacity), rows);
  });
  return pages;
}

int32_t cw_reader_page(const cw_reader *reader, int32_t group, int32_t column, int64_t row, int64_t *first,
                       int64_t *end, cw_error *error) {
  return guard(error, 1, [&] {
    const auto &rows = reader->pages(group, column).first_rows;
    if (row < 0 || row >= rows.back()) throw std::runtime_error("a row outside the row group");
    const auto behind = std::upper_bound(rows.begin(), rows.end(), row);
    *first = *(behind - 1);
    *end = *behind;
  });
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
static Wanted wanted_rows(const std::vector<int32_t> &first_rows, const int64_t *starts, const int64_t *ends,
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
      if (first_rows[page + 1] <= at) {
        const auto behind = std::upper_bound(first_rows.begin() + static_cast<int64_t>(page), first_rows.end(), at);
        page = static_cast<size_t>(behind - first_rows.begin()) - 1;
      }
      const int64_t first = first_rows[page], end = std::min<int64_t>(first_rows[page + 1], reached);
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

/// `dictionary`: whether the dictionary page is wanted too.
static std::unique_ptr<parquet::PageReader> pages_of(const cw_reader &reader, int32_t group, int32_t column,
                                                     const PageTable &table, const Wanted &wanted,
                                                     bool dictionary) {
  if (table.offsets.empty()) return reader.file->RowGroup(group)->GetColumnPageReader(column);
  return placed_pages(reader.bytes, table, wanted, dictionary, reader.verify);
}

static void require_dictionary(const cw_reader &reader, int32_t group, int32_t column) {
  const bool is_text =
      reader.metadata->schema()->Column(column)->physical_type() == parquet::Type::BYTE_ARRAY;
  if (!is_text || reader.chunk(group, column).facts.all_dictionary == 0) {
    throw Unsupported("a column chunk that is not text in a dictionary");
  }
}

int32_t cw_reader_read(const cw_reader *reader, int32_t group, int32_t column, const int64_t *starts,
                       const int64_t *ends, int32_t ranges, int32_t dictionary, ArrowArray *array, cw_error *error) {
  return guard(error, 1, [&] {
    const auto &facts = reader->chunk(group, column).facts;
    const auto &table = reader->pages(group, column);
    const Wanted wanted = wanted_rows(table.first_rows, starts, ends, ranges);
    auto pages = pages_of(*reader, group, column, table, wanted, true);
    // The chunk's bytes spread evenly over its rows, within reason: the footer may lie.
    const int64_t bytes = std::clamp<int64_t>(facts.uncompressed_bytes, 0, 64 << 20);
    const int64_t mean = bytes * wanted.rows / std::max<int64_t>(1, table.first_rows.back());
    // What differs from page to page shall not make the memory grow, which doubles it.
    const int64_t estimate = mean + mean / 8;
    // A dictionary is more than a few rows' values.
    const bool as_dictionary = dictionary != 0 && facts.all_dictionary != 0 && wanted.rows >= few_rows;
    auto data = decode_rows(*pages, reader->metadata->schema()->Column(column), wanted, estimate,
                            as_dictionary ? Layout::dictionary : Layout::plain);
    check(arrow::ExportArray(*arrow::MakeArray(data), array));
  });
}

int32_t cw_reader_codes(const cw_reader *reader, int32_t group, int32_t column, const int64_t *starts,
                        const int64_t *ends, int32_t ranges, ArrowArray *array, int64_t *values_needed,
                        cw_error *error) {
  return guard(error, 1, [&] {
    require_dictionary(*reader, group, column);
    const auto &table = reader->pages(group, column);
    const Wanted wanted = wanted_rows(table.first_rows, starts, ends, ranges);
    auto pages = pages_of(*reader, group, column, table, wanted, false);
    const auto codes = decode_codes(*pages, reader->metadata->schema()->Column(column), wanted);
    *values_needed = codes.values_needed;
    check(arrow::ExportArray(*arrow::MakeArray(codes.array), array));
  });
}

int32_t cw_reader_dictionary(const cw_reader *reader, int32_t group, int32_t column, ArrowArray *array,
                             cw_error *error) {
  return guard(error, 1, [&] {
    require_dictionary(*reader, group, column);
    const Wanted none;
    auto pages = pages_of(*reader, group, column, reader->pages(group, column), none, true);
    auto data = decode_dictionary(*pages, reader->metadata->schema()->Column(column));
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

