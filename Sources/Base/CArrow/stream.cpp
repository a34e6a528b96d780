// Reading an IPC stream from memory.
#include <arrow/c/bridge.h>
#include <arrow/extension_type.h>
#include <arrow/ipc/api.h>

#include <memory>
#include <vector>

#include "support.h"

using namespace cordwood;

int32_t cw_ipc_read(const uint8_t *bytes, int64_t count, void *context,
                    void (*field)(void *context, const char *name, int32_t type, int32_t nullable),
                    void (*batch)(void *context, ArrowArray *array), cw_error *error) {
  return guard(error, 1, [&] {
    auto source = std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(bytes, count));
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;
    auto stream = take(arrow::ipc::RecordBatchStreamReader::Open(source, options));
    for (const auto &column : stream->schema()->fields()) {
      field(context, column->name().c_str(), type_number(*column), column->nullable());
    }
    std::shared_ptr<arrow::RecordBatch> next;
    while (true) {
      check(stream->ReadNext(&next));
      if (!next) return;
      check(next->ValidateFull());
      ArrowArray array{};
      check(arrow::ExportRecordBatch(*next, &array));
      batch(context, &array);
    }
  });
}
