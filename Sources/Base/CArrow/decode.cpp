// Decoding pages of one column chunk into one Arrow array: only wanted rows are copied.
#include "decode.h"

#include <arrow/util/bit_util.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/encoding.h>
#include <parquet/schema.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "support.h"

namespace cordwood {

namespace {

[[noreturn]] void ends_early() { throw std::runtime_error("a page that ends early"); }

bool is_dictionary(parquet::Encoding::type encoding) {
  return encoding == parquet::Encoding::PLAIN_DICTIONARY || encoding == parquet::Encoding::RLE_DICTIONARY;
}

/// Memory that grows by doubling and keeps 32 bytes to spare, so that copies may write in blocks.
class Bytes {
 public:
  static constexpr int64_t spare = 32;

  explicit Bytes(int64_t capacity) : buffer_(take(arrow::AllocateResizableBuffer(capacity + spare))) {}

  uint8_t *room_for(int64_t count) {
    if (used_ + count + spare > buffer_->size()) {
      check(buffer_->Resize(std::max(buffer_->size() * 2, used_ + count + spare), false));
    }
    return buffer_->mutable_data() + used_;
  }
  void advance(int64_t count) { used_ += count; }
  int64_t used() const { return used_; }
  std::shared_ptr<arrow::Buffer> finish() {
    // What stays in memory for long has little to spare.
    check(buffer_->Resize(used_, buffer_->capacity() > used_ + used_ / 4 + 4096));
    return buffer_;
  }

 private:
  std::shared_ptr<arrow::ResizableBuffer> buffer_;
  int64_t used_ = 0;
};

/// Copies `count` bytes in blocks of 32; `left` bytes may be read and count + 32 written.
inline void copy(uint8_t *to, const uint8_t *from, int64_t count, int64_t left) {
  if (left < count + Bytes::spare) {
    std::memcpy(to, from, static_cast<size_t>(count));
    return;
  }
  for (int64_t at = 0; at < count; at += 32) std::memcpy(to + at, from + at, 32);
}

/// Text as Arrow lays it out.
class Text {
 public:
  Text(int64_t rows, int64_t bytes) : bytes_(bytes) {
    offsets_ = take(arrow::AllocateBuffer((rows + 1) * 4));
    next_ = reinterpret_cast<int32_t *>(offsets_->mutable_data());
    *next_++ = 0;
  }

  /// `left` bytes may be read from `value` on, at least `count`.
  inline void append(const uint8_t *value, int64_t count, int64_t left) {
    copy(bytes_.room_for(count), value, count, left);
    bytes_.advance(count);
    if (bytes_.used() > INT32_MAX) throw Unsupported("more than 2 GiB of text in one column");
    *next_++ = static_cast<int32_t>(bytes_.used());
  }
  void append_empty() { *next_++ = static_cast<int32_t>(bytes_.used()); }

  std::shared_ptr<arrow::Buffer> offsets() { return offsets_; }
  std::shared_ptr<arrow::Buffer> bytes() { return bytes_.finish(); }
  const int32_t *starts() const { return reinterpret_cast<const int32_t *>(offsets_->data()); }

 private:
  std::shared_ptr<arrow::Buffer> offsets_;
  int32_t *next_;
  Bytes bytes_;
};

/// A walk over values as PLAIN stores them: four bytes of length, then the bytes.
class PlainText {
 public:
  PlainText(const uint8_t *at, int64_t count) : at_(at), end_(at + count) {}

  void skip(int64_t values) {
    for (; values > 0; values--) at_ += next();
  }
  void take(int64_t values, Text &into) {
    for (; values > 0; values--) {
      const int64_t count = next();
      into.append(at_, count, end_ - at_);
      at_ += count;
    }
  }

 private:
  /// Steps over the length and returns it.
  inline int64_t next() {
    uint32_t count;
    if (end_ - at_ < 4) ends_early();
    std::memcpy(&count, at_, 4);
    at_ += 4;
    if (count > static_cast<uint64_t>(end_ - at_)) ends_early();
    return count;
  }

  const uint8_t *at_;
  const uint8_t *end_;
};

/// What all kinds of columns share: levels, validity, the walk over wanted rows.
class Column {
 public:
  Column(const parquet::ColumnDescriptor *descriptor, int64_t total) : descriptor_(descriptor) {
    if (descriptor->max_definition_level() > 0) validity_ = take(arrow::AllocateEmptyBitmap(total));
  }
  virtual ~Column() = default;

  virtual void dictionary(const parquet::DictionaryPage &page) = 0;
  virtual std::shared_ptr<arrow::ArrayData> finish() = 0;

  /// Appends the rows `spans` of a page of `rows` rows.
  void page(const parquet::DataPage &page, int64_t rows, const std::vector<std::pair<int64_t, int64_t>> &spans) {
    if (page.num_values() != rows) throw std::runtime_error("a page that does not fit the offset index");
    const uint8_t *data = page.data();
    int64_t count = page.size();
    const int64_t levels_bytes = read_levels(page, data, count, rows);
    begin(page.encoding(), data + levels_bytes, count - levels_bytes, values_in(0, rows));
    int64_t at = 0;
    for (const auto &[from, to] : spans) {
      skip(values_in(at, from));
      if (validity_) append_validity(from, to);
      append(from, to, values_in(from, to));
      rows_ += to - from;
      at = to;
    }
  }

 protected:
  /// A page with `values` values that are not null begins.
  virtual void begin(parquet::Encoding::type encoding, const uint8_t *data, int64_t count, int64_t values) = 0;
  virtual void skip(int64_t values) = 0;
  /// Rows `from ..< to` of the page, of which `values` have one.
  virtual void append(int64_t from, int64_t to, int64_t values) = 0;

  bool is_valid(int64_t row) const { return levels_[row] != 0; }
  int64_t rows() const { return rows_; }
  int64_t nulls() const { return nulls_; }
  std::shared_ptr<arrow::Buffer> validity() const { return nulls_ == 0 ? nullptr : validity_; }

  const parquet::ColumnDescriptor *descriptor_;

 private:
  int64_t read_levels(const parquet::DataPage &page, const uint8_t *data, int64_t count, int64_t rows) {
    page_has_nulls_ = false;
    const bool nullable = descriptor_->max_definition_level() > 0;
    int64_t used = 0;
    parquet::LevelDecoder decoder;
    if (const auto *v1 = dynamic_cast<const parquet::DataPageV1 *>(&page)) {
      if (!nullable) return 0;
      used = decoder.SetData(v1->definition_level_encoding(), 1, static_cast<int>(rows), data,
                             static_cast<int32_t>(count));
    } else if (const auto *v2 = dynamic_cast<const parquet::DataPageV2 *>(&page)) {
      const int64_t repetition = v2->repetition_levels_byte_length(), levels = v2->definition_levels_byte_length();
      if (repetition < 0 || levels < 0 || repetition + levels > count) ends_early();
      used = repetition + levels;
      if (!nullable) return used;
      decoder.SetDataV2(static_cast<int32_t>(levels), 1, static_cast<int>(rows), data + repetition);
    } else {
      throw Unsupported("a page of an unknown kind");
    }
    levels_.resize(static_cast<size_t>(rows));
    if (used > count || decoder.Decode(static_cast<int>(rows), levels_.data()) != rows) ends_early();
    page_has_nulls_ = std::find(levels_.begin(), levels_.end(), 0) != levels_.end();
    return used;
  }

  /// How many of the rows have a value.
  int64_t values_in(int64_t from, int64_t to) const {
    if (!page_has_nulls_) return to - from;
    int64_t count = 0;
    for (int64_t row = from; row < to; row++) count += levels_[row] != 0;
    return count;
  }

  void append_validity(int64_t from, int64_t to) {
    uint8_t *bits = validity_->mutable_data();
    if (!page_has_nulls_) {
      arrow::bit_util::SetBitsTo(bits, rows_, to - from, true);
      return;
    }
    for (int64_t row = from, out = rows_; row < to; row++, out++) {
      const uint8_t valid = levels_[row] != 0;
      bits[out >> 3] |= static_cast<uint8_t>(valid << (out & 7));
      nulls_ += valid == 0;
    }
  }

  std::shared_ptr<arrow::Buffer> validity_;
  std::vector<int16_t> levels_;
  bool page_has_nulls_ = false;
  int64_t rows_ = 0;
  int64_t nulls_ = 0;
};

/// Columns whose values Arrow's decoders give: numbers, booleans, ids. A page is decoded whole, then picked
/// from.
template <typename Kind>
class ValueColumn : public Column {
 public:
  using Value = typename Kind::c_type;

  ValueColumn(const parquet::ColumnDescriptor *descriptor, int64_t total) : Column(descriptor, total) {
    if constexpr (std::is_same_v<Value, bool>) {
      values_ = take(arrow::AllocateEmptyBitmap(total));
    } else {
      values_ = take(arrow::AllocateBuffer(total * width()));
    }
  }

  void dictionary(const parquet::DictionaryPage &page) override {
    if constexpr (std::is_same_v<Value, bool>) {
      throw std::runtime_error("a dictionary of booleans");
    } else {
      // The decoder keeps a copy of the values.
      auto values = parquet::MakeTypedDecoder<Kind>(parquet::Encoding::PLAIN, descriptor_);
      values->SetData(page.num_values(), page.data(), page.size());
      indices_ = parquet::MakeDictDecoder<Kind>(descriptor_);
      indices_->SetDict(values.get());
    }
  }

  std::shared_ptr<arrow::ArrayData> finish() override {
    std::shared_ptr<arrow::DataType> type;
    if constexpr (std::is_same_v<Kind, parquet::DoubleType>) type = arrow::float64();
    if constexpr (std::is_same_v<Kind, parquet::Int64Type>) type = arrow::int64();
    if constexpr (std::is_same_v<Kind, parquet::BooleanType>) type = arrow::boolean();
    if constexpr (std::is_same_v<Kind, parquet::FLBAType>) type = arrow::fixed_size_binary(16);
    return arrow::ArrayData::Make(type, rows(), {validity(), values_}, nulls());
  }

 protected:
  void begin(parquet::Encoding::type encoding, const uint8_t *data, int64_t count, int64_t values) override {
    page_.resize(static_cast<size_t>(values));
    at_ = 0;
    if (values == 0) return;
    int got;
    if (is_dictionary(encoding)) {
      if constexpr (std::is_same_v<Value, bool>) {
        throw std::runtime_error("a dictionary of booleans");
      } else {
        if (!indices_) throw std::runtime_error("a page without its dictionary");
        auto *decoder = dynamic_cast<parquet::TypedDecoder<Kind> *>(indices_.get());
        decoder->SetData(static_cast<int>(values), data, static_cast<int>(count));
        got = decoder->Decode(page_.data(), static_cast<int>(values));
      }
    } else {
      plain_ = parquet::MakeTypedDecoder<Kind>(encoding, descriptor_);
      plain_->SetData(static_cast<int>(values), data, static_cast<int>(count));
      got = plain_->Decode(page_.data(), static_cast<int>(values));
    }
    if (got != values) ends_early();
  }

  void skip(int64_t values) override { at_ += values; }

  void append(int64_t from, int64_t to, int64_t values) override {
    int64_t out = rows();
    const bool full = values == to - from;
    if constexpr (std::is_same_v<Value, int64_t> || std::is_same_v<Value, double>) {
      if (full) {
        std::memcpy(values_->mutable_data() + out * 8, page_.data() + at_, static_cast<size_t>(values) * 8);
        at_ += values;
        return;
      }
    }
    for (int64_t row = from; row < to; row++, out++) {
      if (full || is_valid(row)) {
        store(out, page_[at_++]);
      } else {
        clear(out);
      }
    }
  }

 private:
  // std::vector<bool> has no data().
  struct Scratch {
    std::unique_ptr<Value[]> values;
    size_t capacity = 0;
    void resize(size_t count) {
      if (count <= capacity) return;
      values = std::make_unique<Value[]>(count);
      capacity = count;
    }
    Value *data() { return values.get(); }
    Value &operator[](int64_t index) { return values[static_cast<size_t>(index)]; }
  };

  static constexpr int64_t width() { return std::is_same_v<Kind, parquet::FLBAType> ? 16 : 8; }

  void store(int64_t row, const Value &value) {
    uint8_t *out = values_->mutable_data();
    if constexpr (std::is_same_v<Kind, parquet::FLBAType>) {
      std::memcpy(out + row * 16, value.ptr, 16);
    } else if constexpr (std::is_same_v<Value, bool>) {
      if (value) arrow::bit_util::SetBit(out, row);
    } else {
      std::memcpy(out + row * 8, &value, 8);
    }
  }
  void clear(int64_t row) {
    if constexpr (!std::is_same_v<Value, bool>) std::memset(values_->mutable_data() + row * width(), 0, width());
  }

  std::shared_ptr<arrow::Buffer> values_;
  Scratch page_;
  int64_t at_ = 0;
  std::unique_ptr<parquet::DictDecoder<Kind>> indices_;
  std::unique_ptr<parquet::TypedDecoder<Kind>> plain_;
};

/// Text, as rows of bytes or as indices into the chunk's dictionary.
class TextColumn : public Column {
 public:
  TextColumn(const parquet::ColumnDescriptor *descriptor, int64_t total, int64_t bytes_estimate,
             Layout layout)
      : Column(descriptor, total),
        as_dictionary_(layout != Layout::plain),
        without_values_(layout == Layout::codes) {
    if (as_dictionary_) {
      rows_indices_ = take(arrow::AllocateBuffer(total * 4));
    } else {
      text_ = std::make_unique<Text>(total, bytes_estimate);
    }
  }

  void dictionary(const parquet::DictionaryPage &page) override {
    if (without_values_) return;
    if (page.num_values() < 0 || page.num_values() > page.size() / 4) ends_early();
    dictionary_count_ = page.num_values();
    dictionary_ = std::make_unique<Text>(dictionary_count_, page.size());
    PlainText(page.data(), page.size()).take(dictionary_count_, *dictionary_);
    dictionary_bytes_ = dictionary_->bytes();
  }

  /// One more than the largest index that a row has.
  int64_t values_needed() const { return values_needed_; }

  std::shared_ptr<arrow::ArrayData> finish() override {
    if (without_values_) {
      return arrow::ArrayData::Make(arrow::int32(), rows(), {validity(), rows_indices_}, nulls());
    }
    if (!as_dictionary_) {
      return arrow::ArrayData::Make(arrow::utf8(), rows(), {validity(), text_->offsets(), text_->bytes()}, nulls());
    }
    if (!dictionary_) {
      dictionary_ = std::make_unique<Text>(0, 0);
      dictionary_bytes_ = dictionary_->bytes();
    }
    auto data = arrow::ArrayData::Make(arrow::dictionary(arrow::int32(), arrow::utf8()), rows(),
                                       {validity(), rows_indices_}, nulls());
    data->dictionary = arrow::ArrayData::Make(
        arrow::utf8(), dictionary_count_,
        {nullptr, dictionary_->offsets(), dictionary_bytes_}, 0);
    return data;
  }

 protected:
  void begin(parquet::Encoding::type encoding, const uint8_t *data, int64_t count, int64_t values) override {
    kind_ = is_dictionary(encoding)                      ? Kind::dictionary
            : encoding == parquet::Encoding::PLAIN ? Kind::plain
                                                   : Kind::decoded;
    at_ = 0;
    if (as_dictionary_ && kind_ != Kind::dictionary) throw std::runtime_error("a page that is not a dictionary page");
    switch (kind_) {
      case Kind::plain: plain_ = PlainText(data, count); break;
      case Kind::dictionary: decode_indices(data, count, values); break;
      case Kind::decoded: {
        if (values == 0) return;
        decoder_ = parquet::MakeTypedDecoder<parquet::ByteArrayType>(encoding, descriptor_);
        decoder_->SetData(static_cast<int>(values), data, static_cast<int>(count));
        decoded_.resize(static_cast<size_t>(values));
        if (decoder_->Decode(decoded_.data(), static_cast<int>(values)) != values) ends_early();
        break;
      }
    }
  }

  void skip(int64_t values) override {
    if (kind_ == Kind::plain) {
      plain_.skip(values);
    } else {
      at_ += values;
    }
  }

  void append(int64_t from, int64_t to, int64_t values) override {
    const bool full = values == to - from;
    if (as_dictionary_) {
      auto *out = reinterpret_cast<int32_t *>(rows_indices_->mutable_data()) + rows();
      for (int64_t row = from; row < to; row++) *out++ = full || is_valid(row) ? indices_[at_++] : 0;
    } else if (full && kind_ == Kind::plain) {
      plain_.take(values, *text_);
    } else {
      for (int64_t row = from; row < to; row++) {
        if (full || is_valid(row)) {
          append_value();
        } else {
          text_->append_empty();
        }
      }
    }
  }

 private:
  enum class Kind { plain, dictionary, decoded };

  void decode_indices(const uint8_t *data, int64_t count, int64_t values) {
    if (!dictionary_ && !without_values_) throw std::runtime_error("a page without its dictionary");
    indices_.resize(static_cast<size_t>(values));
    if (values == 0) return;
    if (!index_decoder_) index_decoder_ = parquet::MakeDictDecoder<parquet::ByteArrayType>(descriptor_);
    dynamic_cast<parquet::Decoder *>(index_decoder_.get())
        ->SetData(static_cast<int>(values), data, static_cast<int>(count));
    if (index_decoder_->DecodeIndices(static_cast<int>(values), indices_.data()) != values) ends_early();
    uint32_t largest = 0;
    for (int64_t i = 0; i < values; i++) largest = std::max(largest, static_cast<uint32_t>(indices_[i]));
    if (largest > INT32_MAX || (!without_values_ && largest >= static_cast<uint64_t>(dictionary_count_))) {
      throw std::runtime_error("an index outside its dictionary");
    }
    values_needed_ = std::max<int64_t>(values_needed_, int64_t{largest} + 1);
  }

  void append_value() {
    switch (kind_) {
      case Kind::plain: plain_.take(1, *text_); break;
      case Kind::dictionary: {
        const int32_t index = indices_[at_++];
        const int32_t *starts = dictionary_->starts();
        const int64_t start = starts[index], size = starts[index + 1] - start;
        text_->append(dictionary_bytes_->data() + start, size, dictionary_bytes_->size() - start);
        break;
      }
      case Kind::decoded: {
        const auto &value = decoded_[at_++];
        text_->append(value.ptr, value.len, value.len);
        break;
      }
    }
  }

  const bool as_dictionary_;
  const bool without_values_;
  int64_t values_needed_ = 0;
  Kind kind_ = Kind::plain;
  std::unique_ptr<Text> text_;
  std::shared_ptr<arrow::Buffer> rows_indices_;
  std::unique_ptr<Text> dictionary_;
  std::shared_ptr<arrow::Buffer> dictionary_bytes_;
  int64_t dictionary_count_ = 0;
  PlainText plain_{nullptr, 0};
  std::vector<int32_t> indices_;
  int64_t at_ = 0;
  std::unique_ptr<parquet::DictDecoder<parquet::ByteArrayType>> index_decoder_;
  std::unique_ptr<parquet::TypedDecoder<parquet::ByteArrayType>> decoder_;
  std::vector<parquet::ByteArray> decoded_;
};

std::unique_ptr<Column> column_for(const parquet::ColumnDescriptor *descriptor, int64_t total, int64_t bytes_estimate,
                                   Layout layout) {
  switch (descriptor->physical_type()) {
    case parquet::Type::INT64: return std::make_unique<ValueColumn<parquet::Int64Type>>(descriptor, total);
    case parquet::Type::DOUBLE: return std::make_unique<ValueColumn<parquet::DoubleType>>(descriptor, total);
    case parquet::Type::BOOLEAN: return std::make_unique<ValueColumn<parquet::BooleanType>>(descriptor, total);
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
      if (descriptor->type_length() != 16) throw Unsupported("ids of another length than 16");
      return std::make_unique<ValueColumn<parquet::FLBAType>>(descriptor, total);
    case parquet::Type::BYTE_ARRAY:
      return std::make_unique<TextColumn>(descriptor, total, bytes_estimate, layout);
    default: throw Unsupported("a physical type that is not ours");
  }
}

/// Gives the wanted pages, and the dictionary if there is one, to `column`.
void read_pages(parquet::PageReader &pages, const Wanted &wanted, Column &column) {
  size_t seen = 0, next = 0;
  // Called once for each data page in order; a page that is not wanted is not decompressed.
  pages.set_data_page_filter([&](const parquet::DataPageStats &) {
    const bool keep = next < wanted.pages.size() && wanted.pages[next].number == seen;
    seen++;
    return !keep;
  });
  while (next < wanted.pages.size()) {
    const auto page = pages.NextPage();
    if (!page) throw std::runtime_error("a column chunk that ends early");
    if (page->type() == parquet::PageType::DICTIONARY_PAGE) {
      column.dictionary(dynamic_cast<const parquet::DictionaryPage &>(*page));
    } else if (const auto *data = dynamic_cast<const parquet::DataPage *>(page.get())) {
      column.page(*data, wanted.pages[next].rows, wanted.pages[next].spans);
      next++;
    }
  }
}

}  // namespace

std::shared_ptr<arrow::ArrayData> decode_rows(parquet::PageReader &pages,
                                              const parquet::ColumnDescriptor *descriptor,
                                              const Wanted &wanted, int64_t bytes_estimate, Layout layout) {
  auto column = column_for(descriptor, wanted.rows, bytes_estimate, layout);
  read_pages(pages, wanted, *column);
  return column->finish();
}

Codes decode_codes(parquet::PageReader &pages, const parquet::ColumnDescriptor *descriptor,
                   const Wanted &wanted) {
  TextColumn column(descriptor, wanted.rows, 0, Layout::codes);
  read_pages(pages, wanted, column);
  return {column.finish(), column.values_needed()};
}

std::shared_ptr<arrow::ArrayData> decode_dictionary(parquet::PageReader &pages,
                                                    const parquet::ColumnDescriptor *descriptor) {
  const auto page = pages.NextPage();
  if (!page || page->type() != parquet::PageType::DICTIONARY_PAGE) {
    throw std::runtime_error("a column chunk that does not begin with its dictionary");
  }
  TextColumn column(descriptor, 0, 0, Layout::dictionary);
  column.dictionary(dynamic_cast<const parquet::DictionaryPage &>(*page));
  return column.finish()->dictionary;
}

}  // namespace cordwood
