"""Pictures as text: a hash for each tile of 64 pixels. A tile that differs writes the picture."""

import pathlib

from lab import output, updating

FOLDER = pathlib.Path(__file__).resolve().parent / "screens"
# Run in a page of nothing: decodes the picture and hashes each tile (FNV-1a over its pixels).
HASHES = """async (base64) => {
  const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], {type: 'image/png'}));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.drawImage(image, 0, 0);
  const rows = [];
  for (let y = 0; y < image.height; y += 64) {
    const row = [];
    for (let x = 0; x < image.width; x += 64) {
      const wide = Math.min(64, image.width - x), high = Math.min(64, image.height - y);
      const pixels = new Uint32Array(context.getImageData(x, y, wide, high).data.buffer);
      let hash = 0x811c9dc5;
      for (const pixel of pixels) hash = Math.imul(hash ^ pixel, 0x01000193) ^ (hash >>> 15);
      row.push((hash >>> 0).toString(16).padStart(8, '0').slice(0, 6));
    }
    rows.push(row);
  }
  return rows;
}"""


def hashes(lab, picture):
    import base64

    context = lab.browser.new_context()
    try:
        return context.new_page().evaluate(HASHES, base64.b64encode(picture).decode())
    finally:
        context.close()


def text(rows):
    return "".join(" ".join(row) + "\n" for row in rows)


def check(lab, page, name):
    """Compares what the page shows with what it showed; gives the places that differ, or an empty text."""
    page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
    picture = page.screenshot(animations="disabled", caret="hide")
    found = text(hashes(lab, picture))
    file = FOLDER / f"{name}.txt"
    if updating():
        FOLDER.mkdir(exist_ok=True)
        file.write_text(found)
        output(f"screens/{name}.png").write_bytes(picture)
        return ""
    kept = file.read_text() if file.exists() else ""
    if kept == found:
        return ""
    path = output(f"screens/{name}.png")
    path.write_bytes(picture)
    if not kept:
        return f"{name}: no hashes are kept; the picture is {path}"
    differ = [
        f"{column * 64},{row * 64}"
        for row, (old, new) in enumerate(zip(kept.splitlines(), found.splitlines()))
        for column, pair in enumerate(zip(old.split(), new.split()))
        if pair[0] != pair[1]
    ]
    return f"{name}: tiles at {' '.join(differ[:12])} differ; the picture is {path}"
