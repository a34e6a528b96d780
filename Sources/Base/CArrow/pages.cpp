// Pages of a column chunk, each found where the offset index says it is.
#include "pages.h"

#include <arrow/util/compression.h>
#include <arrow/util/crc32.h>
#include <parquet/column_page.h>

#include <optional>

#include "support.h"

namespace cordwood {

namespace {

[[noreturn]] void broken_header() { throw std::runtime_error("a broken page header"); }

/// A walk over a Thrift struct in the compact protocol.
class Compact {
 public:
  enum Type { stop = 0, yes = 1, no = 2, byte = 3, i16 = 4, i32 = 5, i64 = 6, binary = 8, list = 9, set = 10, structure = 12 };

  Compact(const uint8_t *at, const uint8_t *end) : at_(at), end_(end) {}

  /// The next field's type; its number becomes `id`, which must be that of the field before it.
  int field(int32_t &id) {
    const uint8_t head = next();
    if (head == stop) return stop;
    const int32_t step = head >> 4;
    id = step != 0 ? id + step : number();
    return head & 15;
  }

  int32_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t part = next();
      value |= static_cast<uint64_t>(part & 0x7f) << shift;
      if ((part & 0x80) == 0) return static_cast<int32_t>((value >> 1) ^ (0 - (value & 1)));
    }
    broken_header();
  }

  /// Passes over a value.
  void skip(int type, int depth = 0) {
    switch (type) {
      case yes:
      case no: return;
      case byte: next(); return;
      case i16:
      case i32:
      case i64: number(); return;
      case 7: pass(8); return;
      case binary: pass(length()); return;
      case list:
      case set: {
        if (depth > 8) broken_header();
        const uint8_t head = next();
        const uint64_t count = head >> 4 == 15 ? length() : head >> 4;
        // An element takes a byte at least, booleans too.
        if (count > static_cast<uint64_t>(end_ - at_)) broken_header();
        for (uint64_t i = 0; i < count; i++) {
          if ((head & 15) <= no) {
            next();
          } else {
            skip(head & 15, depth + 1);
          }
        }
        return;
      }
      case structure: {
        if (depth > 8) broken_header();
        int32_t id = 0;
        while (const int inner = field(id)) skip(inner, depth + 1);
        return;
      }
      default: broken_header();
    }
  }

  const uint8_t *at() const { return at_; }

 private:
  uint8_t next() {
    if (at_ == end_) broken_header();
    return *at_++;
  }
  uint64_t length() {
    uint64_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      const uint8_t part = next();
      value |= static_cast<uint64_t>(part & 0x7f) << shift;
      if ((part & 0x80) == 0) return value;
    }
    broken_header();
  }
  void pass(uint64_t count) {
    if (count > static_cast<uint64_t>(end_ - at_)) broken_header();
    at_ += count;
  }

  const uint8_t *at_;
  const uint8_t *end_;
};

/// What is needed of a page's header.
struct Header {
  int32_t type = -1, uncompressed = -1, compressed = -1;
  std::optional<uint32_t> checksum;
  int32_t values = -1, encoding = -1, definition = 3, repetition = 3;
  /// Behind the header.
  const uint8_t *body = nullptr;

  Header(const uint8_t *at, const uint8_t *end) {
    Compact in(at, end);
    int32_t id = 0;
    while (const int kind = in.field(id)) {
      if (kind == Compact::i32 && id == 1) type = in.number();
      else if (kind == Compact::i32 && id == 2) uncompressed = in.number();
      else if (kind == Compact::i32 && id == 3) compressed = in.number();
      else if (kind == Compact::i32 && id == 4) checksum = static_cast<uint32_t>(in.number());
      else if (kind == Compact::structure && id == (type == parquet::PageType::DICTIONARY_PAGE ? 7 : 5)) page(in);
      else in.skip(kind);
    }
    body = in.at();
  }

 private:
  void page(Compact &in) {
    int32_t id = 0;
    while (const int kind = in.field(id)) {
      if (kind == Compact::i32 && id == 1) values = in.number();
      else if (kind == Compact::i32 && id == 2) encoding = in.number();
      else if (kind == Compact::i32 && id == 3) definition = in.number();
      else if (kind == Compact::i32 && id == 4) repetition = in.number();
      else in.skip(kind);
    }
  }
};

parquet::Encoding::type encoding_of(int32_t number) {
  if (number < 0 || number == 1 || number >= parquet::Encoding::UNDEFINED) broken_header();
  return static_cast<parquet::Encoding::type>(number);
}

/// A thread's decompressor, which takes longer to make than a small page to decompress, and memory for small
/// pages.
struct Scratch {
  static constexpr int64_t size = 256 << 10;
  std::unique_ptr<arrow::util::Codec> codec;
  std::shared_ptr<arrow::util::Decompressor> decompressor;
  std::unique_ptr<uint8_t[]> bytes;
};

thread_local Scratch scratch;

class PlacedPages : public parquet::PageReader {
 public:
  PlacedPages(const uint8_t *file, const PageTable &table, const Wanted &wanted, bool dictionary, bool verify)
      : file_(file + table.start), table_(table), wanted_(wanted), verify_(verify) {
    dictionary_is_due_ = dictionary && table.offsets.front() > 0;
  }

  std::shared_ptr<parquet::Page> NextPage() override {
    if (dictionary_is_due_) {
      dictionary_is_due_ = false;
      const Header header(file_, file_ + table_.offsets.front());
      if (header.type != parquet::PageType::DICTIONARY_PAGE) throw std::runtime_error("a page that is no dictionary");
      auto bytes = decompressed(header, file_ + table_.offsets.front());
      return std::make_shared<parquet::DictionaryPage>(bytes, header.values, encoding_of(header.encoding));
    }
    if (next_ == wanted_.pages.size()) return nullptr;
    const size_t number = wanted_.pages[next_++].number;
    const uint8_t *end = file_ + table_.offsets[number + 1];
    const Header header(file_ + table_.offsets[number], end);
    if (header.type != parquet::PageType::DATA_PAGE) throw Unsupported("a page of an unknown kind");
    auto bytes = decompressed(header, end);
    return std::make_shared<parquet::DataPageV1>(bytes, header.values, encoding_of(header.encoding),
                                                 encoding_of(header.definition), encoding_of(header.repetition),
                                                 header.uncompressed);
  }

  void set_max_page_header_size(uint32_t) override {}

 private:
  /// The page's bytes, which must end at `end`.
  std::shared_ptr<arrow::Buffer> decompressed(const Header &header, const uint8_t *end) {
    if (header.values < 0 || header.uncompressed < 0) broken_header();
    const int64_t count = end - header.body;
    if (header.compressed != count) throw std::runtime_error("a page that does not fit the offset index");
    if (verify_ && header.checksum && arrow::internal::crc32(0, header.body, static_cast<size_t>(count)) != *header.checksum) {
      throw std::runtime_error("a page's checksum");
    }
    uint8_t *into = room_for(header.uncompressed);
    if (header.uncompressed > 0) {
      check(scratch.decompressor->Reset());
      const auto result = take(scratch.decompressor->Decompress(count, header.body, header.uncompressed, into));
      if (result.bytes_read != count || result.bytes_written != header.uncompressed ||
          !scratch.decompressor->IsFinished()) {
        throw std::runtime_error("a page of another size than its header says");
      }
    }
    return std::make_shared<arrow::Buffer>(into, header.uncompressed);
  }

  uint8_t *room_for(int64_t count) {
    if (!scratch.decompressor) {
      scratch.codec = take(arrow::util::Codec::Create(arrow::Compression::ZSTD));
      scratch.bytes = std::make_unique<uint8_t[]>(Scratch::size);
      scratch.decompressor = take(scratch.codec->MakeDecompressor());
    }
    if (count <= Scratch::size) return scratch.bytes.get();
    if (!large_ || large_->size() < count) large_ = take(arrow::AllocateBuffer(count));
    return large_->mutable_data();
  }

  const uint8_t *file_;
  const PageTable &table_;
  const Wanted &wanted_;
  const bool verify_;
  bool dictionary_is_due_;
  size_t next_ = 0;
  std::unique_ptr<arrow::Buffer> large_;
};

}  // namespace

std::unique_ptr<parquet::PageReader> placed_pages(const uint8_t *file, const PageTable &table, const Wanted &wanted,
                                                  bool dictionary, bool verify) {
  return std::make_unique<PlacedPages>(file, table, wanted, dictionary, verify);
}

}  // namespace cordwood
