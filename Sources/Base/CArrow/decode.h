// Decoding of wanted rows of a column chunk.
#pragma once
#include <arrow/api.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace parquet {
class ColumnDescriptor;
class PageReader;
}  // namespace parquet

namespace cordwood {

/// A page with wanted rows.
struct WantedPage {
  /// Its place among the chunk's data pages.
  size_t number;
  int64_t rows;
  /// Wanted rows within the page: ascending, disjoint, none empty.
  std::vector<std::pair<int64_t, int64_t>> spans;
};

struct Wanted {
  std::vector<WantedPage> pages;
  int64_t rows = 0;
};

/// How text comes.
enum class Layout {
  plain,
  /// As indices into the chunk's whole dictionary; every wanted page must hold indices then.
  dictionary,
  /// As the indices alone: the dictionary is not looked at.
  codes
};

/// Decodes the wanted rows of a flat column: int64, float64, bool, 16-byte ids or text. Times come as int64.
///
/// `bytes_estimate`: about how many bytes of text will come. Throws on damage.
std::shared_ptr<arrow::ArrayData> decode_rows(parquet::PageReader &pages,
                                              const parquet::ColumnDescriptor *descriptor,
                                              const Wanted &wanted, int64_t bytes_estimate, Layout layout);

/// Indices (int32, 0 for null) and one more than the largest of them.
struct Codes {
  std::shared_ptr<arrow::ArrayData> array;
  int64_t values_needed;
};

/// The indices of the wanted rows of a text column, every wanted page of which must hold indices.
Codes decode_codes(parquet::PageReader &pages, const parquet::ColumnDescriptor *descriptor,
                   const Wanted &wanted);

/// The values of a text column's dictionary, the first page that `pages` gives.
std::shared_ptr<arrow::ArrayData> decode_dictionary(parquet::PageReader &pages,
                                                    const parquet::ColumnDescriptor *descriptor);

}  // namespace cordwood
