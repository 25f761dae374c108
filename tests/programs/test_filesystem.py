"""The file system against the simplest model of one: a dict from path to text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal.programs.filesystem import Directory, FileError, Filesystem, join, normal
from tests.programs.box import Box

names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
texts = st.text("xyz\n", max_size=5)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), paths, texts),
        st.tuples(st.just("append"), paths, texts),
        st.tuples(st.just("mkdir"), paths, st.just("")),
        st.tuples(st.just("remove"), paths, st.just("")),
        st.tuples(st.just("rmdir"), paths, st.just("")),
        st.tuples(st.just("rename"), paths, paths),
    ),
    max_size=25,
)


class Model:
    """Paths of files with their texts, and paths of directories."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.directories = {"": None}

    def do(self, verb: str, path: str, more: str) -> bool:
        parent = path.rpartition("/")[0]
        below = [p for p in (*self.files, *self.directories) if p.startswith(path + "/")]
        if verb in ("write", "append"):
            if parent not in self.directories or path in self.directories:
                return False
            self.files[path] = (self.files.get(path, "") if verb == "append" else "") + more
            return True
        if verb == "mkdir":
            if parent not in self.directories or path in self.files or path in self.directories:
                return False
            self.directories[path] = None
            return True
        if verb == "remove":
            return self.files.pop(path, None) is not None
        if verb == "rmdir":
            if path not in self.directories or below:
                return False
            del self.directories[path]
            return True
        return self._rename(path, more, below)

    def _rename(self, old: str, new: str, below: list[str]) -> bool:
        if old == new:
            return old in self.files or old in self.directories
        if new.rpartition("/")[0] not in self.directories or (new + "/").startswith(old + "/"):
            return False
        if old in self.files:
            if new in self.directories:
                return False
            self.files[new] = self.files.pop(old)
            return True
        if old not in self.directories or new in self.files:
            return False
        if any(p.startswith(new + "/") for p in (*self.files, *self.directories)):
            return False
        for path in [old, *below]:
            moved = new + path[len(old) :]
            if path in self.files:
                self.files[moved] = self.files.pop(path)
            else:
                del self.directories[path]
                self.directories[moved] = None
        return True


@given(steps)
@settings(max_examples=200, deadline=None)
def test_files_are_where_they_were_put(steps: list[tuple[str, str, str]]) -> None:
    fs, model = Filesystem(Directory()), Model()
    changes: list[int] = []
    fs.root.watch(lambda: changes.append(1))
    for verb, path, more in steps:
        before = len(changes)
        try:
            if verb in ("write", "append"):
                fs.write(path, more, append=verb == "append")
            else:
                getattr(fs, verb)(path, *([more] if verb == "rename" else []))
            done = True
        except FileError:
            done = False
        assert done == model.do(verb, path, more), (verb, path, more)
        assert done or len(changes) == before, "a refusal changes nothing"
    for path, text in model.files.items():
        assert fs.read(path) == text
    assert {path for path in model.directories if path} == set(_directories(fs, ""))


def _directories(fs: Filesystem, path: str) -> list[str]:
    found = []
    for name in fs.list(path or "/"):
        inner = f"{path}/{name}"
        if fs.is_dir(inner):
            found += [inner, *_directories(fs, inner)]
    return found


def test_a_volume_is_one_for_all_who_mount_it_and_outlives_them() -> None:
    volume = Directory()
    first = Box("echo one > /data/f; sleep 1", mounts={"/data": volume}).run(2)
    second = Box("cat /data/f; echo two >> /data/f", mounts={"/data": volume})
    assert second.log == ["one"]
    assert first.container.fs.read("/data/f") == "one\ntwo\n"


def test_a_change_in_a_volume_is_seen_by_all_who_mount_it() -> None:
    volume = Directory()
    one = Box("sleep 60", mounts={"/a": volume})
    two = Box("sleep 60", mounts={"/b": volume})
    before = two.container.version
    one.sh("touch /a/f")
    assert two.container.version > before
    assert two.exec("ls", "/b").stdout == "f\n"


def test_a_mount_point_cannot_be_removed() -> None:
    box = Box("sleep 60", mounts={"/data": Directory({"f": "x"})})
    assert box.sh("rm -rf /data").stderr == "rm: can't remove '/data': Device or resource busy\n"
    assert box.sh("rmdir /data").exit_code == 1
    assert box.sh("rm -rf /data/*; ls /data").output == ""


def test_a_new_instance_finds_a_new_file_system_but_the_old_volume() -> None:
    box = Box("touch /tmp/x /data/y; exit 1", mounts={"/data": Directory()})
    box.wire["command"] = ["sh", "-c", "ls /tmp /data"]
    assert box.again().log == ["/data:", "y", "", "/tmp:"]


def test_symbolic_links() -> None:
    box = Box("sleep 60")
    assert box.sh("mkdir /d; echo hi > /d/f; ln -s /d /l; ln -s f /d/g; cat /l/g; readlink /l").stdout == "hi\n/d\n"
    assert box.sh("ln -s a /a; cat /a").stderr == "cat: can't open '/a': Too many levels of symbolic links\n"


def test_the_log_can_be_written_to_as_a_file() -> None:
    assert Box("echo one > /proc/1/fd/1; echo two > /dev/stderr; echo three > /dev/null").log == ["one", "two"]


def test_a_disk_can_be_full() -> None:
    run = Box("sleep 60").sh("yes > /tmp/f; dd if=/dev/zero of=/tmp/g bs=1M count=100")
    assert "No space left on device" in run.output or not run.done


def test_times_of_files_are_the_clocks() -> None:
    box = Box("touch /tmp/a; sleep 120; touch /tmp/b; sleep 60")
    box.run(130)
    now = int(box.exec("date", "+%s").stdout)
    assert int(box.exec("stat", "-c", "%Y", "/tmp/a").stdout) == now - 130
    assert box.exec("find", "/tmp", "-mmin", "-1", "-type", "f").stdout == "/tmp/b\n"
    assert box.sh("[ /tmp/b -nt /tmp/a ]").exit_code == 0


@pytest.mark.parametrize(
    ("path", "wanted"), [("/a/../b", "/b"), ("//a//b/", "/a/b"), ("/..", "/"), ("/a/./b/..", "/a"), ("/", "/")]
)
def test_paths_are_made_plain(path: str, wanted: str) -> None:
    assert normal(path) == wanted
    assert join("/base", "x") == "/base/x"
