"""Drawing a graph: nothing lies over anything, arrows lead to the right, any text is harmless."""

import itertools
import re
from xml.etree import ElementTree

import hypothesis.strategies as st
from hypothesis import given, settings

from provenance.exports import _layers, graph_mermaid, graph_svg
from provenance.exports._graph import FILE, MANY, RUN, SURE, Arrow, Box, Drawing


@st.composite
def drawings(draw):
    count = draw(st.integers(1, 12))
    text = st.text(max_size=50)
    boxes = tuple(
        Box(
            str(n),
            draw(st.sampled_from([RUN, FILE, MANY])),
            tuple(draw(st.lists(text, min_size=1, max_size=3))),
            draw(text),
            draw(st.booleans()),
        )
        for n in range(count)
    )
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    ends = {tuple(sorted(one)) for one in draw(st.lists(pairs, max_size=20)) if one[0] != one[1]}
    arrows = tuple(Arrow(str(a), str(b), SURE, draw(text)) for a, b in sorted(ends))
    return Drawing(draw(text), boxes, arrows, draw(text))


@settings(max_examples=80, deadline=None)
@given(drawings())
def test_arrows_lead_to_the_right_and_boxes_do_not_overlap(drawing):
    heights = {one.id: 20.0 + 17 * len(one.lines) for one in drawing.boxes}
    found = _layers.layout(heights, [(one.begin, one.end) for one in drawing.arrows])
    for arrow in drawing.arrows:
        assert found.spots[arrow.begin].column < found.spots[arrow.end].column
    assert min(one.column for one in found.spots.values()) >= 0
    columns = {}
    for name, spot in found.spots.items():
        half = heights[name] / 2
        columns.setdefault(spot.column, []).append((spot.y - half, spot.y + half))
        assert spot.y - half >= -0.01
        assert spot.y + half <= found.height + 0.01
    for boxes in columns.values():
        boxes.sort()
        assert all(a[1] <= b[0] + 0.01 for a, b in itertools.pairwise(boxes))


@settings(max_examples=80, deadline=None)
@given(drawings())
def test_any_text_gives_xml_with_all_boxes_and_arrows(drawing):
    root = ElementTree.fromstring(graph_svg.document(drawing))
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(space + "g")) == len(drawing.boxes)
    assert len(root.findall(space + "path")) == len(drawing.arrows)


@settings(max_examples=80, deadline=None)
@given(drawings())
def test_any_text_gives_one_line_of_mermaid_for_each_box_and_arrow(drawing):
    lines = graph_mermaid.document(drawing).splitlines()
    assert len([one for one in lines if re.match(r"  n\d+[\[(]", one)]) == len(drawing.boxes)
    arrows = [one for one in lines if re.match(r"  n\d+ -->(\|\"[^\"|]*\"\|)? n\d+$", one)]
    assert len(arrows) == len(drawing.arrows)
