#include "CWebUI.h"

// Swift has nothing that takes a file into the binary without code or a folder beside it; C has #embed.

static const uint8_t files[] = {
#include "files.inc"
};

static const uint8_t list[] = {
#embed "files.inc"
};

size_t cwebui_files_count(void) { return sizeof files; }

uint8_t cwebui_files_byte(size_t index) { return files[index]; }

size_t cwebui_list_count(void) { return sizeof list; }

uint8_t cwebui_list_byte(size_t index) { return list[index]; }
