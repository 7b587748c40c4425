"""The table of bad inputs: each gets exactly one sentence, and nothing is left that a second run takes for good."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from cub_case import CLASSES, PERCENT, att_splits, cells, make_cub, res101, write_image
from scipy.io import savemat
from test_folder import make_folder

from scegg_core.artifacts.files import Provenance
from scegg_core.artifacts.paths import IndexFiles
from scegg_core.data.index import index_dataset, write_index
from scegg_core.data.tables import write_vectors
from scegg_core.errors import InputError
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.words.vectors import embed_attributes

XLSA = "xlsa17.zip from http://datasets.d2.mpi-inf.mpg.de/xian/xlsa17.zip"


@dataclass(frozen=True)
class Bad:
    """A fault made in a whole data set by `spoil(root)`, other settings, and its sentence ({root} filled in)."""

    name: str
    sentence: str
    spoil: Callable[[Path], object] = lambda root: None
    settings: tuple[tuple[str, object], ...] = ()


def write(name: str, content: str | bytes) -> Callable[[Path], object]:
    data = content if isinstance(content, bytes) else content.encode()
    return lambda root: (root / name).write_bytes(data)


def remove(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).unlink()


def rename(name: str, to: str) -> Callable[[Path], object]:
    return lambda root: (root / name).rename(root / to)


def splits(**changes) -> Callable[[Path], object]:
    """Write att_splits.mat with changes; None takes a variable out."""
    content = {key: value for key, value in (att_splits() | changes).items() if value is not None}
    return lambda root: savemat(root / "xlsa17/att_splits.mat", content)


def resnet(**changes) -> Callable[[Path], object]:
    content = {key: value for key, value in (res101() | changes).items() if value is not None}
    return lambda root: savemat(root / "xlsa17/res101.mat", content)


def column(*values) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def files(first: str) -> np.ndarray:
    return cells([first, *(cell[0] for cell in res101()["image_files"][1:])])


NAMES = "1 has_bill_shape::hooked\n2 has_wing_color::blue\n"
BLUE_TIT = "CUB_200_2011/images/002.Blue_Tit/x_0.jpg"

CUB = [
    Bad(
        "image folder missing",
        "the folder {root}/CUB_200_2011/images is missing: unpack CUB_200_2011.tgz from "
        "https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz so that it appears, "
        "or correct the data set's settings.",
        rename("CUB_200_2011", "CUB"),
    ),
    Bad(
        "splits not set",
        "format cub needs the setting `splits`: the folder with att_splits.mat and res101.mat.",
        settings=(("splits", None),),
    ),
    Bad(
        "splits folder missing",
        "the folder {root}/xlsa17 is missing: unpack " + XLSA + " so that it appears, "
        "or correct the data set's settings.",
        rename("xlsa17", "elsewhere"),
    ),
    Bad(
        "att_splits.mat missing",
        "{root}/xlsa17/att_splits.mat is missing: unpack " + XLSA + ", or correct the setting `splits`.",
        remove("xlsa17/att_splits.mat"),
    ),
    Bad(
        "res101.mat missing",
        "{root}/xlsa17/res101.mat is missing: unpack " + XLSA + ", or correct the setting `splits`.",
        remove("xlsa17/res101.mat"),
    ),
    Bad(
        "mat file is text",
        "{root}/xlsa17/att_splits.mat is not a readable MATLAB file; fetch " + XLSA + " again.",
        write("xlsa17/att_splits.mat", "not MATLAB at all, but a text that is long enough to be read as a header"),
    ),
    Bad(
        "mat file empty",
        "{root}/xlsa17/res101.mat is not a readable MATLAB file; fetch " + XLSA + " again.",
        write("xlsa17/res101.mat", b""),
    ),
    Bad(
        "no class names",
        "{root}/xlsa17/att_splits.mat lacks the variable 'allclasses_names'; fetch " + XLSA + " again.",
        splits(allclasses_names=None),
    ),
    Bad(
        "no split",
        "{root}/xlsa17/att_splits.mat lacks the variable 'test_seen_loc'; fetch " + XLSA + " again.",
        splits(test_seen_loc=None),
    ),
    Bad(
        "no attributes",
        "{root}/xlsa17/att_splits.mat lacks the variable 'original_att'; fetch xlsa17.zip from "
        "http://datasets.d2.mpi-inf.mpg.de/xian/xlsa17.zip again.",
        splits(original_att=None, att=None),
    ),
    Bad(
        "no labels",
        "{root}/xlsa17/res101.mat lacks the variable 'labels'; fetch " + XLSA + " again.",
        resnet(labels=None),
    ),
    Bad(
        "classes and matrix differ in size",
        "{root}/xlsa17/att_splits.mat names 4 classes but its original_att has 3 columns, one a class; "
        "fetch xlsa17.zip again.",
        splits(original_att=np.ones((3, 3))),
    ),
    Bad(
        "two matrices that contradict each other",
        "{root}/xlsa17/att_splits.mat describes class 002.Blue_Tit differently in att and original_att "
        "(4 of 4 classes differ); remove the one that is wrong.",
        splits(att=np.roll(PERCENT.T, 1, axis=0)),
    ),
    Bad(
        "names and matrix differ in size",
        "{root}/attributes.txt names 2 attributes, but {root}/xlsa17/att_splits.mat has 3 of them; "
        "use the names of this data set.",
        write("attributes.txt", NAMES),
    ),
    Bad(
        "attribute names missing",
        "{root}/attributes.txt is missing: it holds the attribute names, one a line; "
        "the setting `attributes` can name another file.",
        remove("attributes.txt"),
    ),
    Bad(
        "attribute names empty",
        "{root}/attributes.txt holds no attribute names; it has to name one attribute a line.",
        write("attributes.txt", "\n\n"),
    ),
    Bad(
        "attribute names not text",
        '{root}/attributes.txt is not UTF-8 text (byte 2); save it as UTF-8 (in Excel: "CSV UTF-8").',
        write("attributes.txt", b"1 \xff\xfe\n"),
    ),
    Bad(
        "attribute named twice",
        "attribute 'has_wing_color::blue' occurs twice; names must differ.",
        write("attributes.txt", NAMES + "3 has_wing_color::blue\n"),
    ),
    Bad(
        "attribute matrix not finite",
        "{root}/xlsa17/att_splits.mat holds values in original_att that are not finite numbers; "
        "fetch " + XLSA + " again.",
        splits(original_att=np.full((3, 4), np.inf)),
    ),
    Bad(
        "attribute below zero",
        "attribute has_bill_shape::hooked of class 002.Blue_Tit is -0.3; "
        "give a strength from 0 upwards, or -1 where it is not known; class vectors of any sign belong into class_vectors.",
        splits(original_att=np.full((3, 4), -0.3), att=None),
    ),
    Bad(
        "class without attributes",
        "class 001.Crow has no attribute above zero, so nothing describes it; give it at least one.",
        splits(original_att=np.array([[1, 1, 0, 1], [1, 1, 0, 1], [1, 1, -1, 1]], dtype=float), att=None),
    ),
    Bad(
        "files and labels differ in number",
        "{root}/xlsa17/res101.mat lists 16 image_files but 15 labels; fetch " + XLSA + " again.",
        resnet(labels=res101()["labels"][:15]),
    ),
    Bad(
        "label out of range",
        "{root}/xlsa17/res101.mat holds the label 5, but labels run from 1 to 4, the classes of att_splits.mat; "
        "use files of one set.",
        resnet(labels=res101()["labels"] + 1),
    ),
    Bad(
        "label not whole",
        "{root}/xlsa17/res101.mat holds 3.5 in labels, where whole numbers belong; fetch " + XLSA + " again.",
        resnet(labels=res101()["labels"] + 0.5),
    ),
    Bad(
        "label of another class",
        "{root}/xlsa17/res101.mat labels CUB_200_2011/images/001.Crow/x_0.jpg as 002.Blue_Tit, "
        "but it lies in another class's folder; use res101.mat and att_splits.mat of one set.",
        resnet(labels=np.ones((16, 1))),
    ),
    Bad(
        "image path of another data set",
        "{root}/xlsa17/res101.mat lists the image '/far/SUN/images/a/abbey/x.jpg', which has no folder "
        "'CUB_200_2011' to cut its path at; use the files of this data set.",
        resnet(image_files=files("/far/SUN/images/a/abbey/x.jpg")),
    ),
    Bad(
        "image path that leaves the folder",
        "{root}/xlsa17/res101.mat lists the image 'CUB_200_2011/../../x.jpg', which has no folder "
        "'CUB_200_2011' to cut its path at; use the files of this data set.",
        resnet(image_files=files("CUB_200_2011/../../x.jpg")),
    ),
    Bad(
        "image listed twice",
        "image 'CUB_200_2011/images/001.Crow/x_1.jpg' occurs twice; names must differ.",
        resnet(image_files=files("/far/CUB_200_2011/images/001.Crow/x_1.jpg")),
    ),
    Bad(
        "image in two splits",
        "{root}/xlsa17/att_splits.mat puts image 1 into both trainval_loc and test_seen_loc; "
        "every image has one split.",
        splits(test_seen_loc=column(4, 8, 16, 1)),
    ),
    Bad(
        "image in no split",
        "{root}/xlsa17/att_splits.mat puts image 16 into no split; use the att_splits.mat of the Proposed Splits.",
        splits(test_seen_loc=column(4, 8)),
    ),
    Bad(
        "split out of range",
        "{root}/xlsa17/att_splits.mat puts image 17 into test_seen_loc, but res101.mat lists 16 images; "
        "use files of one set.",
        splits(test_seen_loc=column(4, 8, 16, 17)),
    ),
    Bad(
        "unseen class with training images",
        "unseen class 003.Swift has 1 training images; an unseen class must have none.",
        splits(trainval_loc=column(1, 2, 3, 5, 6, 7, 9, 13, 14, 15), test_unseen_loc=column(10, 11, 12)),
    ),
    Bad(
        "class lists and splits disagree",
        "{root}/xlsa17/testclasses.txt and att_splits.mat disagree about the unseen classes: "
        "003.Swift is in test_unseen_loc only; use files of one set.",
        write("xlsa17/testclasses.txt", "004.Robin\n"),
    ),
    Bad(
        "class named twice",
        "class '002.Blue_Tit' occurs twice; names must differ.",
        lambda root: (
            resnet(labels=res101()["labels"])(root),
            splits(allclasses_names=cells([*CLASSES, CLASSES[0]]), original_att=np.ones((3, 5)), att=None)(root),
        ),
    ),
    Bad(
        "parts without their columns",
        "{root}/attribute_parts.csv has the header 'name,where', but it needs the columns attribute and part.",
        write("attribute_parts.csv", "name,where\n"),
    ),
    Bad(
        "part of an attribute that is not there",
        "{root}/attribute_parts.csv binds attribute '4', but attributes are numbered 1 to 3; correct the number.",
        write("attribute_parts.csv", "attribute,part\n4,bill\n"),
    ),
    Bad(
        "part of an attribute of another name",
        "{root}/attribute_parts.csv calls attribute 2 'tail', but its name is 'has_wing_color::blue'; "
        "correct one of them.",
        write("attribute_parts.csv", "attribute,name,part\n2,tail,wing\n"),
    ),
    Bad(
        "image missing",
        f"1 of 16 images cannot be used: {BLUE_TIT} is missing; replace them, or set images.on_bad_image to skip.",
        remove(BLUE_TIT),
    ),
    Bad(
        "image empty",
        f"1 of 16 images cannot be used: {BLUE_TIT} is empty (0 bytes); "
        "replace them, or set images.on_bad_image to skip.",
        write(BLUE_TIT, b""),
    ),
    Bad(
        "image is text",
        f"1 of 16 images cannot be used: {BLUE_TIT} is not an image of a known type; "
        "replace them, or set images.on_bad_image to skip.",
        write(BLUE_TIT, "a text file named .jpg"),
    ),
    Bad(
        "image truncated",
        f"1 of 16 images cannot be used: {BLUE_TIT} is truncated; replace them, or set images.on_bad_image to skip.",
        lambda root: (root / BLUE_TIT).write_bytes((root / BLUE_TIT).read_bytes()[:-60]),
    ),
    Bad(
        "too many images to skip",
        f"1 of 16 images cannot be used: {BLUE_TIT} is missing; that is a share of 0.0625, "
        "and images.max_skipped_share allows 0.01.",
        remove(BLUE_TIT),
        (("images", {"on_bad_image": "skip"}),),
    ),
    Bad(
        "root of image paths not set",
        "format xlsa17 needs the setting `image_root`: the folder name in res101.mat's image_files "
        "after which local paths begin.",
        settings=(("format", "xlsa17"),),
    ),
]

ROW = "zebra,1,1\nhorse,1,0\n"
FOLDER = [
    Bad(
        "no images folder",
        "the folder {root}/images is missing: unpack your pictures, one folder a class, so that it appears, "
        "or correct the data set's settings.",
        rename("images", "pictures"),
    ),
    Bad(
        "no class folders",
        "{root}/images holds no class folders; put every class's pictures into images/<class>/.",
        lambda root: ((root / "images").rename(root / "old"), (root / "images").mkdir()),
    ),
    Bad(
        "no attributes.csv",
        "{root}/attributes.csv cannot be read (No such file or directory); put the file there.",
        remove("attributes.csv"),
    ),
    Bad(
        "empty attributes.csv",
        "{root}/attributes.csv is empty; it needs a header (class and the attribute names) and a row per class.",
        write("attributes.csv", ""),
    ),
    Bad(
        "no attribute columns",
        "{root}/attributes.csv has 0 attribute columns and 2 class rows; it needs at least one of each, with a comma, semicolon or tab between cells.",
        write("attributes.csv", "class\nhorse\nzebra\n"),
    ),
    Bad(
        "row too short",
        "{root}/attributes.csv line 3 (horse) has 2 cells, the header names 3; "
        "give every row one for each column, and every column a name.",
        write("attributes.csv", "class,a,b\nzebra,1,1\nhorse,1\n"),
    ),
    Bad(
        "value is no number",
        "{root}/attributes.csv gives class horse 'yes' for 'b', which is no number; "
        "give a number such as 0.5, or nothing where it is not known.",
        write("attributes.csv", "class,a,b\nzebra,1,1\nhorse,1,yes\n"),
    ),
    Bad(
        "a comma that may part thousands",
        "{root}/attributes.csv gives class horse '1,234' for 'b', which may be 1.234 or 1234; "
        "give a number such as 0.5, or nothing where it is not known.",
        write("attributes.csv", "class;a;b\nzebra;1;1\nhorse;1;1,234\n"),
    ),
    Bad(
        "a point that may part thousands",
        "{root}/attributes.csv gives class horse '1.500' for 'b', which may be 1.5 or 1500; "
        "write it without the point, or one of the numbers with other decimals.",
        write("attributes.csv", "class;a;b\nzebra;1;900\nhorse;1;1.500\n"),
    ),
    Bad(
        "decimal points and commas",
        "{root}/attributes.csv gives class horse '0.5' for 'a' and class horse '0,5' for 'b', "
        "a decimal point here and a comma there; write all numbers in one way.",
        write("attributes.csv", "class;a;b\nzebra;1;1\nhorse;0.5;0,5\n"),
    ),
    Bad(
        "class without a folder",
        "{root}/attributes.csv has class hors, but there is no folder {root}/images/hors (did you mean horse?); "
        "name both alike.",
        write("attributes.csv", "class,a,b\nzebra,1,1\nhors,1,0\n"),
    ),
    Bad(
        "folder without a row",
        "{root}/images/okapi is a class without a row in {root}/attributes.csv; add the row.",
        lambda root: write_image(root / "images/okapi/1.png"),
    ),
    Bad(
        "class twice",
        "{root}/attributes.csv has the class 'zebra' twice; keep one row, or rename it.",
        write("attributes.csv", "class,a,b\nzebra,1,1\nzebra,1,0\nhorse,1,1\n"),
    ),
    Bad(
        "attribute without a name",
        "{root}/attributes.csv line 2 (zebra) has 3 cells, the header names 2; "
        "give every row one for each column, and every column a name.",
        write("attributes.csv", "class,a,\n" + ROW),
    ),
    Bad(
        "file beside the class folders",
        "{root}/images/a.png lies beside the class folders; move it into the folder of its class.",
        write("images/a.png", b"x"),
    ),
    Bad(
        "folder in a class folder",
        "{root}/images/horse/old is a folder inside a class folder; put the pictures directly into images/horse/.",
        lambda root: (root / "images/horse/old").mkdir(),
    ),
    Bad(
        "class folder empty",
        "{root}/images/okapi holds no pictures; put some in, or remove the class from images and attributes.csv.",
        lambda root: ((root / "images/okapi").mkdir(), write("attributes.csv", "class,a,b\nokapi,1,1\n" + ROW)(root)),
    ),
    Bad(
        "no split and no unseen classes",
        "{root}/splits.csv is missing and no unseen_classes are set; write the file (path,split) or "
        "list the unseen classes in the settings.",
        settings=(("unseen_classes", None),),
    ),
    Bad(
        "unseen class that is not there",
        "unseen_classes lists 'zebras', but there is no folder {root}/images/zebras (did you mean zebra?); "
        "correct the name.",
        settings=(("unseen_classes", ("zebras",)),),
    ),
    Bad(
        "all classes unseen",
        "none of the 2 classes is seen; zero-shot learning needs seen and unseen classes.",
        settings=(("unseen_classes", ("zebra", "horse")),),
    ),
    Bad(
        "one picture of a seen class",
        "seen class horse has 1 image; it needs 2, one for training and one for test.",
        lambda root: [(root / f"images/horse/{number}.png").unlink() for number in (1, 2)],
    ),
    Bad(
        "splits.csv without its columns",
        "{root}/splits.csv has the header 'file,set', but it needs the columns path and split.",
        write("splits.csv", "file,set\n"),
    ),
    Bad(
        "splits.csv with an unknown image",
        "{root}/splits.csv lists 'horse/9.png', but there is no such image; correct the path (it starts at images/).",
        write("splits.csv", "path,split\nhorse/9.png,trainval\n"),
    ),
    Bad(
        "splits.csv with an image twice",
        "{root}/splits.csv lists 'horse/0.png' twice; keep one row.",
        write("splits.csv", "path,split\nhorse/0.png,trainval\nhorse/0.png,trainval\n"),
    ),
    Bad(
        "splits.csv without an image",
        "{root}/splits.csv does not list images/horse/1.png (5 images are not listed); give every image a split.",
        write("splits.csv", "path,split\nhorse/0.png,trainval\n"),
    ),
    Bad(
        "splits.csv with an unknown split",
        "{root}/splits.csv gives 'horse/0.png' the split 'train'; splits are trainval, test_seen, test_unseen.",
        write(
            "splits.csv", "path,split\n" + "".join(f"{c}/{n}.png,train\n" for c in ("horse", "zebra") for n in range(3))
        ),
    ),
]


def refused(run: Callable[[], object], sentence: str, out: Path) -> None:
    """Run twice: the same sentence each time, and nothing written."""
    for _ in range(2):
        with pytest.raises(InputError) as error:
            run()
        assert str(error.value) == sentence
        assert not out.exists() or not list(out.iterdir())


def index_to(settings: DatasetSettings, out: Path) -> None:
    write_index(index_dataset(settings), IndexFiles.in_folder(out), Provenance("index_dataset"))


def with_changes(settings: DatasetSettings, changes: tuple[tuple[str, object], ...]) -> DatasetSettings:
    return parse_section(DatasetSettings, {**vars(settings), **dict(changes)}, "datasets.test") if changes else settings


@pytest.mark.parametrize("bad", CUB, ids=[bad.name for bad in CUB])
def test_bad_files_in_cubs_layout(tmp_path, bad):
    settings = make_cub(tmp_path / "data")
    bad.spoil(tmp_path / "data")
    settings = with_changes(settings, bad.settings)
    refused(
        lambda: index_to(settings, tmp_path / "out"),
        bad.sentence.replace("{root}", f"{tmp_path}/data"),
        tmp_path / "out",
    )


@pytest.mark.parametrize("bad", FOLDER, ids=[bad.name for bad in FOLDER])
def test_bad_folders(tmp_path, bad):
    settings = make_folder(tmp_path / "data", "class,a,b\n" + ROW, pictures=3)
    bad.spoil(tmp_path / "data")
    settings = with_changes(settings, bad.settings)
    refused(
        lambda: index_to(settings, tmp_path / "out"),
        bad.sentence.replace("{root}", f"{tmp_path}/data"),
        tmp_path / "out",
    )


def write_zip(*names: str) -> Callable[[Path], object]:
    def make(root: Path) -> None:
        with zipfile.ZipFile(root / "v.zip", "w") as archive:
            for name in names:
                archive.writestr(name, "tail 1 2\n")

    return make


def save(array: np.ndarray, **options) -> Callable[[Path], object]:
    return lambda root: np.save(root / "v.npy", array, **options)


def source(kind: str, path: str | None) -> tuple[tuple[str, object], ...]:
    return (("source", kind), ("path", path))


VECTORS = [
    Bad("no path", "the setting attribute_vectors.path is missing; the source word2vec needs it."),
    Bad(
        "word vectors missing",
        "the file of word vectors {root}/v.txt is missing; fetch it or correct the setting attribute_vectors.path.",
        settings=source("word2vec", "v.txt"),
    ),
    Bad(
        "word vectors empty",
        "{root}/v.txt is not a file of word vectors: its first line is not a word and its numbers; "
        "check what was fetched.",
        write("v.txt", ""),
        source("word2vec", "v.txt"),
    ),
    Bad(
        "other dimensions",
        "{root}/v.txt holds vectors of 3 numbers, but attribute_vectors.dimensions is 2; set it to 3.",
        write("v.txt", "tail 1 2 3\n"),
        source("word2vec", "v.txt"),
    ),
    Bad(
        "line without a number",
        "{root}/v.txt gives the word 'tail' no 2 numbers; the file is damaged, fetch it again.",
        write("v.txt", "blue 1 2\ntail 1\nred 1 2\n"),
        source("word2vec", "v.txt"),
    ),
    Bad(
        "line cut off",
        "{root}/v.txt is cut off in its last line, which has not all of its numbers; fetch it again.",
        write("v.txt", "blue 1 2\ntail 1"),
        source("word2vec", "v.txt"),
    ),
    Bad(
        "vector not finite",
        "{root}/v.txt gives the word 'tail' a vector that is not finite; the file is damaged, fetch it again.",
        write("v.txt", "tail 1 nan\n"),
        source("word2vec", "v.txt"),
    ),
    Bad(
        "fewer words than promised",
        "{root}/v.txt promises 9 words but ends after 1; fetch it again.",
        write("v.txt", "9 2\nblue 1 2\n"),
        source("word2vec", "v.txt"),
    ),
    Bad(
        "binary cut off",
        "{root}/v.bin promises 9 words but ends after 1; fetch it again.",
        write("v.bin", b"9 2\nblue " + np.ones(2, dtype="<f4").tobytes() + b"\ntail \0\0"),
        source("word2vec", "v.bin"),
    ),
    Bad(
        "no member of these dimensions",
        "{root}/v.zip holds glove.50d.txt, glove.100d.txt, but no single member with 2d in its name; "
        "unpack the right one and name it.",
        write_zip("glove.50d.txt", "glove.100d.txt"),
        source("word2vec", "v.zip"),
    ),
    Bad(
        "attribute without a known word",
        "none of the words of attribute 'tail' has a vector in {root}/v.txt; "
        "rename the attribute or take another source of vectors.",
        write("v.txt", "blue 1 2\n"),
        source("word2vec", "v.txt"),
    ),
    Bad(
        "matrix missing",
        "attribute_vectors.path {root}/v.npy is missing; the source matrix reads a .npy of attributes × dimensions.",
        settings=source("matrix", "v.npy"),
    ),
    Bad(
        "matrix of another size",
        "{root}/v.npy holds an array of shape (3, 2), expected numbers of shape (2, 2), "
        "attributes × attribute_vectors.dimensions.",
        save(np.ones((3, 2))),
        source("matrix", "v.npy"),
    ),
    Bad(
        "matrix of objects",
        "{root}/v.npy is not a plain .npy matrix; save it with numpy.save as float32.",
        save(np.array([["a", None]], dtype=object), allow_pickle=True),
        source("matrix", "v.npy"),
    ),
    Bad(
        "matrix row all zeros",
        "{root}/v.npy has no vector for attribute 'tail': row 1 is all zeros or not finite in float32; "
        "fill it or take another source.",
        save(np.array([[1.0, 2.0], [0.0, 0.0]])),
        source("matrix", "v.npy"),
    ),
    Bad(
        "captions missing",
        "the file of captions {root}/captions.txt is missing; "
        "the source captions trains word vectors on it, one caption a line.",
        settings=source("captions", None),
    ),
    Bad(
        "captions empty",
        "{root}/captions.txt holds no captions of two words or more; it has to hold one a line.",
        write("captions.txt", " \n\n"),
        source("captions", None),
    ),
]


@pytest.mark.parametrize("bad", VECTORS, ids=[bad.name for bad in VECTORS])
def test_bad_vectors(tmp_path, bad):
    root, out = tmp_path / "data", tmp_path / "out"
    root.mkdir()
    bad.spoil(root)
    settings = replace(AttributeVectorSettings(dimensions=2), **dict(bad.settings))
    if settings.path:
        settings = replace(settings, path=f"{root}/{settings.path}")

    def run():
        vectors = embed_attributes(("blue tail", "tail"), settings, root / "captions.txt")
        write_vectors(out / "v.parquet", ("a", "b"), vectors, Provenance("embed_attributes"))

    refused(run, bad.sentence.replace("{root}", str(root)), out)


def test_the_table_is_long_enough():
    assert len(CUB) + len(FOLDER) + len(VECTORS) >= 40
