// Parquet and IPC writing.
#include <arrow/c/bridge.h>
#include <arrow/extension/uuid.h>
#include <arrow/ipc/api.h>
#include <arrow/util/compression.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <memory>
#include <string>
#include <vector>

#include "support.h"

namespace cordwood {

static std::shared_ptr<arrow::DataType> type_of(int32_t type) {
  switch (type) {
    case CW_INT64: return arrow::int64();
    case CW_FLOAT64: return arrow::float64();
    case CW_BOOL: return arrow::boolean();
    case CW_UTF8:
    case CW_JSON: return arrow::utf8();
    case CW_UUID: return arrow::extension::uuid();
    case CW_TIMESTAMP: return arrow::timestamp(arrow::TimeUnit::NANO, "UTC");
    case CW_MICROSECONDS: return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    default: throw std::runtime_error("an unknown column type");
  }
}

std::shared_ptr<arrow::Schema> schema_of(const cw_column *columns, int32_t count, const uint8_t *dictionary) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (int32_t i = 0; i < count; i++) {
    std::shared_ptr<const arrow::KeyValueMetadata> metadata;
    if (columns[i].type == CW_JSON) metadata = arrow::key_value_metadata({{"cordwood.type", "json"}});
    auto type = type_of(columns[i].type);
    if (dictionary != nullptr && dictionary[i] != 0) type = arrow::dictionary(arrow::int32(), type);
    fields.push_back(arrow::field(columns[i].name, type, columns[i].nullable != 0, metadata));
  }
  return arrow::schema(std::move(fields));
}

int32_t type_number(const arrow::Field &field) {
  const auto &type = *field.type();
  switch (type.id()) {
    case arrow::Type::INT64: return CW_INT64;
    case arrow::Type::DOUBLE: return CW_FLOAT64;
    case arrow::Type::BOOL: return CW_BOOL;
    case arrow::Type::STRING: {
      const bool json = field.metadata() && field.metadata()->Get("cordwood.type").ValueOr("") == "json";
      return json ? CW_JSON : CW_UTF8;
    }
    case arrow::Type::FIXED_SIZE_BINARY:
      if (static_cast<const arrow::FixedSizeBinaryType &>(type).byte_width() == 16) return CW_UUID;
      break;
    case arrow::Type::TIMESTAMP: {
      const auto &timestamp = static_cast<const arrow::TimestampType &>(type);
      if (timestamp.unit() == arrow::TimeUnit::NANO && timestamp.timezone() == "UTC") return CW_TIMESTAMP;
      break;
    }
    case arrow::Type::EXTENSION: {
      const auto &extension = static_cast<const arrow::ExtensionType &>(type);
      if (extension.extension_name() == "arrow.uuid") return CW_UUID;
      break;
    }
    case arrow::Type::DICTIONARY: {
      const auto &dictionary = static_cast<const arrow::DictionaryType &>(type);
      const bool ours = dictionary.index_type()->id() == arrow::Type::INT32 &&
                        dictionary.value_type()->id() == arrow::Type::STRING;
      if (ours) return type_number(*field.WithType(arrow::utf8()));
      break;
    }
    default: break;
  }
  throw Unsupported("column " + field.name() + " has the type " + type.ToString());
}

}  // namespace cordwood

using namespace cordwood;

struct cw_writer {
  std::shared_ptr<SinkStream> sink;
  std::vector<cw_column> columns;
  std::vector<std::string> names;
  std::unique_ptr<parquet::arrow::FileWriter> writer;
};

// Zstandard's names for these parameters: its stable numbers, which Arrow hands on.
enum { ZSTD_HASH_LOG = 102, ZSTD_MIN_MATCH = 105, ZSTD_STRATEGY = 107, ZSTD_FAST = 1 };

// Level 1, with the search that fits the content (Docs/decisions/0039-bytes-a-row.md). Any decoder reads it.
static std::shared_ptr<arrow::util::CodecOptions> codec_of(int32_t content) {
  auto options = std::make_shared<arrow::util::ZstdCodecOptions>();
  options->compression_level = 1;
  auto &parameters = options->compression_context_params;
  // Shorter matches than level 1 looks for.
  if (content != CW_MIXED) parameters = {{ZSTD_STRATEGY, ZSTD_FAST}, {ZSTD_MIN_MATCH, 5}};
  // Lengths repeat and nothing else does: a small table forgets chance matches before they are found.
  if (content == CW_RANDOM) parameters.emplace_back(ZSTD_HASH_LOG, 9);
  // Eight bytes each, the upper ones alike.
  if (content == CW_NUMBERS) parameters.emplace_back(ZSTD_HASH_LOG, 14);
  return options;
}

static std::shared_ptr<parquet::WriterProperties> properties_of(const cw_column *columns, int32_t count,
                                                                int64_t rows_per_page) {
  parquet::WriterProperties::Builder builder;
  builder.created_by("cordwood version 1.0.0 (build 0)")
      ->version(parquet::ParquetVersion::PARQUET_2_LATEST)
      ->data_page_version(parquet::ParquetDataPageVersion::V1)
      ->compression(parquet::Compression::ZSTD)
      ->compression_level(1)
      ->max_rows_per_page(rows_per_page)
      // Pages end by rows, never by bytes, so that the pages of all columns hold the same rows.
      ->data_pagesize(int64_t{1} << 30)
      ->write_batch_size(rows_per_page)
      ->dictionary_pagesize_limit(int64_t{2} << 20)
      ->enable_page_checksum()
      ->enable_write_page_index();
  std::vector<parquet::SortingColumn> sorting;
  for (int32_t i = 0; i < count; i++) {
    const cw_column &column = columns[i];
    // A path object, not its text: names may hold dots.
    auto path = std::make_shared<parquet::schema::ColumnPath>(std::vector<std::string>{column.name});
    builder.codec_options(path, codec_of(column.content));
    if (column.encoding != CW_DICTIONARY) builder.disable_dictionary(path);
    if (column.encoding == CW_PLAIN) builder.encoding(path, parquet::Encoding::PLAIN);
    if (column.encoding == CW_DELTA) builder.encoding(path, parquet::Encoding::DELTA_BINARY_PACKED);
    // Bounds of long or random text prune nothing and cost bytes in every page.
    const bool is_text = column.type == CW_UTF8 || column.type == CW_JSON;
    if (is_text && column.encoding == CW_PLAIN) builder.disable_statistics(path);
    if (column.bloom_distinct > 0) {
      parquet::BloomFilterOptions options;
      options.ndv = static_cast<int32_t>(column.bloom_distinct);
      options.fpp = 0.03;
      builder.enable_bloom_filter(path, options);
    }
  }
  for (int32_t rank = 1; rank <= count; rank++) {
    for (int32_t i = 0; i < count; i++) {
      if (columns[i].sort_rank == rank) sorting.push_back(parquet::SortingColumn{i, false, false});
    }
  }
  if (!sorting.empty()) builder.set_sorting_columns(sorting);
  return builder.build();
}

int32_t cw_writer_open(const cw_column *columns, int32_t count, int64_t rows_per_page, cw_sink sink, void *context,
                       cw_writer **writer, cw_error *error) {
  return guard(error, 3, [&] {
    auto made = std::make_unique<cw_writer>();
    made->sink = std::make_shared<SinkStream>(sink, context);
    made->columns.assign(columns, columns + count);
    made->names.reserve(count);
    for (auto &column : made->columns) column.name = made->names.emplace_back(column.name).c_str();
    auto schema = schema_of(columns, count);
    auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    made->writer = take(parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), made->sink,
                                                         properties_of(columns, count, rows_per_page),
                                                         arrow_properties));
    *writer = made.release();
  });
}

int32_t cw_writer_row_group(cw_writer *writer, ArrowArray *batch, const uint8_t *dictionary, cw_error *error) {
  return guard(error, 3, [&] {
    auto schema = schema_of(writer->columns.data(), static_cast<int32_t>(writer->columns.size()), dictionary);
    auto record = take(arrow::ImportRecordBatch(batch, schema));
    check(writer->writer->NewRowGroup());
    for (const auto &column : record->columns()) check(writer->writer->WriteColumnChunk(*column));
  });
}

int32_t cw_writer_embed(cw_writer *writer, const uint8_t *bytes, int64_t count, int64_t *offset, cw_error *error) {
  return guard(error, 3, [&] {
    *offset = take(writer->sink->Tell());
    check(writer->sink->Write(bytes, count));
  });
}

int32_t cw_writer_finish(cw_writer *writer, const char *const *keys, const char *const *values, int32_t count,
                         cw_error *error) {
  return guard(error, 3, [&] {
    std::vector<std::string> names(keys, keys + count), texts(values, values + count);
    check(writer->writer->AddKeyValueMetadata(arrow::key_value_metadata(std::move(names), std::move(texts))));
    check(writer->writer->Close());
  });
}

void cw_writer_free(cw_writer *writer) {
  guard(nullptr, 3, [&] {
    if (writer != nullptr) writer->sink->abandon();
    delete writer;
  });
}

struct cw_ipc_writer {
  std::shared_ptr<SinkStream> sink;
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer;
};

int32_t cw_ipc_open(const cw_column *columns, int32_t count, int32_t compression, cw_sink sink, void *context,
                    cw_ipc_writer **writer, cw_error *error) {
  return guard(error, 3, [&] {
    auto made = std::make_unique<cw_ipc_writer>();
    made->sink = std::make_shared<SinkStream>(sink, context);
    made->schema = schema_of(columns, count);
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.use_threads = false;
    if (compression == 1) options.codec = take(arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME));
    if (compression == 2) options.codec = take(arrow::util::Codec::Create(arrow::Compression::ZSTD, 1));
    made->writer = take(arrow::ipc::MakeStreamWriter(made->sink, made->schema, options));
    *writer = made.release();
  });
}

int32_t cw_ipc_write(cw_ipc_writer *writer, ArrowArray *batch, cw_error *error) {
  return guard(error, 3, [&] {
    auto record = take(arrow::ImportRecordBatch(batch, writer->schema));
    check(writer->writer->WriteRecordBatch(*record));
  });
}

int32_t cw_ipc_finish(cw_ipc_writer *writer, cw_error *error) {
  return guard(error, 3, [&] { check(writer->writer->Close()); });
}

void cw_ipc_free(cw_ipc_writer *writer) {
  guard(nullptr, 3, [&] {
    if (writer != nullptr) writer->sink->abandon();
    delete writer;
  });
}
