"""Account numbers of payment and analytics services on a page, where services read them: scripts, frames and images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

TAGS = {  # by a text that stands in every match: patterns are slow, and most pages have none
    "UA-": re.compile(r"\b(UA-\d{4,10}-\d{1,4})\b"),
    "G-": re.compile(r"\b(G-[A-Z0-9]{8,12})\b"),
    "GTM-": re.compile(r"\b(GTM-[A-Z0-9]{5,9})\b"),
    "AW-": re.compile(r"\b(AW-\d{8,12})\b"),
    "ca-pub-": re.compile(r"\b(ca-pub-\d{12,20})\b"),
    "pk_live_": re.compile(r"\b(pk_live_[A-Za-z0-9]{16,120})\b"),
    "fbq(": re.compile(r"fbq\(\s{0,9}+['\"]init['\"]\s{0,9}+,\s{0,9}+['\"](\d{10,20})['\"]"),
    "paypal.com/sdk": re.compile(r"paypal\.com/sdk/js\?[^\"'\s]{0,500}?client-id=([A-Za-z0-9_-]{20,100})"),
    "hm.baidu.com": re.compile(r"hm\.baidu\.com/hm\.js\?([0-9a-f]{32})\b"),
    "ttq.load(": re.compile(r"\bttq\.load\(\s{0,9}+['\"]([A-Z0-9]{15,25})['\"]"),
    "ym(": re.compile(r"\bym\(\s{0,9}+(\d{6,10})\s{0,9}+,\s{0,9}+['\"]init['\"]"),
}
VERIFICATION = ("google-site-verification", "facebook-domain-verification", "msvalidate.01", "yandex-verification")
READ = (
    "//script/text() | //script/@src | //iframe/@src | //img/@src | //noscript//text() | //noscript//@src"
    " | //ins/@data-ad-client | //amp-analytics//text()"
)
MOST_OF_A_KIND = 40


def tags_of(tree: Any) -> Iterator[str]:
    """Yield the account numbers that a page's services read, and the marks by which its owner proved to own it."""
    markup = "\n".join(map(str, tree.xpath(READ)))
    for literal, pattern in TAGS.items():
        yield from [] if literal not in markup else list(dict.fromkeys(pattern.findall(markup)))[:MOST_OF_A_KIND]
    for name in VERIFICATION:
        for content in tree.xpath("//meta[@name=$name]/@content", name=name)[:MOST_OF_A_KIND]:
            yield f"{name} {content}"
