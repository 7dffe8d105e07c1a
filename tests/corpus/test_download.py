import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.corpus import download
from pipeline.corpus.download import fetch, fetch_vectors
from pipeline.errors import InputError
from pipeline.options import File
from pipeline.vectors.vector_sources import DOWNLOADS, Download

CONTENT = b"0 a fine text\n" * 10_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = File(path="data/a set.txt", sha256=SHA256)
VECTORS = Download(1_900_000, hashlib.md5(CONTENT).hexdigest())


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT, and faults by the first folder of the path."""

    def do_GET(self):
        self.server.asked.append(self.path)
        fault, _, name = self.path[1:].partition("/")
        if fault == "missing" or name not in ("data/a%20set.txt", "tiny/tiny.gz"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write({"wrong": CONTENT.swapcase(), "cut": CONTENT[:70_000],
                          "stalled": CONTENT[:70_000]}.get(fault, CONTENT))  # fmt: skip
        if fault == "stalled":
            self.wfile.flush()
            self.server.stall.wait(20)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.stall = [], threading.Event()
        server.root = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.stall.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "raw"


def refusal(address, file, folder, mirror=""):
    with pytest.raises(InputError) as error:
        fetch(address, file, folder, mirror)
    assert "\n" not in str(error.value) and file.path in str(error.value)
    assert files(folder) == []
    return str(error.value)


def files(folder):
    return sorted(folder.rglob("*"))


def test_a_file_is_downloaded_checked_and_put_in_its_place(server, folder, capfd):
    path = fetch(f"{server.root}/good/", FILE, folder)
    assert path == folder / "data" / "a set.txt"
    assert path.read_bytes() == CONTENT
    assert files(folder) == [folder / "data", path]
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask()
    assert capfd.readouterr() == ("", "")


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_right_copy_is_taken_without_asking_the_network(server, folder):
    fetch(f"{server.root}/good/", FILE, folder)
    server.asked.clear()
    assert fetch(f"{server.root}/good/", FILE, folder).read_bytes() == CONTENT
    assert fetch("http://nowhere.invalid/", FILE, folder).read_bytes() == CONTENT
    assert server.asked == []


def test_a_checksum_may_be_written_in_capitals(server, folder):
    assert fetch(f"{server.root}/good/", File(path=FILE.path, sha256=SHA256.upper()), folder).is_file()


def test_a_wrong_copy_is_replaced(server, folder):
    (folder / "data").mkdir(parents=True)
    (folder / FILE.path).write_bytes(CONTENT[:-1])
    assert fetch(f"{server.root}/good/", FILE, folder).read_bytes() == CONTENT


def test_a_wrong_copy_stays_as_it_is_if_there_is_no_other(server, folder):
    (folder / "data").mkdir(parents=True)
    (folder / FILE.path).write_bytes(b"mine")
    with pytest.raises(InputError):
        fetch(f"{server.root}/wrong/", FILE, folder)
    assert (folder / FILE.path).read_bytes() == b"mine"


def test_wrong_bytes_are_refused_with_both_checksums(server, folder):
    message = refusal(f"{server.root}/wrong/", FILE, folder)
    found = hashlib.sha256(CONTENT.swapcase()).hexdigest()
    assert f"has sha256 {found} where {SHA256} was expected" in message
    assert f"put the right file at {folder}/data/a set.txt" in message


@pytest.mark.parametrize(("address", "cause"), [
    ("/missing/", "404 Client Error"),
    ("/cut/", "IncompleteRead(70000 bytes read, 70000 more expected)"),
])  # fmt: skip
def test_a_transfer_that_fails_says_why_and_where_to_put_the_file(server, folder, address, cause):
    message = refusal(server.root + address, FILE, folder)
    assert cause in message
    assert f"put the file at {folder}/data/a set.txt (sha256 {SHA256}) or name a local mirror" in message


def test_a_server_that_stalls_is_given_up(server, folder, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    assert "timed out" in refusal(f"{server.root}/stalled/", FILE, folder)


def test_a_refused_connection_is_said_in_short(folder):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        message = refusal(address, FILE, folder)
        assert "could not be downloaded (Connection refused): put the file at" in message


def test_a_host_that_does_not_exist_is_said_in_short(folder):
    message = refusal("http://nowhere.invalid/", FILE, folder)
    assert "could not be downloaded (" in message and len(message) < 400


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/", "file:///etc/", "", "http://[/"])
def test_an_address_that_is_not_http_is_refused(folder, address):
    assert "put the file at" in refusal(address, FILE, folder)


def test_an_interrupt_leaves_nothing_behind(server, folder):
    script = (
        "import sys; from pathlib import Path; from pipeline.corpus.download import fetch; "
        "from pipeline.options import File; "
        "fetch(sys.argv[1], File(path='data/a set.txt', sha256='0' * 64), Path(sys.argv[2]))"
    )
    server.asked.clear()
    process = subprocess.Popen(
        [sys.executable, "-c", script, f"{server.root}/stalled/", str(folder)],
        cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    with process:
        wait_until(lambda: any(path.is_file() and path.stat().st_size for path in folder.rglob("*")))
        process.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in process.communicate(timeout=10)[1]
    assert files(folder) == []


def wait_until(condition):
    for _ in range(200):
        if condition():
            return
        threading.Event().wait(0.05)
    raise AssertionError("waited for ten seconds")


def test_a_folder_as_mirror_takes_the_place_of_the_address(folder, tmp_path):
    mirror = tmp_path / "mirror"
    (mirror / "data").mkdir(parents=True)
    (mirror / FILE.path).write_bytes(CONTENT)
    assert fetch("http://nowhere.invalid/", FILE, folder, f"{mirror}/").read_bytes() == CONTENT
    assert (mirror / FILE.path).read_bytes() == CONTENT


def test_an_address_as_mirror_takes_the_place_of_the_address(server, folder):
    assert fetch("http://nowhere.invalid/", FILE, folder, f"{server.root}/good").read_bytes() == CONTENT


def test_a_mirror_without_the_file_or_with_another_is_refused(folder, tmp_path):
    mirror = tmp_path / "mirror"
    message = refusal("http://nowhere.invalid/", FILE, folder, str(mirror))
    assert f"No such file or directory: {mirror}/data/a set.txt" in message
    (mirror / "data").mkdir(parents=True)
    (mirror / FILE.path).write_bytes(b"other")
    assert "where" in refusal("http://nowhere.invalid/", FILE, folder, str(mirror))


@pytest.mark.parametrize("path", ["../secret", "data/../../secret", "/etc/passwd", "", ".", "..\\secret"])
def test_a_path_that_leaves_the_folder_is_refused(server, folder, path):
    assert "is no path inside" in refusal(f"{server.root}/good/", File(path=path, sha256=SHA256), folder)


def test_a_file_without_checksum_is_refused(server, folder):
    assert "has no sha256" in refusal(f"{server.root}/good/", File(path="data/a set.txt"), folder)


@pytest.fixture
def vectors(server, folder, monkeypatch):
    monkeypatch.setitem(DOWNLOADS, "tiny", VECTORS)
    monkeypatch.setattr(download, "ADDRESS", f"{server.root}/good/")
    server.asked.clear()
    return folder / "tiny" / "tiny.gz"


def test_vectors_are_downloaded_by_name_checked_and_kept(server, folder, vectors, capfd):
    assert fetch_vectors("tiny", folder) == vectors
    assert vectors.read_bytes() == CONTENT
    assert files(folder) == [vectors.parent, vectors]
    assert fetch_vectors("tiny", folder, "http://nowhere.invalid") == vectors
    assert server.asked == ["/good/tiny/tiny.gz"]
    assert capfd.readouterr() == (f"tiny: 2 MB are downloaded, and kept in {folder}\n", "")


def test_of_two_that_ask_for_vectors_at_once_one_downloads_them(server, folder, vectors):
    both = [threading.Thread(target=fetch_vectors, args=("tiny", folder)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert vectors.read_bytes() == CONTENT and server.asked == ["/good/tiny/tiny.gz"]


def test_vectors_come_from_an_address_as_mirror(server, folder, vectors):
    assert fetch_vectors("tiny", folder, f"{server.root}/mirror/").read_bytes() == CONTENT
    assert server.asked == ["/mirror/tiny/tiny.gz"]


@pytest.mark.parametrize("place", ["tiny/tiny.gz", "tiny.gz"])
def test_vectors_come_from_a_folder_that_is_laid_out_as_gensims_or_flat(
    server, folder, vectors, tmp_path, place
):
    path = tmp_path / "mirror" / place
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert fetch_vectors("tiny", folder, str(tmp_path / "mirror")).read_bytes() == CONTENT
    assert server.asked == []


@pytest.mark.parametrize(("fault", "cause"), [
    ("wrong", f"has md5 {hashlib.md5(CONTENT.swapcase()).hexdigest()} where {VECTORS.md5} was expected"),
    ("cut", "70000 bytes read"),
    ("missing", "404 Client Error"),
])  # fmt: skip
def test_vectors_that_are_garbled_or_not_there_leave_nothing(
    server, folder, vectors, monkeypatch, fault, cause
):
    monkeypatch.setattr(download, "ADDRESS", f"{server.root}/{fault}/")
    with pytest.raises(InputError) as error:
        fetch_vectors("tiny", folder)
    assert cause in str(error.value) and str(vectors) in str(error.value)
    assert "sha256" not in str(error.value) and "\n" not in str(error.value)
    assert [path for path in files(folder) if path.name != ".tiny.lock"] == []


def test_a_mirror_without_the_vectors_is_named(folder, vectors, tmp_path):
    with pytest.raises(InputError, match=f"No such file or directory: {tmp_path}/tiny.gz") as error:
        fetch_vectors("tiny", folder, str(tmp_path))
    assert error.value.option == "mirror"
