"""The layout that everything else stands on (Go's text/tabwriter)."""

from __future__ import annotations

from selfheal.printers import tabs


def test_a_column_is_as_wide_as_its_widest_cell_and_the_padding() -> None:
    assert tabs.align("a\tb\nccc\td\n") == "a    b\nccc  d\n"


def test_a_line_without_the_cell_ends_the_column() -> None:
    assert tabs.align("a\tb\nplain\nccc\td\n") == "a  b\nplain\nccc  d\n"


def test_the_text_after_the_last_tab_is_not_padded_but_an_empty_cell_before_it_is() -> None:
    assert tabs.align("name:\t\nlonger:\tx\n") == "name:    \nlonger:  x\n"


def test_columns_further_right_are_measured_within_the_lines_that_have_them() -> None:
    assert tabs.align("a\tb\tc\nd\te\nf\tlong\tg\n") == "a  b  c\nd  e\nf  long  g\n"


def test_columns_have_a_least_width() -> None:
    assert tabs.align("a\tb\n", padding=3, least=6) == "a     b\n"


def test_what_would_steer_a_terminal_is_made_visible() -> None:
    assert tabs.escape("\x1b[31mred\r") == "^[[31mred\\r"
