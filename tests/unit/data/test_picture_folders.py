"""What may lie in a folder of pictures: one sentence for each thing that is no picture, or that is there twice."""

import os
import socket
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from test_folder import make_folder

from scegg_core.data.index import index_dataset, load_index
from scegg_core.errors import InputError

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "étourneau") for form in ("NFC", "NFD"))
SPLITS = "path,split\n" + "".join(f"horse/{n}.png,{('trainval', 'test_seen')[n % 2]}\n" for n in range(3))
SPLITS += "".join(f"zebra/{n}.png,test_unseen\n" for n in range(3))


def make_socket(path: Path) -> None:
    """Bind a socket; its name may be longer than a socket's address may be, so from within its folder."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


@dataclass(frozen=True)
class Case:
    """What is done to a whole folder of horses and zebras, and the sentence for it ({root}, {images} filled in)."""

    name: str
    spoil: Callable[[Path], object]
    sentence: str


CASES = [
    Case("pipe among pictures", lambda root: os.mkfifo(root / "images/horse/a.png"), "{images}/horse/a.png is a pipe, not a picture; remove it."),
    Case("socket among pictures", lambda root: make_socket(root / "images/horse/a"), "{images}/horse/a is a socket, not a picture; remove it."),
    Case("device among pictures", lambda root: (root / "images/horse/a.png").symlink_to("/dev/zero"), "{images}/horse/a.png is a device, not a picture; remove it."),
    Case("pipe among classes", lambda root: os.mkfifo(root / "images/a"), "{images}/a lies beside the class folders; move it into the folder of its class."),
    Case("table is a pipe", lambda root: ((root / "attributes.csv").unlink(), os.mkfifo(root / "attributes.csv")), "{root}/attributes.csv is a pipe, not a file; put a file there."),
    Case("table is a folder", lambda root: ((root / "attributes.csv").unlink(), (root / "attributes.csv").mkdir()), "{root}/attributes.csv is a folder, not a file; put a file there."),
    Case("table is a device", lambda root: ((root / "attributes.csv").unlink(), (root / "attributes.csv").symlink_to("/dev/zero")), "{root}/attributes.csv is a device, not a file; put a file there."),
    Case("table links to itself", lambda root: ((root / "attributes.csv").unlink(), (root / "attributes.csv").symlink_to("attributes.csv")), "{root}/attributes.csv cannot be read (Too many levels of symbolic links); mend or replace the file."),
    Case("splits.csv is a broken link", lambda root: (root / "splits.csv").symlink_to("nowhere"), "{root}/splits.csv cannot be read (No such file or directory); put the file there."),
    Case("splits.csv in another case", lambda root: (root / "Splits.CSV").write_text(SPLITS), "{root}/Splits.CSV is called almost as splits.csv; call it so, or otherwise."),
    Case("splits.csv with a hidden ending", lambda root: (root / "splits.csv.txt").write_text(SPLITS), "{root}/splits.csv.txt is called almost as splits.csv; call it so, or otherwise."),
    Case("parts with an ending twice", lambda root: (root / "attribute_parts.csv.csv").write_text("attribute,part\n1,leg\n"), "{root}/attribute_parts.csv.csv is called almost as attribute_parts.csv; call it so, or otherwise."),
    Case("splits.csv is a folder", lambda root: (root / "splits.csv").mkdir(), "{root}/splits.csv is a folder, not a file; put a file there."),
    Case("parts are a broken link", lambda root: (root / "attribute_parts.csv").symlink_to("nowhere"), "{root}/attribute_parts.csv cannot be read (No such file or directory); put the file there."),
    Case("class is a broken link", lambda root: (root / "images/okapi").symlink_to("nowhere"), "{images}/okapi is a link that leads nowhere; mend or remove it."),
    Case("class links to itself", lambda root: (root / "images/okapi").symlink_to("okapi"), "{images}/okapi is a link that leads nowhere; mend or remove it."),
    Case("class is a link to another", lambda root: (root / "images/okapi").symlink_to("horse"), "{images}/horse and {images}/okapi are one folder under two names (a link); keep one of them."),
    Case("class links to its own folder", lambda root: (root / "images/horse/all").symlink_to(".."), "{images}/horse/all is a folder inside a class folder; put the pictures directly into images/horse/."),
    Case("picture is a link to another class's", lambda root: (root / "images/zebra/9.png").symlink_to("../horse/0.png"), "{images}/horse/0.png and {images}/zebra/9.png are one picture under two names (a link); keep one of them."),
    Case("picture is linked hard", lambda root: os.link(root / "images/horse/0.png", root / "images/zebra/9.png"), "{images}/horse/0.png and {images}/zebra/9.png are one picture under two names (a link); keep one of them."),
    Case("picture is a broken link", lambda root: (root / "images/zebra/9.png").symlink_to("nowhere"), "1 of 7 images cannot be used: images/zebra/9.png is a link to a file that is missing; replace them, or set images.on_bad_image to skip."),
    Case("picture's name in Latin-1", lambda root: Path(os.fsdecode(bytes(root / "images/horse") + b"/\xe9.png")).write_bytes(b"x"), "{images}/horse/\\xe9.png has a name that is not UTF-8; rename it."),
    Case("class's name in Latin-1", lambda root: Path(os.fsdecode(bytes(root / "images") + b"/\xe9")).mkdir(), "{images}/\\xe9 has a name that is not UTF-8; rename it."),
    Case("picture's name with a line break", lambda root: (root / "images/horse/a\nb.png").write_bytes(b"x"), "{images}/horse/a\\nb.png has a line break in its name; rename it."),
    Case("two Unicode forms of a class", lambda root: [(root / "images" / name).mkdir() for name in (COMPOSED, DECOMPOSED)], "{images} has the folders 'e\\u0301tourneau' and '\\xe9tourneau', which differ in case, blanks or Unicode form alone; join them, or rename one."),
    Case("two cases of a class", lambda root: (root / "images/Horse").mkdir(), "{images} has the folders 'Horse' and 'horse', which differ in case, blanks or Unicode form alone; join them, or rename one."),
    Case("outer blank of a class", lambda root: (root / "images/horse ").mkdir(), "{images} has the folders 'horse' and 'horse ', which differ in case, blanks or Unicode form alone; join them, or rename one."),
    Case("two Unicode forms of a picture", lambda root: [(root / f"images/horse/{name}.png").write_bytes(b"x") for name in (COMPOSED, DECOMPOSED)], f"images/horse/ has two pictures '{COMPOSED}.png' whose names differ in Unicode form alone; rename one."),
    Case("row of another case", lambda root: (root / "attributes.csv").write_text("class,a,b\nzebra,1,1\nHorse,1,0\n"), "{root}/attributes.csv has class Horse, but there is no folder {images}/Horse (did you mean horse?); name both alike."),
    Case("attribute known of no class", lambda root: (root / "attributes.csv").write_text("class,a,b,c\nzebra,1,1,\nhorse,1,0,\n"), "{root}/attributes.csv gives no class a value for 'c'; fill the column, or remove it."),
    Case("one attribute alone", lambda root: (root / "attributes.csv").write_text("class,a\nzebra,1\nhorse,2\n"), "classes horse and zebra have equal or proportional attributes, so nothing can tell them apart; change a value of one, or add an attribute in which they differ."),
    Case("proportional rows", lambda root: (root / "attributes.csv").write_text("class,a,b\nzebra,.1,.2\nhorse,.3,.6\n"), "classes horse and zebra have equal or proportional attributes, so nothing can tell them apart; change a value of one, or add an attribute in which they differ."),
    Case("strength above all measure", lambda root: (root / "attributes.csv").write_text("class,a,b\nzebra,1,1\nhorse,1,1e30\n"), "{root}/attributes.csv gives class horse '1e30' for 'b'; give strengths of at most 1e+09."),
    Case("no test images of seen classes", lambda root: (root / "splits.csv").write_text(SPLITS.replace("test_seen", "trainval")), "no image is in test_seen, so accuracy on seen classes (S) and H cannot be measured; put some images of seen classes there."),
    Case("splits and settings disagree", lambda root: (root / "splits.csv").write_text(SPLITS.replace("horse", "x").replace("zebra", "horse").replace("x/", "zebra/")), "{root}/splits.csv and the setting unseen_classes disagree: class horse is unseen in splits.csv alone; correct one, or leave out the setting."),
    Case("class begins with a dot", lambda root: ((root / "images/horse").rename(root / "images/.horse"), (root / "attributes.csv").write_text("class,a,b\nzebra,1,1\n.horse,1,0\n")), "{root}/attributes.csv has class .horse, but folders whose names begin with a dot are the system's; name the class and its folder otherwise."),
    Case("part of an attribute of another name", lambda root: (root / "attribute_parts.csv").write_text("attribute_id,attribute,part\n1,b,leg\n2,a,head\n"), "{root}/attribute_parts.csv calls attribute 1 'b', but its name is 'a'; correct one of them."),
    Case("two columns of names, one of another", lambda root: (root / "attribute_parts.csv").write_text("attribute_id,name,attribute,part\n1,a,b,leg\n2,b,b,head\n"), "{root}/attribute_parts.csv calls attribute 1 'b', but its name is 'a'; correct one of them."),
    Case("attribute bound twice", lambda root: (root / "attribute_parts.csv").write_text("attribute,part\n1,leg\n1,head\n"), "{root}/attribute_parts.csv binds attribute 1 twice; keep one row."),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_one_sentence(tmp_path, case):
    settings = make_folder(tmp_path, "class,a,b\nzebra,1,1\nhorse,1,0\n", pictures=3)
    case.spoil(tmp_path)
    with pytest.raises(InputError) as error:
        index_dataset(settings)
    wanted = case.sentence.replace("{images}", "{root}/images").replace("{root}", str(tmp_path))
    assert str(error.value) == wanted


@pytest.mark.parametrize("name", ["images", "a\\b"])
def test_a_class_may_have_the_name_of_the_folder_or_a_backslash(tmp_path, name):
    settings = make_folder(tmp_path, "class,a,b\nzebra,1,1\nhorse,1,0\n", pictures=3)
    (tmp_path / "images/horse").rename(tmp_path / "images" / name)
    (tmp_path / "attributes.csv").write_text(f"class,a,b\nzebra,1,1\n{name},1,0\n")
    (tmp_path / "splits.csv").write_text(SPLITS.replace("horse/", f"{name}/").replace("zebra/", "images\\zebra\\"))
    index = load_index(replace(settings, unseen_classes=None))
    assert dict(zip(index.paths, index.split, strict=True))[f"images/{name}/1.png"] == "test_seen"


def test_splits_and_settings_may_agree(tmp_path):
    settings = make_folder(tmp_path, pictures=3)
    (tmp_path / "splits.csv").write_text(SPLITS)
    assert load_index(settings).split == load_index(replace(settings, unseen_classes=None)).split


def test_proportional_rows_differ_where_size_counts(tmp_path):
    settings = replace(make_folder(tmp_path, "class,a\nzebra,1\nhorse,2\n"), class_norm="none")
    assert load_index(settings).vectors.tolist() == [[2], [1]]


def test_a_name_in_any_unicode_form_is_one_name(tmp_path):
    settings = make_folder(tmp_path, f"class,a,b\nzebra,1,1\n{COMPOSED},1,0\n", classes=(DECOMPOSED, "zebra"))
    rows = "".join(f"{COMPOSED}/{n}.png;{('trainval', 'test_seen')[n % 2]}\n" for n in range(5))
    (tmp_path / "splits.csv").write_text(
        "Path;Split\n" + rows + "".join(f"zebra/{n}.png;test_unseen\n" for n in range(5))
    )
    index = index_dataset(settings)
    assert index.classes == ("zebra", COMPOSED) and index.split[5:7] == ("trainval", "test_seen")


def test_classes_whose_names_differ_in_their_joints_have_rows_and_pictures_of_their_own(tmp_path):
    rows = {"Blue Bird": (1, 0), "Blue_Bird": (0, 1), "Blue-Bird": (3, 1), "zebra": (1, 1)}
    table = "class,a,b\n" + "".join(f"{name},{a},{b}\n" for name, (a, b) in rows.items())
    index = load_index(make_folder(tmp_path, table, pictures=2, classes=tuple(rows)))
    assert dict(zip(index.classes, map(tuple, index.percent.tolist()), strict=True)) == rows
    assert all(
        path.split("/")[1] == index.classes[label] for path, label in zip(index.paths, index.labels, strict=True)
    )
