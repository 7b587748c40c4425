"""Fetching against a server on loopback: whole, cut off, wrong, absent and slow; and archives that are not safe."""

import gzip
import hashlib
import io
import json
import socket
import tarfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from scegg_core.artifacts.files import input_digest
from scegg_core.errors import InputError
from scegg_core.fetch import transfer as transferring
from scegg_core.fetch import unpack as unpacking
from scegg_core.fetch.archives import fetch, record_path, write_arrival
from scegg_core.fetch.weights import fetch_weights
from scegg_core.regions.weights import weights_file
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.downloads import Download

CONTENT = bytes(range(256)) * 4096
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()
OTHER = CONTENT[::-1]


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT; the path says how: /whole, /cut (once), /cut-always, /absent, /slow, /silent, /stubborn (sends the
    rest of whatever file it has), /encoded (as a server says that takes .tar.gz for an encoding), /other (OTHER)."""

    asked: list[tuple[str, str | None]] = []
    over = threading.Event()
    cuts = 0
    tag, content = '"one"', CONTENT

    def do_GET(self):
        Handler.asked.append((self.path, self.headers.get("Range")))
        if self.path == "/absent":
            return self.send_error(404)
        content = OTHER if self.path == "/other" else Handler.content
        same = self.headers.get("If-Range") in (None, Handler.tag) or self.path == "/stubborn"
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1]) if same else 0
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            return self.end_headers()
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if self.path != "/untagged":
            self.send_header("ETag", Handler.tag)
        if self.path == "/encoded":
            self.send_header("Content-Encoding", "x-gzip")
        self.end_headers()
        self.send_content(content[start:])

    def send_content(self, content: bytes):
        if self.path == "/silent":
            Handler.over.wait()
        elif self.path == "/slow":
            for begin in range(0, len(content), len(content) // 5 + 1):
                self.wfile.write(content[begin : begin + len(content) // 5 + 1])
                time.sleep(0.1)
        elif self.path == "/cut-always" or (
            self.path in ("/cut", "/untagged", "/stubborn", "/encoded") and Handler.cuts == 0
        ):
            Handler.cuts += 1
            self.wfile.write(content[: len(content) // 2])
        else:
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setattr(transferring, "PAUSE", 0.01)
    Handler.asked, Handler.cuts, Handler.tag, Handler.content = [], 0, '"one"', CONTENT
    Handler.over = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    Handler.over.set()
    server.shutdown()
    server.server_close()


def left(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


@pytest.mark.parametrize("checksum", [SHA256, MD5, SHA256.upper().replace("SHA", "sha"), None])
def test_a_file_is_fetched_once_and_its_digest_recorded(address, tmp_path, checksum):
    download = Download(url=f"{address}/whole", file=str(tmp_path / "deep/a.bin"), checksum=checksum)
    first, second = fetch(download, progress=False), fetch(download, progress=False)
    assert first.file.read_bytes() == CONTENT
    assert first.sha256 == second.sha256 == SHA256.removeprefix("sha256:")
    assert (first.origin, second.origin) == ("downloaded", "present")
    assert len(Handler.asked) == 1
    assert json.loads(record_path(first.file).read_text())["sha256"] == first.sha256
    assert left(first.file.parent) == ["a.bin", "a.bin.sha256.json"]


@pytest.mark.parametrize(("path", "second"), [("/cut", f"bytes={len(CONTENT) // 2}-"), ("/untagged", None)])
def test_a_transfer_that_is_cut_off_is_taken_up_again(address, tmp_path, path, second):
    file = tmp_path / "a.bin"
    assert fetch(Download(url=address + path, file=str(file), checksum=SHA256), progress=False).origin == "downloaded"
    assert file.read_bytes() == CONTENT
    assert [asked[1] for asked in Handler.asked] == [None, second]


def test_what_arrived_before_a_break_is_kept_for_the_next_run(address, tmp_path, monkeypatch):
    monkeypatch.setattr(transferring, "ATTEMPTS", 1)
    file = tmp_path / "a.bin"
    with pytest.raises(InputError) as error:
        fetch(Download(url=f"{address}/cut", file=str(file), checksum=SHA256), progress=False)
    assert str(error.value) == (
        f"cannot fetch {address}/cut (cut off after {len(CONTENT) // 2} bytes, which are kept); "
        f"put a copy of it ({SHA256}) at {file} by hand and run again."
    )
    assert not file.exists()
    fetch(Download(url=f"{address}/cut", file=str(file), checksum=SHA256), progress=False)
    assert Handler.asked[-1] == ("/cut", f"bytes={len(CONTENT) // 2}-")
    assert file.read_bytes() == CONTENT


def half_fetched(url: str, file: Path, monkeypatch) -> None:
    """Leave half of what the address has, as a run does that is stopped."""
    monkeypatch.setattr(transferring, "ATTEMPTS", 1)
    with pytest.raises(InputError, match="which are kept"):
        fetch(Download(url=url, file=str(file)), progress=False)
    monkeypatch.setattr(transferring, "ATTEMPTS", 4)
    assert file.with_name(file.name + ".part").stat().st_size == len(CONTENT) // 2


@pytest.mark.parametrize(("path", "killed"), [("/cut", True), ("/cut", False), ("/stubborn", False)])
def test_bytes_of_two_versions_of_a_file_are_never_mixed(address, tmp_path, monkeypatch, path, killed):
    file = tmp_path / "a.bin"
    half_fetched(address + path, file, monkeypatch)
    Handler.tag, Handler.content = '"two"', OTHER
    keep = transferring._keep_validator

    def killed_thereafter(*arguments):
        keep(*arguments)
        raise KeyboardInterrupt

    if killed:
        monkeypatch.setattr(transferring, "_keep_validator", killed_thereafter)
        with pytest.raises(KeyboardInterrupt):
            fetch(Download(url=address + path, file=str(file)), progress=False)
        monkeypatch.setattr(transferring, "_keep_validator", keep)
    fetch(Download(url=address + path, file=str(file)), progress=False)
    assert file.read_bytes() == OTHER


def test_what_another_address_began_is_not_gone_on_with(address, tmp_path, monkeypatch):
    file = tmp_path / "a.bin"
    half_fetched(f"{address}/cut", file, monkeypatch)
    fetch(Download(url=f"{address}/other", file=str(file)), progress=False)
    assert file.read_bytes() == OTHER


def test_what_another_address_gave_is_not_taken_unless_its_checksum_is_given(address, tmp_path):
    file = tmp_path / "a.bin"
    fetch(Download(url=f"{address}/whole", file=str(file)), progress=False)
    with pytest.raises(InputError) as error:
        fetch(Download(url=f"{address}/other", file=str(file)), progress=False)
    assert str(error.value) == (
        f"{file} came from {address}/whole, and no checksum says that {address}/other has the same; "
        f"delete it to have it fetched anew, or give its checksum, {SHA256}, to keep it."
    )
    assert fetch(Download(url=f"{address}/other", file=str(file), checksum=SHA256)).origin == "present"
    file.unlink()
    assert fetch(Download(url=f"{address}/other", file=str(file)), progress=False).file.read_bytes() == OTHER


def test_a_copy_put_by_hand_is_of_no_address(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(CONTENT)
    for name in "ab":
        assert fetch(Download(url=f"http://127.0.0.1:9/{name}", file=str(file))).origin == "present"


def test_what_was_unpacked_of_another_address_is_fetched_again(address, tmp_path):
    unpacked, file = tmp_path / "data/set/a.txt", tmp_path / "a.zip"
    places = {"file": str(file), "unpack_to": str(tmp_path / "data"), "provides": ("set/a.txt",)}
    for path, content in (("whole", b"one"), ("cut-not", b"two")):
        Handler.content = zip_bytes({"set/a.txt": content})
        fetch(Download(url=f"{address}/{path}", **places), progress=False)
        assert unpacked.read_bytes() == content
        file.unlink()
        assert fetch(Download(url=f"{address}/{path}", **places), progress=False).origin == "unpacked"


def test_a_file_that_the_server_calls_encoded_is_taken_as_it_comes(address, tmp_path):
    Handler.content = gzip.compress(CONTENT, mtime=0)
    file = tmp_path / "a.tar.gz"
    fetch(Download(url=f"{address}/encoded", file=str(file)), progress=False)
    assert file.read_bytes() == Handler.content
    assert Handler.asked[1:] == [("/encoded", f"bytes={len(Handler.content) // 2}-")]


@pytest.mark.parametrize("host", ["nlp..stanford.edu", "a" * 64 + ".org", ".org", "127.0.0.1:99999"])
def test_an_address_that_no_host_can_have_is_one_sentence(tmp_path, host):
    with pytest.raises(InputError) as error:
        fetch(Download(url=f"http://{host}/a", file=str(tmp_path / "a"), checksum=MD5), progress=False)
    assert str(error.value) == (
        f"cannot fetch http://{host}/a (no host can have this address); "
        f"put a copy of it ({MD5}) at {tmp_path / 'a'} by hand and run again."
    )


def test_a_whole_part_left_by_a_killed_run_is_not_fetched_again(address, tmp_path):
    file = tmp_path / "a.bin"
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    (tmp_path / "a.bin.part.etag").write_text(f'"one"\n{address}/whole')
    fetch(Download(url=f"{address}/whole", file=str(file), checksum=SHA256), progress=False)
    assert file.read_bytes() == CONTENT
    assert Handler.asked == [("/whole", f"bytes={len(CONTENT)}-")]


def test_wrong_bytes_are_thrown_away(address, tmp_path):
    file, wrong = tmp_path / "a.bin", "md5:" + "0" * 32
    with pytest.raises(InputError) as error:
        fetch(Download(url=f"{address}/whole", file=str(file), checksum=wrong), progress=False)
    assert str(error.value) == (
        f"what {address}/whole sent has the md5 {MD5[4:]}, but {'0' * 32} was expected, so it was thrown away; "
        f"put a copy of it ({wrong}) at {file} by hand and run again."
    )
    assert left(tmp_path) == []


def test_an_absent_file_is_one_sentence(address, tmp_path):
    file = tmp_path / "a.bin"
    with pytest.raises(InputError) as error:
        fetch(Download(url=f"{address}/absent", file=str(file)), progress=False)
    assert str(error.value) == (
        f"{address}/absent answers 404 Not Found; "
        f"put a copy of it (no checksum is published) at {file} by hand and run again."
    )
    assert left(tmp_path) == []
    assert len(Handler.asked) == 1


def test_a_slow_host_is_waited_for(address, tmp_path, capfd):
    fetch(Download(url=f"{address}/slow", file=str(tmp_path / "a.bin"), checksum=SHA256))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert "a.bin" in capfd.readouterr().err  # the progress bar


@pytest.mark.slow
def test_a_silent_host_is_given_up(address, tmp_path, monkeypatch):
    monkeypatch.setattr(transferring, "ATTEMPTS", 2)
    monkeypatch.setattr(transferring, "TIMEOUT", (20.0, 0.5))
    with pytest.raises(InputError, match=r"^cannot fetch http://127\.0\.0\.1:\d+/silent \(.*\); put a copy of it"):
        fetch(Download(url=f"{address}/silent", file=str(tmp_path / "a.bin"), checksum=SHA256), progress=False)
    assert not (tmp_path / "a.bin").exists()


def test_an_unreachable_host_is_one_sentence(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.bin"
        with pytest.raises(InputError) as error:
            fetch(Download(url=url, file=str(tmp_path / "a.bin"), checksum=MD5), progress=False)
    assert str(error.value) == (
        f"cannot fetch {url} (the host is not reached); "
        f"put a copy of it ({MD5}) at {tmp_path / 'a.bin'} by hand and run again."
    )


def test_a_copy_put_by_hand_is_taken_and_checked(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(CONTENT)
    assert fetch(Download(url="http://127.0.0.1:9/a", file=str(file), checksum=MD5)).origin == "present"
    file.write_bytes(b"something else")
    with pytest.raises(InputError) as error:
        fetch(Download(url="http://127.0.0.1:9/a", file=str(file), checksum=MD5))
    assert str(error.value) == (
        f"{file} has the md5 {hashlib.md5(b'something else').hexdigest()}, but {MD5[4:]} was expected; "
        "delete it to have it fetched from http://127.0.0.1:9/a, or put a complete copy there."
    )
    assert file.read_bytes() == b"something else"


def zip_bytes(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tar_bytes(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info, content


def zip_link() -> bytes:
    info = zipfile.ZipInfo("set/link")
    info.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, "/etc")
    return buffer.getvalue()


def archive_of(tmp_path, name: str, content: bytes, provides=("set/a.txt",)) -> Download:
    (tmp_path / name).write_bytes(content)
    return Download(
        url="http://127.0.0.1:9/a", file=str(tmp_path / name), unpack_to=str(tmp_path / "data"), provides=provides
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.zip", zip_bytes({"set/a.txt": b"one"})), ("a.tgz", tar_bytes(member("set/a.txt", b"one")))],
)
def test_an_archive_is_unpacked_once(tmp_path, name, content):
    download = archive_of(tmp_path, name, content)
    fetch(download)
    made = tmp_path / "data/set/a.txt"
    assert made.read_bytes() == b"one"
    before = made.stat().st_mtime_ns
    fetch(download)
    assert made.stat().st_mtime_ns == before
    assert left(tmp_path / "data") == [f".unpacked-{name}.json", "set"]


def test_two_archives_share_a_folder(tmp_path):
    fetch(archive_of(tmp_path, "a.zip", zip_bytes({"set/a.txt": b"one"})))
    fetch(archive_of(tmp_path, "b.zip", zip_bytes({"set/b.txt": b"two"}), ("set/b.txt",)))
    assert left(tmp_path / "data/set") == ["a.txt", "b.txt"]


def test_another_archive_of_the_same_name_is_unpacked_again(tmp_path):
    fetch(archive_of(tmp_path, "a.zip", zip_bytes({"set/a.txt": b"one"})))
    fetch(archive_of(tmp_path, "a.zip", zip_bytes({"set/a.txt": b"two and more"})))
    assert (tmp_path / "data/set/a.txt").read_bytes() == b"two and more"


def test_what_an_earlier_archive_of_the_same_name_brought_goes(tmp_path):
    fetch(archive_of(tmp_path, "b.zip", zip_bytes({"set/c.txt": b"of another"}), ("set/c.txt",)))
    fetch(archive_of(tmp_path, "a.zip", zip_bytes({"set/a.txt": b"one", "set/b.txt": b"earlier"})))
    (tmp_path / "data/set/mine.txt").write_text("put there by hand")
    fetch(archive_of(tmp_path, "a.zip", zip_bytes({"set/a.txt": b"two and more"})))
    assert left(tmp_path / "data/set") == ["a.txt", "c.txt", "mine.txt"]


def test_content_unpacked_by_hand_is_taken_without_the_archive(tmp_path):
    (tmp_path / "data/set").mkdir(parents=True)
    (tmp_path / "data/set/a.txt").write_text("by hand")
    download = archive_of(tmp_path, "a.zip", b"")
    (tmp_path / "a.zip").unlink()
    assert fetch(download).origin == "unpacked"


def test_an_unpacking_that_was_broken_off_is_done_again(tmp_path, monkeypatch):
    download = archive_of(tmp_path, "a.zip", zip_bytes({"set/a.txt": b"one", "set/b.txt": b"two"}))
    merge = unpacking._merge

    def broken(source, target):
        (target / "set").mkdir()
        (target / "set/a.txt").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(unpacking, "_merge", broken)
    with pytest.raises(KeyboardInterrupt):
        fetch(download)
    monkeypatch.setattr(unpacking, "_merge", merge)
    fetch(download)
    assert (tmp_path / "data/set/a.txt").read_bytes() == b"one"
    assert (tmp_path / "data/set/b.txt").exists()


BOMB = zip_bytes({"zeros": bytes(120 << 20)})
UNSAFE = [
    (
        "up.zip",
        zip_bytes({"../x.txt": b"1"}),
        "holds '../x.txt', which would leave its folder; do not use this archive.",
    ),
    ("root.zip", zip_bytes({"/x.txt": b"1"}), "holds '/x.txt', which would leave its folder; do not use this archive."),
    ("disk.zip", zip_bytes({"C:\\x": b"1"}), "holds 'C:\\\\x', which would leave its folder; do not use this archive."),
    ("link.zip", zip_link(), "holds the link 'set/link'; do not use this archive."),
    (
        "bomb.zip",
        BOMB,
        "would unpack to more than 100 times its size (at 'zeros'), as only a bomb does; do not use this archive.",
    ),
    (
        "bomb.tgz",
        tar_bytes(member("zeros", bytes(120 << 20))),
        "would unpack to more than 100 times its size (at 'zeros'), as only a bomb does; do not use this archive.",
    ),
    (
        "up.tgz",
        tar_bytes(member("set/../../x", b"1")),
        "holds 'set/../../x', which would leave its folder; do not use this archive.",
    ),
    (
        "root.tgz",
        tar_bytes(member("/x", b"1")),
        "holds '/x', which would leave its folder; do not use this archive.",
    ),
    (
        "link.tgz",
        tar_bytes(member("set/out", kind=tarfile.SYMTYPE, link="../../x")),
        "holds the link set/out to '../../x', which would leave its folder; do not use this archive.",
    ),
    (
        "hard.tgz",
        tar_bytes(member("set/out", kind=tarfile.LNKTYPE, link="/etc/passwd")),
        "holds the link set/out to '/etc/passwd', which would leave its folder; do not use this archive.",
    ),
    (
        "device.tgz",
        tar_bytes(member("set/null", kind=tarfile.CHRTYPE)),
        "holds 'set/null', which is neither file nor folder; do not use this archive.",
    ),
    ("text.zip", b"not an archive", "is neither a zip nor a tar archive; fetch it again."),
]


@pytest.mark.parametrize(("name", "content", "sentence"), UNSAFE, ids=[name for name, *_ in UNSAFE])
def test_unsafe_archives_are_refused_and_leave_nothing(tmp_path, name, content, sentence):
    download = archive_of(tmp_path, name, content)
    for _ in range(2):
        with pytest.raises(InputError) as error:
            fetch(download)
        assert str(error.value) == f"{tmp_path / name} {sentence}"
    assert left(tmp_path / "data") == []
    assert left(tmp_path) == sorted(["data", name, f"{name}.sha256.json"])


def test_damaged_archives_are_refused_and_leave_nothing(tmp_path):
    whole = gzip.decompress(tar_bytes(member("set/a.txt", bytes(100_000)), member("set/b.txt", bytes(100_000))))
    download = archive_of(tmp_path, "a.tgz", gzip.compress(whole)[:200])
    with pytest.raises(InputError, match=r"a\.tgz is a damaged archive \(.*\); delete it and fetch it again\.$"):
        fetch(download)
    assert left(tmp_path / "data") == []


def test_an_archive_without_what_it_should_hold_is_refused(tmp_path):
    download = archive_of(tmp_path, "a.zip", zip_bytes({"other.txt": b"1"}))
    with pytest.raises(InputError) as error:
        fetch(download)
    assert str(error.value) == (
        f"{tmp_path / 'a.zip'} was unpacked into {tmp_path / 'data'}, but set/a.txt is not in it; "
        "it is another archive, replace it."
    )


@pytest.fixture
def weights(address, tmp_path, monkeypatch):
    """Weights that the server on loopback has, and a folder to bring them to."""
    url = f"{address}/resnet18-{SHA256.removeprefix('sha256:')[:8]}.pth"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("scegg_core.fetch.weights.weights_url", lambda settings: url)
    return BackboneSettings(network="resnet18", weights="IMAGENET1K_V1")


def test_weights_are_recorded_beside_and_stay_when_the_record_is_deleted(weights):
    write_arrival(weights.fetch_record, fetch_weights("resnet18", "IMAGENET1K_V1"))
    file, record = Path(weights.fetched_to), Path(weights.fetch_record)
    assert record.parent == file.parent and file.read_bytes() == CONTENT
    assert input_digest(record) == input_digest(file) == SHA256.removeprefix("sha256:")
    before = record.read_bytes()
    record.unlink()  # as a workflow does before it runs the rule again
    write_arrival(record, fetch_weights("resnet18", "IMAGENET1K_V1"))
    assert record.read_bytes() == before
    assert len(Handler.asked) == 1


def test_weights_put_there_by_hand_are_taken_and_checked(weights):
    file = Path(weights.fetched_to)
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    assert fetch_weights("resnet18", "IMAGENET1K_V1").origin == "present"
    assert not Handler.asked
    file.write_bytes(b"other")
    with pytest.raises(InputError, match="promises one that begins with"):
        fetch_weights("resnet18", "IMAGENET1K_V1")


@pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed (make install EXTRAS=timm)")
@pytest.mark.slow
def test_weights_of_timm_are_fetched_from_the_repository_that_it_names(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("scegg_core.regions.timm_networks.HUB", address)
    fetched = fetch_weights("timm/test_vit.r160_in1k", "pretrained")
    assert fetched.file == Path("data/weights/timm/test_vit.r160_in1k/pretrained.safetensors")
    assert (fetched.file.read_bytes(), fetched.sha256) == (CONTENT, SHA256.removeprefix("sha256:"))
    assert [path for path, _ in Handler.asked] == ["/timm/test_vit.r160_in1k/resolve/main/model.safetensors"]
    with pytest.raises(InputError, match="of timm/test_vit it is 'pretrained'"):
        fetch_weights("timm/test_vit", "IMAGENET1K_V1")


def test_a_stage_takes_the_weights_that_are_recorded(weights):
    write_arrival(weights.fetch_record, fetch_weights("resnet18", "IMAGENET1K_V1"))
    assert weights_file(weights, weights.fetch_record) == Path(weights.fetched_to)
    Path(weights.fetched_to).write_bytes(b"other")
    with pytest.raises(InputError, match=f"delete {weights.fetch_record} to have it fetched again"):
        weights_file(weights, weights.fetch_record)
    Path(weights.fetched_to).unlink()
    with pytest.raises(InputError, match="is not there"):
        weights_file(weights, weights.fetch_record)
    own = BackboneSettings(weights="my.pth")
    assert weights_file(own, "my.pth") == Path("my.pth") and weights_file(own, None) is None
