// Reading Parquet from memory.
#include <arrow/c/bridge.h>
#include <arrow/util/bit_util.h>
#include <parquet/arrow/schema.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/level_conversion.h>
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

#include "support.h"

using namespace cordwood;

namespace {

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

/// Finds the bits of a split-block Bloom filter at `offset`. Its header is a Thrift struct of the filter's size and three
/// unions with one member each, so all but the size is constant. Anything else means: no filter.
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

/// Which pages hold wanted rows, and the wanted rows counted within those pages alone.
struct Wanted {
  std::vector<bool> pages;
  std::vector<std::pair<int64_t, int64_t>> skip_and_read;
  int64_t total = 0;
};

static Wanted wanted(const std::vector<int64_t> &first_rows, const int64_t *starts, const int64_t *ends,
                     int32_t ranges) {
  Wanted result;
  const size_t count = first_rows.size() - 1;
  result.pages.assign(count, false);
  int64_t previous_end = 0;
  for (int32_t i = 0; i < ranges; i++) {
    if (starts[i] < previous_end || ends[i] < starts[i] || ends[i] > first_rows.back()) {
      throw std::runtime_error("rows outside the row group");
    }
    previous_end = ends[i];
  }
  // One walk over pages and ranges: `kept` counts the rows of kept pages before the current one.
  int64_t kept = 0, reached = 0;
  int32_t range = 0;
  for (size_t page = 0; page < count; page++) {
    const int64_t begin = first_rows[page], end = first_rows[page + 1];
    while (range < ranges && ends[range] <= begin) range++;
    bool keep = false;
    for (int32_t r = range; r < ranges && starts[r] < end; r++) {
      const int64_t from = std::max(starts[r], begin), to = std::min(ends[r], end);
      if (from >= to) continue;
      keep = true;
      const int64_t at = kept + from - begin;
      if (!result.skip_and_read.empty() && at == reached) {
        result.skip_and_read.back().second += to - from;
      } else {
        result.skip_and_read.emplace_back(at - reached, to - from);
      }
      reached = at + to - from;
      result.total += to - from;
    }
    result.pages[page] = keep;
    if (keep) kept += end - begin;
  }
  return result;
}

static std::shared_ptr<arrow::Array> concatenated(std::vector<std::shared_ptr<arrow::Array>> chunks) {
  if (chunks.empty()) throw std::runtime_error("a column chunk without values");
  if (chunks.size() == 1) return chunks[0];
  return take(arrow::Concatenate(chunks));
}

/// The values a record reader of a fixed-width type holds, as an Arrow array.
static std::shared_ptr<arrow::Array> fixed_array(parquet::internal::RecordReader &records, parquet::Type::type type,
                                                 bool nullable) {
  const int64_t rows = records.values_written();
  const int64_t nulls = nullable ? records.null_count() : 0;
  std::shared_ptr<arrow::Buffer> values = records.ReleaseValues();
  std::shared_ptr<arrow::Buffer> validity = nullable ? records.ReleaseIsValid() : nullptr;
  if (nulls == 0) validity = nullptr;
  if (type == parquet::Type::BOOLEAN) {
    auto bits = take(arrow::AllocateEmptyBitmap(rows));
    const auto *bytes = reinterpret_cast<const bool *>(values->data());
    for (int64_t row = 0; row < rows; row++) {
      if (bytes[row]) arrow::bit_util::SetBit(bits->mutable_data(), row);
    }
    return arrow::MakeArray(arrow::ArrayData::Make(arrow::boolean(), rows, {validity, bits}, nulls));
  }
  auto arrow_type = type == parquet::Type::DOUBLE ? arrow::float64() : arrow::int64();
  return arrow::MakeArray(arrow::ArrayData::Make(arrow_type, rows, {validity, values}, nulls));
}

int32_t cw_reader_read(const cw_reader *reader, int32_t group, int32_t column, const int64_t *starts,
                       const int64_t *ends, int32_t ranges, int32_t dictionary, ArrowArray *array, cw_error *error) {
  return guard(error, 1, [&] {
    const auto *descriptor = reader->metadata->schema()->Column(column);
    const auto type = descriptor->physical_type();
    const bool nullable = descriptor->max_definition_level() > 0;
    const bool keep_dictionary =
        dictionary != 0 && type == parquet::Type::BYTE_ARRAY && reader->chunk(group, column).facts.all_dictionary != 0;
    Wanted rows = wanted(reader->page_rows(group, column), starts, ends, ranges);

    auto pages = reader->file->RowGroup(group)->GetColumnPageReader(column);
    size_t page = 0;
    pages->set_data_page_filter([&](const parquet::DataPageStats &) {
      const bool skip = page >= rows.pages.size() || !rows.pages[page];
      page++;
      return skip;
    });
    auto records = parquet::internal::RecordReader::Make(
        descriptor, parquet::internal::LevelInfo::ComputeLevelInfo(descriptor), arrow::default_memory_pool(),
        keep_dictionary);
    records->SetPageReader(std::move(pages));
    records->Reserve(rows.total);
    for (const auto &[skip, read] : rows.skip_and_read) {
      if (skip > 0 && records->SkipRecords(skip) != skip) throw std::runtime_error("a column chunk ends early");
      for (int64_t left = read; left > 0;) {
        const int64_t got = records->ReadRecords(left);
        if (got <= 0) throw std::runtime_error("a column chunk ends early");
        left -= got;
      }
    }
    std::shared_ptr<arrow::Array> result;
    if (keep_dictionary) {
      auto &typed = dynamic_cast<parquet::internal::DictionaryRecordReader &>(*records);
      auto chunks = typed.GetResult()->chunks();
      if (chunks.empty()) {
        result = take(arrow::MakeArrayOfNull(arrow::dictionary(arrow::int32(), arrow::utf8()), 0));
      } else {
        result = concatenated(std::move(chunks));
      }
    } else if (type == parquet::Type::BYTE_ARRAY || type == parquet::Type::FIXED_LEN_BYTE_ARRAY) {
      auto &typed = dynamic_cast<parquet::internal::BinaryRecordReader &>(*records);
      result = concatenated(typed.GetBuilderChunks());
    } else {
      result = fixed_array(*records, type, nullable);
    }
    if (result->length() != rows.total) throw std::runtime_error("a column chunk ends early");
    check(arrow::ExportArray(*result, array));
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

