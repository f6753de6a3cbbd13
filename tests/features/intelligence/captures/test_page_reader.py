"""What a page states of its shop: contacts that a reader could use, its own profiles, and nothing of anybody else."""

from __future__ import annotations

import time

import pytest

from features.intelligence import subjects_of, ties_of
from tests.features.intelligence.captures.archives import warc
from tests.features.intelligence.lists import page, read, stated, texts

URL = "https://kicks-one.example/"
TWO = "https://lamps-two.example/"


def of_page(body: str, prop: str, **more: str) -> set[str]:
    return texts(page(body, **more), prop)


@pytest.mark.parametrize(
    "body",
    [
        "<a href='mailto:sales@kicks.example'>x</a>", "<a href='mailto:sales@kicks.example?subject=hi'>x</a>",
        "<a href='MAILTO:sales%40kicks.example'>x</a>",
        "&#115;ales&#64;kicks.example", "sales&commat;kicks&period;example", "<b>sales</b>@<i>kicks.example</i>",
        "sales@<wbr>kicks.example",
        "<a data-cfemail='4231232e273102292b2129316c273a232f322e27'>[email protected]</a>",
        "sales@<span style='display:none'>not.</span>kicks.example",
        "<a href='/cdn-cgi/l/email-protection#4231232e273102292b2129316c273a232f322e27'>x</a>",
        "sales [at] kicks [dot] example", "ｓａｌｅｓ＠ｋｉｃｋｓ．ｅｘａｍｐｌｅ",
        "sales\u200b@kicks\u00ad.example", "<td>sales@kicks.example</td><td>x</td>",
        "<script type='application/ld+json'>{\"@type\": \"Store\", \"email\": \"mailto:sales@kicks.example\"}</script>",
    ],
)  # fmt: skip
def test_a_mailbox_that_a_reader_sees_is_read(body: str) -> None:
    assert of_page(body, "email") == {"sales@kicks.example"}


@pytest.mark.parametrize(
    "body",
    [
        "<img src='/logo@2x.png'>", "<script src='https://cdn.example/swiper@8.4.7/x.js'></script>",
        "<script>var a='dev@agency.example'</script>",
        "<style>a{background:url(x@3x.webp)}</style>", "<!-- dev@agency.example -->",
        "<input placeholder='you@mail.example'>", "<div data-a='a@b.example'></div>",
        "<noscript>a@b.example</noscript>", "<template>a@b.example</template>", "<svg><text>a@b.example</text></svg>",
        "<p>icon@2x.svg</p>", "<textarea>a@b.example</textarea>",
        "<a href='mailto:?subject=look&body=at this'>share</a>", "<p>@kicks on Instagram</p>",
        "<p>https://user:pass@kicks.example/</p>",
        "<script type='application/ld+json'>{\"review\": {\"author\": {\"email\": \"buyer@mail.example\"}}}</script>",
    ],
)  # fmt: skip
def test_what_no_reader_could_write_to_is_not_read(body: str) -> None:
    assert of_page(body, "email") == set()


@pytest.mark.parametrize(
    "link",
    [
        "https://wa.me/8613800138000", "https://wa.me/+8613800138000?text=hi",
        "https://api.whatsapp.com/send?phone=8613800138000", "whatsapp://send?phone=%2B8613800138000",
        "https://web.whatsapp.com/send?phone=8613800138000&text=x", "viber://chat?number=%2B8613800138000",
        "https://t.me/+8613800138000", "tg://resolve?phone=8613800138000",
        "https://signal.me/#p/+8613800138000", "tel:+8613800138000", "tel:+86-138-0013-8000", "tel:008613800138000",
        "sms:+8613800138000", "callto:+8613800138000",
        "//wa.me/8613800138000",
    ],
)  # fmt: skip
def test_the_number_of_a_link_to_call_or_chat_is_a_telephone(link: str) -> None:
    found = {"".join(filter(str.isdigit, text)) for text in of_page(f"<a href='{link}'>x</a>", "phone")}
    assert {number.removeprefix("00") for number in found} == {"8613800138000"}


@pytest.mark.parametrize(
    "link",
    [
        "https://wa.me/?text=look", "https://api.whatsapp.com/send?text=look", "whatsapp://send?text=look",
        "https://wa.me/message/ABCDEFGHIJKLM1", "tel:", "tel:#", "tel:123",
        "https://chat.whatsapp.com/AbCdEf", "https://t.me/share/url?url=x", "https://t.me/+AbCdEfGhIj",
        "https://wa.me/000000000000", "viber://forward?text=x", "tel:+0000000000",
    ],
)  # fmt: skip
def test_a_link_that_shares_or_invites_is_no_telephone(link: str) -> None:
    assert of_page(f"<a href='{link}'>x</a>", "phone") == set()


@pytest.mark.parametrize(
    ("body", "statement"),
    [
        ("<p>WeChat: kicks88</p>", ("account", "wechat kicks88")),
        ("<p>微信号：kicks88</p>", ("account", "wechat kicks88")), ("<p>VX:kicks88</p>", ("account", "wechat kicks88")),
        ("<a href='weixin://dl/chat?kicks88'>x</a>", ("account", "wechat kicks88")),
        ("<p>QQ: 123456789</p>", ("account", "qq 123456789")),
        ("<a href='skype:kicks.seller?chat'>x</a>", ("account", "skype kicks.seller")),
        ("<p>Telegram: @kicks88</p>", ("url", "https://t.me/kicks88")),
        ("<a href='tg://resolve?domain=kicks88'>x</a>", ("url", "https://t.me/kicks88")),
        ("<p>微信：13800138000</p>", ("phone", "+8613800138000")),
    ],
)  # fmt: skip
def test_a_name_in_a_messenger_is_read(body: str, statement: tuple[str, str]) -> None:
    assert statement in stated(page(body))["kicks-one.example"]


PROFILES = [
    "https://www.facebook.com/Kicks88", "https://m.facebook.com/Kicks88/", "https://www.instagram.com/kicks88/",
    "https://www.tiktok.com/@kicks88?lang=en",
    "https://www.ebay.com/usr/kicks88", "https://www.ebay.co.uk/str/kicks88", "https://www.etsy.com/shop/kicks88",
    "https://www.aliexpress.com/store/1101234567",
    "https://www.vinted.fr/member/1234-kicks88", "https://t.me/kicks88", "https://vk.com/kicks88",
    "https://www.youtube.com/@kicks88",
]  # fmt: skip


@pytest.mark.parametrize("link", PROFILES)
def test_a_link_to_a_profile_is_the_shops(link: str) -> None:
    assert of_page(f"<a href='{link}'>x</a>", "url") == {URL, link}
    in_data = f'<script type=\'application/ld+json\'>{{"@type": "Organization", "sameAs": ["{link}"]}}</script>'
    assert of_page(in_data, "url") == {URL, link}


@pytest.mark.parametrize(
    "link",
    [
        "https://www.facebook.com/sharer/sharer.php?u=x", "https://www.facebook.com/sharer.php?u=x",
        "https://twitter.com/intent/tweet?text=x", "https://twitter.com/share?url=x",
        "https://www.linkedin.com/shareArticle?url=x", "https://pinterest.com/pin/create/button/?url=x",
        "https://www.facebook.com/", "https://www.instagram.com/",
        "https://www.youtube.com/watch?v=abcdefg", "https://www.facebook.com/dialog/share?app_id=1",
        "https://kicks-one.example/contact", "/contact", "#top", "javascript:void(0)",
        "https://www.shopify.com/?utm=x", "https://other-shop.example/", "https://www.reddit.com/submit?url=x",
        "https://vk.com/share.php?url=x", "https://www.tumblr.com/widgets/share/tool?url=x",
        "https://t.me/share/url?url=x",
    ],
)  # fmt: skip
def test_a_link_that_shares_a_page_or_leads_elsewhere_is_nobodys_profile(link: str) -> None:
    assert of_page(f"<a href='{link}'>x</a>", "url") == {URL}


def test_a_link_to_the_genuine_brand_is_not_the_shops() -> None:
    body = '<script type=\'application/ld+json\'>{"@type": "Product", "brand": "Kestri"}</script><a href=\'https://instagram.com/kestri\'>x</a>'
    assert of_page(body, "url") == {URL}


@pytest.mark.parametrize("link", PROFILES)
def test_a_captured_profile_is_a_subject_of_its_own_and_never_its_platform(link: str) -> None:
    other = link.replace("icks88", "icks99").replace("1101234567", "1109999999")
    bodies = [
        (url, page(f"{name}@mail.example <footer>press@platform.example</footer>", url=url))
        for url, name in ((link, "a"), (other, "b"))
    ]
    of = stated(warc(*bodies))
    assert len(of) == 2
    assert {frozenset(text for prop, text in one if prop == "email") for one in of.values()} == {
        frozenset(["a@mail.example"]), frozenset(["b@mail.example"]),
    }  # fmt: skip
    subjects = subjects_of("captured", read(warc(*bodies)).statements)
    assert not ties_of(subjects)


@pytest.mark.parametrize(
    "link",
    [
        "https://www.facebook.com/",
        "https://www.ebay.com/sch/i.html?_nkw=x",
        "https://www.etsy.com/",
        "https://www.google.com/search?q=x",
        "https://js.stripe.com/v3/m-outer.html",
        "https://www.googletagmanager.com/ns.html?id=GTM-ABCDE",
        "https://widget.trustpilot.com/x",
    ],
)
def test_a_page_of_a_platform_or_service_itself_is_nobodys(link: str) -> None:
    listed = read(warc((link, page("a@mail.example", url=link)), (URL, page("b@mail.example"))))
    assert set(listed.statements["subject_id"]) == {"kicks-one.example"}
    assert [kind for kind, _ in listed.left_out] == ["page"]


def test_what_a_platform_states_of_itself_ties_no_two_profiles() -> None:
    own = "<script>gtag('G-ABCDEF1234')</script>support@facebook.com <footer>+1 212 555 2368</footer><a href='https://www.facebook.com/help77'>x</a>"
    pages = [
        (
            f"https://www.facebook.com/kicks{n}",
            page(own, head="<meta name='google-site-verification' content='x'>", url=""),
        )
        for n in (1, 2)
    ]
    assert not ties_of(subjects_of("captured", read(warc(*pages)).statements))


NO_TIE = {
    "image": "<img src='/img/logo@2x.png'>",
    "package": "<script src='https://cdn.jsdelivr.net/npm/swiper@8.4.7/s.js'></script>",
    "article": "EAN: 4006381333931",
    "article code spaced": "EAN 4 006381 333931", "account": "DE89 3704 0044 0532 0130 00",
    "hash": "0x0033612345678E0F7030069857D2E4169EE70009850033612345678E0F703006985",
    "model": "Model AW-12345678 and G-SHOCK2100",
    "order": "Order 0033612345678", "style": "<style>@media print{}</style>",
    "share": "<a href='https://www.facebook.com/sharer.php?u=x'>x</a>", "price": "Price: 0033612345678 €",
    "widget": "<iframe src='https://www.youtube.com/embed/abc'></iframe>",
    "theme": "<p>Powered by <a href='https://www.shopify.com'>Shopify</a></p>",
}  # fmt: skip


@pytest.mark.parametrize("body", NO_TIE.values(), ids=NO_TIE)
def test_two_honest_shops_are_not_tied_by_what_many_pages_show(body: str) -> None:
    content = warc((URL, page(body, url=URL)), (TWO, page(body, url=TWO)))
    assert not [tie for tie in ties_of(subjects_of("captured", read(content).statements)) if tie.conclusive]


TIES = {
    "mailbox": "boss@mail.example", "telephone": "+86 138 0013 8000",
    "messenger": "<a href='https://wa.me/8613800138000'>x</a>",
    "analytics": "<script>gtag('config','G-ABCDEF1234')</script>",
    "wallet": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "ether": "0x52908400098527886E0F7030069857D2E4169EE7",
    "profile": "<a href='https://www.instagram.com/kicks88'>x</a>", "wechat": "WeChat: kicks88",
}  # fmt: skip


@pytest.mark.parametrize("body", TIES.values(), ids=TIES)
def test_two_shops_of_one_owner_are_tied(body: str) -> None:
    content = warc(
        (URL, page(body, url=URL)),
        (TWO, page(body.replace("0x52908400098527886E0F", "0x52908400098527886e0f"), url=TWO)),
    )
    assert [tie.conclusive for tie in ties_of(subjects_of("captured", read(content).statements))] == [True]


@pytest.mark.parametrize(
    ("url", "lang"), [("https://kicks.fr/", "en"), (URL, "fr-FR"), ("https://kicks.shop/", "fr_FR")]
)
def test_a_number_as_a_country_writes_it_is_read_with_the_countrys_code(url: str, lang: str) -> None:
    assert of_page("Tél : 06 12 34 56 78, réf. 06 12 34 56 79", "phone", url=url, lang=lang) == {"+33612345678"}
    assert of_page("<a href='tel:0612345678'>x</a>", "phone", url=url, lang=lang) == {"+33612345678"}


def test_one_telephone_in_two_spellings_is_one() -> None:
    assert of_page(
        "+86 138 0013 8000 <a href='tel:+8613800138000'>x</a> <a href='https://wa.me/8613800138000'>y</a>", "phone"
    ) == {"+86 138 0013 8000"}


def test_more_of_a_kind_than_a_shop_has_are_left_out_and_told() -> None:
    body = " ".join(f"<p>seller{n}@mail.example</p>" for n in range(100))
    assert len(of_page(body, "email")) == 40
    assert read(page(body)).left_out == {("email", "a page states more than 40"): 60}


HOSTILE = [
    "@",
    "a@",
    "1",
    "+1 ",
    "<div>",
    "<span hidden>",
    "<a href='https://wa.me/1'>",
    "<a href='tel:+1&&&&'>",
    "wechat:",
    "{",
    "<a href='?&&&&&&'>",
    "&#64;",
    "\u200b",
    "<!--",
    "<script>",
    "UA-1",
]


@pytest.mark.slow
@pytest.mark.parametrize("part", HOSTILE)
def test_a_page_of_five_megabytes_of_anything_costs_a_few_seconds(part: str) -> None:
    body = part * (5_000_000 // len(part.encode()))
    began = time.process_time()
    listed = read(warc((TWO, page(body, url=TWO)), (URL, page("a@x.example"))))
    assert time.process_time() - began < 15
    assert "kicks-one.example" in set(listed.statements["subject_id"])
