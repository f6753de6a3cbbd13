"""Names in messengers that stand in a page's text: `WeChat: kicks88`, `微信号：kicks88`, `QQ: 123456789`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from features.intelligence.telephones import canonical_telephone

NAMES = {
    "wechat": "wechat", "weixin": "wechat", "微信": "wechat", "微信号": "wechat", "vx": "wechat",
    "wx": "wechat", "qq": "qq", "line id": "line", "skype": "skype",
    "telegram": "telegram", "snapchat": "snapchat", "whatsapp": "whatsapp", "kakaotalk": "kakaotalk",
}  # fmt: skip
SPACE = r"[ \t]{0,3}+"
STATED = re.compile(
    r"(?<![A-Za-z0-9_])(wechat|weixin|微信号?|vx|wx|qq|line id|skype|telegram|snapchat|whatsapp|kakaotalk)"
    rf"(?:{SPACE}(?:id|no|号|number|account))?+{SPACE}[:：]{SPACE}@?+([A-Za-z0-9+][\w.+-]{{4,30}}+)(?![\w@])",
    re.IGNORECASE,
)
PROFILES = {"telegram": "https://t.me/", "snapchat": "https://www.snapchat.com/add/"}
WORD = re.compile(r"[A-Za-z][\w.-]{4,30}")
NUMBER = re.compile(r"[1-9]\d{4,11}")


def handles_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield `account`, `url` or `phone`: what a reader could search for in the messenger that stands before a colon."""
    lines = "\n".join(line for line in text.split("\n") if ":" in line or "：" in line)
    for match in STATED.finditer(lines):
        messenger, handle = NAMES[match[1].lower()], match[2].rstrip(".-+")
        number = canonical_telephone(handle, "CN" if messenger == "wechat" else None)
        if number is not None and messenger != "qq":
            yield "phone", number
        elif messenger == "qq":
            yield from [("account", f"qq {handle}")] if NUMBER.fullmatch(handle) else []
        elif WORD.fullmatch(handle) and messenger in PROFILES:
            yield "url", f"{PROFILES[messenger]}{handle}"
        elif WORD.fullmatch(handle) and messenger != "whatsapp":
            yield "account", f"{messenger} {handle}"
