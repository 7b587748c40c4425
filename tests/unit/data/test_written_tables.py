"""Tables that people write: what is read as what, and that no mutation of a table ends in anything but a sentence."""

import os
import random
from pathlib import Path

import numpy as np
import pytest

from scegg_core.data.attribute_names import read_names, read_parts
from scegg_core.data.boxes import read_boxes
from scegg_core.data.class_table import ClassAttributes, read_class_attributes
from scegg_core.data.folder_splits import read_splits
from scegg_core.data.parts import read_part_locations
from scegg_core.data.text_files import read_count, read_number
from scegg_core.data.written_tables import read_written
from scegg_core.errors import InputError

CASES = int(os.environ.get("SCEGG_CASES", "150"))


def read(tmp_path: Path, text: str | bytes):
    file = tmp_path / "t.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_written(file, "a header", lambda header, rows: True)


PLAIN = "class,four legs,big\nhorse,1,0.5\nzebra,0,1\n"
SAME = [
    PLAIN,
    PLAIN.replace("\n", "\r\n"),
    PLAIN.replace("\n", "\r"),
    "\n\n" + PLAIN.replace("\n", "\n,,\n\n"),
    PLAIN.replace("\n", ",,\n"),
    PLAIN.replace("\nh", "\n \t, ,\nh"),
    PLAIN.replace(",", " , "),
    PLAIN.replace("horse", '"horse"').replace("four legs", '"four legs"'),
    PLAIN.replace("four legs", '"four\nlegs"'),
    PLAIN.replace("four legs", '"four\r\n legs"'),
    PLAIN.replace(",", ";"),
    PLAIN.replace(",", "\t"),
    "sep=;\n" + PLAIN.replace(",", ";"),
    "class,four legs,,big\nhorse,1,,0.5\nzebra,0,,1\n",
    *(PLAIN.encode(code) for code in ("utf-8-sig", "utf-16", "utf-32")),
    b"\xfe\xff" + PLAIN.encode("utf-16-be"),
]


@pytest.mark.parametrize("text", SAME, ids=map(repr, SAME))
def test_the_same_table_in_other_spellings(tmp_path, text):
    table = read(tmp_path, text)
    assert table.header == ("class", "four legs", "big")
    assert table.rows == (("horse", "1", "0.5"), ("zebra", "0", "1"))


def test_commas_in_names_of_a_table_with_tabs_or_semicolons(tmp_path):
    for delimiter in "\t;":
        text = "class\tbig, heavy\tred, blue, black\nhorse, brown\t1\t0,5\nzebra\t0\t1\n".replace("\t", delimiter)
        table = read(tmp_path, text)
        assert table.header == ("class", "big, heavy", "red, blue, black")
        assert table.rows[0] == ("horse, brown", "1", "0,5")
    quoted = read(tmp_path, 'class,"a; b",c\n"x, y",1,"0,5"\n')
    assert quoted.header == ("class", "a; b", "c") and quoted.rows == (("x, y", "1", "0,5"),)


def test_where_several_signs_part_a_table_evenly_its_cells_decide(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("class,big; heavy\nx; y,0.5\nz; y,1\n")
    read = read_class_attributes(file)
    assert read.classes == ("x; y", "z; y") and read.attributes == ("big; heavy",)
    file.write_text("class;big, heavy\nx;0,5\ny;1,25\n")
    assert read_class_attributes(file).percent.tolist() == [[0.5], [1.25]]
    file.write_text("path,split,a;b\na;b.png,trainval,1\n")
    assert read_splits(file, ("images/a;b.png",)) == ("trainval",)


def test_a_column_is_found_whatever_its_case(tmp_path):
    table = read(tmp_path, ",Path,SPLIT\n0,a,b\n1,c,d\n")
    assert table.column("path") == ("a", "c") and table.column("split") == ("b", "d") and table.column("x") is None
    assert table.lines == (2, 3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty; it needs a header."),
        ("\n \n\t\n", "is empty; it needs a header."),
        (",,,\n,,\n", "is empty; it needs a header."),
        (";;\n;\n", "is empty; it needs a header."),
        ("\ufeff", "is empty; it needs a header."),
        ("class,a,A\nx,1,2\n", "has the columns 'a' and 'A', which differ in case, blanks or Unicode form alone; "
         "keep one, or rename it."),
        ("class,a,b,a\nx,1,2,3\n", "has the column 'a' twice; keep one, or rename it."),
        ("class,a,a\u200b\nx,1,2\n", "has the columns 'a' and 'a\\\\u200b', which differ in case, blanks or Unicode form "
         "alone; keep one, or rename it."),
        ("class,a,,b\nx,1,2,3\n", "has no name above column 3, which has values; name it."),
        ("class,a,b\nx,1\n", "line 2 (x) has 2 cells, the header names 3; give every row one for each column, "
         "and every column a name."),
        ("class,a\n\nx,1,2\n", "line 3 (x) has 3 cells, the header names 2; give every row one for each column, "
         "and every column a name."),
        ('class,a\nx,1\n"y,2\nz,3\n', 'has a quote (") in line 3 that does not end with its cell; close it, and double '
         "the quotes inside a cell."),
        ('class,a\n"x"y,1\n', 'has a quote (") in line 2 that does not end with its cell; close it, and double the '
         "quotes inside a cell."),
        ("class,a\nx\x07,1\n", "line 2 holds the sign U+0007; remove it."),
        ("class,a\nx\0,1\n", "holds zero bytes, so it is no UTF-8 text; save it as UTF-8."),
        ("class,a\nZürich,1\n".encode("cp1252"), 'is not UTF-8 text (byte 9); save it as UTF-8 (in Excel: "CSV UTF-8").'),
        ("class,a\nx,1\n".encode("utf-16")[:-1], "is not whole UTF-16 text (byte 24); save it as UTF-8 (in Excel: "
         '"CSV UTF-8").'),
    ],
)  # fmt: skip
def test_what_is_no_table_is_one_sentence(tmp_path, text, sentence):
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert str(error.value) == f"{tmp_path / 't.csv'} {sentence}"


RIGHT = {"1": 1, "-1": -1, "+.5": 0.5, "5.": 5, "1e-3": 1e-3, "1E3": 1000, "0,5": 0.5, ",5": 0.5, "-0": 0, "007": 7}
RIGHT |= {"0,500": 0.5, "1234,567": 1234.567, "1,2345": 1.2345, "1.234": 1.234, "12,5e-1": 1.25, "1e-400": 0}
WRONG = (
    "nan",
    "inf",
    "-Infinity",
    "1_0",
    "٣",
    "１",
    "0x10",
    "1e",
    "e5",
    ".",
    ",",
    "+",
    "1 000",
    "1'000",
    "1.234,5",
    "50%",
    "−1",
    "1e999",
    "½",
)
AMBIGUOUS = ("1,234", "12,345", "-999,000")


def test_numbers_in_all_spellings():
    assert {text: read_number(text) for text in RIGHT} == RIGHT
    assert np.copysign(1, read_number("-0")) == 1
    for text in WRONG:
        with pytest.raises(ValueError, match="which is"):
            read_number(text)
    for text in AMBIGUOUS:
        with pytest.raises(ValueError, match="which may be"):
            read_number(text)
    with pytest.raises(ValueError, match="which is no number"):
        read_number("1" * 100_000 + "x")  # in linear time
    assert [read_count(text) for text in ("0", "012")] == [0, 12]
    for text in ("-1", "1.0", "٣", "1_0", "", "9" * 19):
        with pytest.raises(ValueError, match="no whole number"):
            read_count(text)


def test_decimal_commas_are_read_where_cells_are_parted_otherwise(tmp_path):
    file = tmp_path / "t.csv"
    for text in ("class;a;b\nx;0,5;1\ny;;0,25\n", 'class,a,b\nx,"0,5",1\ny,,"0,25"\n'):
        file.write_text(text)
        assert read_class_attributes(file).percent.tolist() == [[0.5, 1], [-1, 0.25]]


def test_boxes_and_parts_are_one_sentence_where_they_are_wrong(tmp_path):
    root = tmp_path / "CUB_200_2011"
    (root / "parts").mkdir(parents=True)
    (root / "images.txt").write_text("1 a/x y.jpg\n2 b.jpg\n")
    (root / "parts/parts.txt").write_text("1 beak\n2 left wing\n")
    box = "has to be: image x y width height, the last two above 0."
    for text, sentence in {
        "1 0 0 5 5\n2 1 1 0 9\n": f"bounding_boxes.txt line 2 is '2 1 1 0 9', but it {box}",
        "1 0 0 5 nan\n": f"bounding_boxes.txt line 1 is '1 0 0 5 nan', but it {box}",
        "1 0 0 5\n": f"bounding_boxes.txt line 1 is '1 0 0 5', but it {box}",
        "1 0 0 5 5\n1 0 0 5 5\n": "bounding_boxes.txt line 2 gives image 1 a second box; keep one.",
        "1 0 0 5 5\n": "images.txt and bounding_boxes.txt differ: image 2 is in one of them alone.",
    }.items():
        (root / "bounding_boxes.txt").write_text(text)
        with pytest.raises(InputError) as error:
            read_boxes(tmp_path)
        assert str(error.value) == f"{root}/{sentence}"
    (root / "bounding_boxes.txt").write_text("1 0 0 5 5\n2 1 1 2 2\n")
    assert read_boxes(tmp_path)["CUB_200_2011/images/a/x y.jpg"] == (0, 0, 5, 5)
    for text in ("1 1 1_0 2 1\n", "1 1 inf 2 1\n", "1 3 1 1 1\n", "1 1 1 1\n"):
        (root / "parts/part_locs.txt").write_text(text)
        with pytest.raises(InputError, match=r"part_locs.txt line 1 is .* has to be: image part x y visible\.$"):
            read_part_locations(tmp_path, ["CUB_200_2011/images/b.jpg"])


# Mutations: of a table of each kind, by a seed.

NAMES = ("horse", "zebra", "grüner Specht", "o'hara", "斑马", "red, blue", "x;y", "NA", "007", '"q"')
SPLIT_PATHS = tuple(f"images/{name}/{n}.png" for name in ("horse", "zebra") for n in range(2))
BYTES = (
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b'"',
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b" ",
    b"\xe9",
    b"\xc2\xa0",
    b"\xe2\x80\xa8",
)
SPELLINGS = (
    "",
    "1",
    "0,5",
    "0.5",
    ".5",
    "1e-3",
    "-1",
    "-0.3",
    "nan",
    "inf",
    "1_0",
    "٣",
    "1,234",
    "1e99",
    "x",
    "1 0",
    "—",
)


def quoted(cell: str, delimiter: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & {delimiter, '"', "\n"} else cell


def spell(rows: list[list[str]], draw: random.Random) -> bytes:
    """A table as some program would write it, then, in some cases, mutated in its bytes."""
    delimiter = draw.choice(",,;\t")
    lines = [delimiter.join(quoted(cell, delimiter) for cell in row) for row in rows]
    data = draw.choice(("\n", "\r\n", "\r")).join([*lines, ""]).encode(draw.choice(("utf-8", "utf-8-sig", "utf-16")))
    for _ in range(draw.choice((0, 0, 1, 1, 2, 5))):
        place = draw.randrange(len(data) + 1)
        length = draw.choice((0, 1, 1, 7))
        data = (
            data[:place] + draw.choice((*BYTES, b"", data[:9], bytes([draw.randrange(256)]))) + data[place + length :]
        )
    return data


def shuffled(rows: list[list[str]], draw: random.Random) -> list[list[str]]:
    """Rows or columns doubled, dropped or cut, blank ones put in."""
    rows = [list(row) for row in rows]
    for _ in range(draw.choice((0, 0, 1, 2))):
        row, place = draw.choice(rows), draw.randrange(len(rows) + 1)
        change = draw.randrange(6)
        if change == 0:
            rows.insert(place, list(row))
        elif change == 1 and len(rows) > 1:
            rows.remove(row)
        elif change == 2:
            rows.insert(place, [""] * draw.randrange(5))
        elif change == 3:
            row.append(draw.choice(("", "1")))
        elif change == 4 and row:
            row.pop()
        elif row:
            row[draw.randrange(len(row))] = draw.choice((*NAMES, *SPELLINGS, " a ", "a\nb"))
    return rows


def check_classes(file: Path) -> None:
    read: ClassAttributes = read_class_attributes(file)
    assert read.percent.shape == (len(read.classes), len(read.attributes)) and read.percent.size
    assert np.isfinite(read.percent).all() and np.abs(read.percent).max() <= 1e9
    names = (*read.classes, *read.attributes)
    assert all(name and name == name.strip() and "\n" not in name for name in names)
    assert len(set(read.classes)) == len(read.classes) and len(set(read.attributes)) == len(read.attributes)


def check_splits(file: Path) -> None:
    assert set(read_splits(file, SPLIT_PATHS)) <= {"trainval", "test_seen", "test_unseen"}


def check_parts(file: Path) -> None:
    assert len(read_parts(file, ("a", "b", "c"))) == 3


def check_names(file: Path) -> None:
    assert all(read_names(file))


def class_rows(draw: random.Random) -> list[list[str]]:
    attributes = draw.sample(NAMES, draw.randrange(1, 5))
    numbers = ("0.5", "1", "0", "") if draw.random() < 0.5 else ("0,5", "1", "0", "", "0,25")
    rows = [[name, *(draw.choice(numbers) for _ in attributes)] for name in draw.sample(NAMES, draw.randrange(1, 5))]
    return [["class", *attributes], *rows]


KINDS = {
    "classes": (class_rows, check_classes),
    "splits": (lambda draw: [["path", "split"], *([path, draw.choice(("trainval", "test_seen"))] for path in SPLIT_PATHS)], check_splits),
    "parts": (lambda draw: [["attribute", "part"], *([str(n), draw.choice(NAMES)] for n in (1, 2, 3))], check_parts),
    "names": (lambda draw: [[name] for name in draw.sample(NAMES, 4)], check_names),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_any_mutation_is_read_right_or_refused_in_one_sentence(tmp_path, kind):
    make, check = KINDS[kind]
    file, read_well = tmp_path / "table.csv", 0
    for case in range(CASES):
        draw = random.Random(f"{kind} {case}")
        data = spell(shuffled(make(draw), draw), draw)
        file.write_bytes(data)
        try:
            check(file)
            read_well += 1
        except InputError as error:
            text = str(error)
            assert str(file) in text and text.endswith(".") and text.isprintable(), (case, data, text)
        except Exception as error:
            raise AssertionError(f"case {case}: {data!r}") from error
    assert CASES // 20 < read_well < CASES


def test_tables_that_are_whole_are_read_as_they_were_written(tmp_path):
    file = tmp_path / "table.csv"
    for case in range(CASES):
        draw = random.Random(case)
        header, *rows = class_rows(draw)
        delimiter = draw.choice(",;\t")
        encoding, end = draw.choice(("utf-8", "utf-8-sig", "utf-16")), draw.choice(("\n", "\r\n"))
        lines = [delimiter.join(quoted(cell, delimiter) for cell in row) + end for row in (header, *rows)]
        file.write_bytes("".join(lines).encode(encoding))
        read = read_class_attributes(file)
        assert read.classes == tuple(row[0] for row in rows) and read.attributes == tuple(header[1:]), (case, lines)
        wanted = [[float(cell.replace(",", ".")) if cell else -1 for cell in row[1:]] for row in rows]
        assert read.percent.tolist() == wanted, (case, lines)
