// Pages of a column chunk, each found where the offset index says it is.
#pragma once
#include <parquet/column_reader.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "decode.h"

namespace cordwood {

/// Where a chunk's data pages lie, as the offset index has it.
struct PageTable {
  /// First row of each page, and the row count behind the last.
  std::vector<int32_t> first_rows;
  /// Start of each page, and the end of the last, counted from `start`. Empty where the pages do not follow
  /// each other without gaps up to the chunk's end: then they are read one after the other.
  std::vector<uint32_t> offsets;
  /// Where the chunk starts in the file: with its dictionary, if it has one.
  int64_t start = 0;

  size_t pages() const { return first_rows.size() - 1; }
};

/// Gives the dictionary page, if the chunk has one and `dictionary` says so, and the wanted data pages,
/// decompressed (Zstandard), without looking at the others. `file` and `table` must outlive it; a page's
/// bytes are those of a buffer that the next page uses again.
std::unique_ptr<parquet::PageReader> placed_pages(const uint8_t *file, const PageTable &table, const Wanted &wanted,
                                                  bool dictionary, bool verify);

}  // namespace cordwood
