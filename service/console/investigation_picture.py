"""An investigation as a picture: lists, senders, parcels, addressees and what they share, each a column, with lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from service.officers.investigation_view import Gathered, Shared
from service.officers.search_details import Details

COLUMNS = ("list", "sender", "consignment", "addressee", "shared")
WIDTH, COLUMN, NODE, ROW, TOP = 1000, 200, 176, 30, 34
MOST = 20  # of a column
LONGEST = 24  # characters of a label
DRAWN = ("telephone", "mailbox", "number", "account", "shop", "address")
Place = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Node:
    """A thing of the picture: kind (of search), what it is called, where it leads, and the top left of its box."""

    kind: str
    label: str
    whole: str
    place: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes and the lines between them, as (x1, y1, x2, y2). more: things that did not find room."""

    nodes: tuple[Node, ...]
    lines: tuple[tuple[int, int, int, int], ...]
    headings: tuple[tuple[str, int], ...]
    height: int
    more: int
    width: int = WIDTH
    node: int = NODE


@dataclass(slots=True)
class Board:
    """What stands in which column, in the order in which it came, and what is tied to what."""

    columns: dict[str, dict[str, tuple[str, str, str]]] = field(default_factory=lambda: {name: {} for name in COLUMNS})
    ties: dict[tuple[str, str], None] = field(default_factory=dict)

    def put(self, column: str, key: str, kind: str, label: str, place: str) -> str:
        """Put a thing into a column, once; returns how ties name it."""
        self.columns[column].setdefault(key, (kind, label, place))
        return f"{column} {key}"

    def tie(self, one: str, other: str) -> None:
        """Draw a line between two things."""
        self.ties[(one, other)] = None

    def drawn(self) -> Picture:
        """Give every thing its place, as many of a column as have room."""
        nodes, places = [], {}
        for number, name in enumerate(COLUMNS):
            for row, (key, (kind, label, place)) in enumerate([*self.columns[name].items()][:MOST]):
                node = Node(kind, _short(label), label, place, number * COLUMN + 4, TOP + row * ROW)
                nodes.append(node)
                places[f"{name} {key}"] = node
        lines = [_line(places[one], places[other]) for one, other in self.ties if one in places and other in places]
        more = sum(max(0, len(of) - MOST) for of in self.columns.values())
        rows = max((min(MOST, len(of)) for of in self.columns.values()), default=0)
        headings = tuple((name, number * COLUMN + 4) for number, name in enumerate(COLUMNS))
        return Picture(tuple(nodes), tuple(lines), headings, TOP + max(1, rows) * ROW, more)


def picture_of(
    found: Gathered, lists_of: Mapping[str, Iterable[str]], place: Place, address: Callable[[str], str]
) -> Picture:
    """Draw an investigation.

    lists_of: of each parcel, the lists that its decision names. place: where is shown what a key of a kind finds.
    address: where the page of a consignment is.
    """
    board = Board()
    for one in found.parcels:
        _put_parcel(board, one, lists_of.get(one.consignment_id, ()), place, address)
    for shared in found.shared:
        if shared.kind in DRAWN:
            _put_shared(board, shared, place)
    return board.drawn()


def _put_parcel(board: Board, one: Details, lists: Iterable[str], place: Place, address: Callable[[str], str]) -> None:
    number = one.consignment_id
    parcel = board.put("consignment", number, "consignment", number, address(number))
    if one.sender:
        leads = f"/console/networks/{one.party_id}" if one.party_id else place(one.sender, "name")
        board.tie(board.put("sender", one.party_id or one.sender, "sender", one.sender, leads), parcel)
    if one.addressee:
        board.tie(
            parcel, board.put("addressee", one.addressee, "addressee", one.addressee, place(one.addressee, "name"))
        )
    for list_id in lists:
        board.tie(board.put("list", list_id, "list", list_id, f"/console/lists/{list_id}"), parcel)


def _put_shared(board: Board, shared: Shared, place: Place) -> None:
    node = board.put(
        "shared", f"{shared.kind} {shared.text}", shared.kind, shared.text, place(shared.text, shared.kind)
    )
    for number in shared.numbers:
        board.tie(f"consignment {number}", node)


def _line(one: Node, other: Node) -> tuple[int, int, int, int]:
    middle = ROW // 2 - 3
    left, right = sorted((one, other), key=lambda node: node.x)
    return left.x + NODE, left.y + middle, right.x, right.y + middle


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
