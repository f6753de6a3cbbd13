"""A person without a mouse, whose keys are counted, and the list that he works on."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import WAITING, Console


class Keyboard:
    """Presses keys and counts them; what is typed into a field is not counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.pressed = page, 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.pressed += 1
            self.page.keyboard.press(key)

    def lead(self, key: str) -> None:
        """Press a key that leads to a page."""
        with self.page.expect_navigation():
            self.press(key)


def work_list(console: Console, page: Page, office: str) -> list[str]:
    """Open the list of an office; its numbers in order."""
    page.goto(f"{console.address}/console/queue?office={office}")
    numbers: list[str] = page.locator("#rows tr[data-number]").evaluate_all("rows => rows.map(r => r.dataset.number)")
    assert len(numbers) >= WAITING
    return numbers
