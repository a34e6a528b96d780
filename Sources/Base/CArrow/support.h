// Shared by the C++ sources: exceptions and statuses become cw_error.
#pragma once
#include <arrow/api.h>
#include <arrow/c/abi.h>
#include <arrow/io/api.h>
#include <parquet/exception.h>

#include <cstdio>
#include <stdexcept>

#include "carrow.h"

namespace cordwood {

/// Thrown when the caller's sink refused bytes.
struct SinkFailed : std::runtime_error {
  SinkFailed() : std::runtime_error("the sink refused bytes") {}
};

/// Thrown at what is sound but not ours to read.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline int32_t fail(cw_error *error, int32_t kind, const char *message) {
  if (error != nullptr) {
    error->kind = kind;
    std::snprintf(error->message, sizeof error->message, "%s", message);
  }
  return kind;
}

/// Runs `body`; whatever it throws ends here.
template <typename Body>
int32_t guard(cw_error *error, int32_t kind, Body &&body) {
  try {
    body();
    return 0;
  } catch (const SinkFailed &failure) {
    return fail(error, 2, failure.what());
  } catch (const Unsupported &failure) {
    return fail(error, 3, failure.what());
  } catch (const std::bad_alloc &) {
    return fail(error, 3, "out of memory");
  } catch (const std::exception &failure) {
    return fail(error, kind, failure.what());
  } catch (...) {
    return fail(error, kind, "an unknown failure");
  }
}

inline void check(const arrow::Status &status) {
  if (status.IsOutOfMemory()) throw std::bad_alloc();
  if (!status.ok()) throw std::runtime_error(status.message());
}

template <typename T>
T take(arrow::Result<T> result) {
  check(result.status());
  return std::move(result).ValueUnsafe();
}

/// Hands what Arrow writes to the caller's function.
class SinkStream : public arrow::io::OutputStream {
 public:
  SinkStream(cw_sink sink, void *context) : sink_(sink), context_(context) {}
  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Write(const void *data, int64_t count) override {
    if (count == 0 || abandoned_) return arrow::Status::OK();
    if (sink_(context_, static_cast<const uint8_t *>(data), count) != 0) throw SinkFailed();
    position_ += count;
    return arrow::Status::OK();
  }

  /// From now on what Arrow writes goes nowhere: destructors write footers.
  void abandon() { abandoned_ = true; }

 private:
  cw_sink sink_;
  void *context_;
  int64_t position_ = 0;
  bool abandoned_ = false;
};

/// The Arrow schema of columns; timestamps are ns in UTC, ids `arrow.uuid`. Text columns flagged in
/// `dictionary` have Int32 indices into utf8.
std::shared_ptr<arrow::Schema> schema_of(const cw_column *columns, int32_t count, const uint8_t *dictionary = nullptr);
/// The number of the column type of `field`; throws on a type that is not ours.
int32_t type_number(const arrow::Field &field);

}  // namespace cordwood
