#pragma once
#include <stddef.h>
#include <stdint.h>

// The page's files, one behind the other as files.inc lists them, each with a zero byte behind it; and that
// list as text, which says what they are called. Byte by byte: Swift copies them once at the start, and
// needs no pointer for it (Docs/decisions/0044-the-page-in-the-binary.md).

/// How many bytes the files have, with a zero behind each.
size_t cwebui_files_count(void);
/// One of them; `index` is below the count.
uint8_t cwebui_files_byte(size_t index);
/// How many bytes the list has.
size_t cwebui_list_count(void);
/// One of them; `index` is below the count.
uint8_t cwebui_list_byte(size_t index);
