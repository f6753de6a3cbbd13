"""Web shops: the registered name below any country's ending, the seller's page on hosts of many shops."""

from __future__ import annotations

import pytest

from features.identifiers.shops import shop, shops_near


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://www.amazon.de/sp?seller=A1XYZ", "amazon/a1xyz"),
        ("https://amazon.co.uk/sp?_encoding=UTF8&marketplaceID=X&seller=A1XYZ", "amazon/a1xyz"),
        ("https://www.amazon.com/s?me=A1XYZ&ref=x", "amazon/a1xyz"),
        ("https://www.aliexpress.com/store/1101", "aliexpress/1101"),
        ("https://fr.aliexpress.com/store/1101/pages/all.html?spm=x", "aliexpress/1101"),
        ("https://www.ebay.fr/usr/timbres_75", "ebay/timbres_75"),
        ("https://www.etsy.com/fr/shop/BestKicks", "etsy/bestkicks"),
        ("https://bestkicks.etsy.com", "etsy/bestkicks"),
        ("https://shop1234567.taobao.com/", "taobao.com/shop1234567"),
        ("https://bestkicks.en.alibaba.com/company_profile.html", "alibaba.com/bestkicks"),
        ("https://www.temu.com/mall.html?mall_id=634418", "temu.com/634418"),
        ("https://shopee.sg/bestkicks.official", "shopee/bestkicks.official"),
        ("https://www.wish.com/merchant/5f3a", "wish.com/5f3a"),
        ("https://www.walmart.com/seller/10177", "walmart.com/10177"),
        ("https://www.vinted.fr/member/5512-bestkicks", "vinted/5512-bestkicks"),
        ("https://www.facebook.com/SneakerzFactory/posts/1", "facebook.com/sneakerzfactory"),
        ("https://m.facebook.com/profile.php?id=100044", "facebook.com/100044"),
        ("https://fb.com/SneakerzFactory", "facebook.com/sneakerzfactory"),
        ("https://www.instagram.com/best.kicks/?hl=fr", "instagram.com/best.kicks"),
        ("https://www.tiktok.com/@bestkicks/video/72", "tiktok.com/bestkicks"),
        ("https://x.com/bestkicks", "twitter.com/bestkicks"),
        ("https://wa.me/8613805712846", "wa.me/8613805712846"),
        ("https://api.whatsapp.com/send?phone=%2B8613805712846", "wa.me/8613805712846"),
        ("https://t.me/bestkicks", "t.me/bestkicks"),
        ("https://t.me/s/BestKicks", "t.me/bestkicks"),
        ("https://bit.ly/3AbCd9", "bit.ly/3AbCd9"),
        ("https://linktr.ee/bestkicks", "linktr.ee/bestkicks"),
        ("https://bestkicks.myshopify.com/products/x", "myshopify.com/bestkicks"),
        ("https://bestkicks.wixsite.com/store", "wixsite.com/bestkicks"),
        ("https://sites.google.com/view/bestkicks/home", "sites.google.com/bestkicks"),
    ],
)
def test_the_shop_on_a_host_of_many_is_the_sellers_page(address: str, key: str) -> None:
    assert shop(address) == key
    assert shops_near(address) == ()


@pytest.mark.parametrize(
    "address",
    ["https://www.amazon.de", "https://www.amazon.de/dp/B000123456", "https://www.aliexpress.com/item/1005.html",
     "https://www.ebay.com/itm/1234567", "https://item.taobao.com/item.htm?id=52", "https://www.facebook.com/groups/77",
     "https://www.facebook.com/", "https://instagram.com/p/Cxyz12", "https://t.me", "https://www.myshopify.com",
     "https://www.google.com/search?q=kicks", "https://www.dhl.com/track", "https://wa.me/",
     "https://www.amazon.de/sp?seller=", "https://www.facebook.com/sharer.php?u=x"],
)  # fmt: skip
def test_an_address_on_a_host_of_many_that_names_no_seller_is_none(address: str) -> None:
    assert shop(address) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://bestkicksoutlet.co.uk", "https://bestkicksoutlet.com"),
        ("https://solekicks.com.au/x?y=1", "http://www.solekicks.fr:8080/#z"),
        ("solekicks.co.jp", "solekicks.jp"),
        ("https://shop.solekicks.com.br", "solekicks.com"),
        ("https://bücherkicks.de", "https://xn--bcherkicks-9db.de"),
        ("BÜCHERKICKS.DE", "bücherkicks.at"),
        ("https://SoleKicks.example/", "solekicks.example"),
        ("shop: https://solekicks.com (main)", "https://user:pw@solekicks.com/x"),
        ("hxxps://solekicks[.]com", "solekicks.com."),
        ("sole\u200bkicks.com", "solekicks.com"),
        ("solekicks.uk.com", "solekicks.com"),
        ("https://solekicks.shop", "https://solekicks.top"),
    ],
)
def test_a_shop_below_two_endings_is_one(one: str, other: str) -> None:
    assert shop(one) == shop(other) is not None


@pytest.mark.parametrize(
    "imitation",
    ["solebrand-outlet.shop", "solebrand.shop", "solebrand-official.store", "official-solebrand.com",
     "shopsolebrand.com",
     "solebrand-fr.com", "solebrand.store", "solebrands.com", "sоlebrand.com",
     "solebrand.myshopify.com"],
)  # fmt: skip
def test_an_imitation_named_after_a_brand_is_another_shop(imitation: str) -> None:
    assert shop(imitation) != shop("https://www.solebrand.com")
    assert shop(imitation) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [("alpha98.example", "alpha98-shop.example"), ("alpha98.example", "alpha91.example"),
     ("solebrand.com", "solebrand-outlet.shop"), ("kicksdepot.com", "the-kicksdepot-store.top"),
     ("kicksdepot.fr", "kicksdepot.xyz"), ("kicks-depot.com", "kicksdepot-sale.com")],
)  # fmt: skip
def test_mirrors_are_near(one: str, other: str) -> None:
    assert set(shops_near(one)) & set(shops_near(other))


@pytest.mark.parametrize(
    "text",
    ["", "n/a", "none", "http://", "https://", "www", "localhost", "127.0.0.1", "192.168.1.1", "example.com",
     "none.com",
     "test.com", "bestkicks", "see invoice", "user@gmail.com", "1234567890", "co.uk",
     "..", "http://.", "无"],
)  # fmt: skip
def test_what_names_no_shop_is_none(text: str) -> None:
    assert shop(text) is None
    assert shops_near(text) == ()


@pytest.mark.parametrize(("one", "other"), [("alpha98.example", "alpha97.example"), ("bit.ly/3AbC9", "bit.ly/3abc9"),
                                            ("8.8.8.8/x", "9.9.9.9/x"), ("a1kicks.com", "a2kicks.com")])  # fmt: skip
def test_two_shops_are_two(one: str, other: str) -> None:
    assert None is not shop(one) != shop(other) is not None
