"""Write every generated page below docs/reference."""

from __future__ import annotations

from docs.generator.pages import REFERENCE, generated_pages


def main() -> None:
    """Write the pages that differ from what stands there, and say which."""
    for name, text in generated_pages().items():
        file = REFERENCE / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8", newline="\n")
            print(f"written: {file}")


if __name__ == "__main__":
    main()
