"""Files in bounded memory, and who came first."""

from hypothesis import given
from hypothesis import strategies as st

from provenance.agent import _table
from provenance.agent._table import READ, WRITTEN, Table


def test_first_is_read_only_where_that_is_certain():
    table = Table()
    table.read("/d/read", 10)
    table.write("/d/read", 20)
    table.write("/d/written", 20)
    table.read("/d/written", 30)
    table.read("/d/same", 20)
    table.write("/d/same", 20)
    table.write("/d/late", 50)
    table.write("/d/late", 5)
    table.read("/d/late", 10)
    firsts = {path: table.get(path).first for path in table.files()}
    assert firsts == {"/d/read": "r", "/d/written": "w", "/d/same": "r", "/d/late": "w"}
    assert table.get("/d/read").how == READ | WRITTEN


def test_a_folder_is_folded_but_for_sources_and_what_was_written():
    table = Table(folder_limit=5)
    table.write("/d/3.png", 1)
    table.read("/d/model.py", 1)
    for number in range(10):
        table.read("/d/%d.png" % number, 1)
        table.read("/e/x.png", 1)
    assert list(table.files()) == ["/d/3.png", "/d/model.py", "/e/x.png"]
    assert table.folders["/d"].many == 9
    assert not table.read("/d/11.png", 1)
    assert table.read("/d/config.yaml", 1)


@given(
    st.lists(
        st.tuples(st.sampled_from("rwmd"), st.integers(0, 40), st.integers(0, 200)), max_size=600
    )
)
def test_it_never_holds_more_than_its_limit(steps):
    table = Table(folder_limit=8, entry_limit=100)
    for kind, folder, name in steps:
        path = "/data/set/%d/%d" % (folder, name)
        if kind == "r":
            table.read(path, 1)
        elif kind == "w":
            table.write(path, 1)
        elif kind == "m":
            table.many("/data/set/%d" % folder, 3)
        else:
            table.drop(path)
        # folders count as well; each step may add one before the table shrinks
        assert sum(len(f.entries) for f in table.folders.values()) <= 100
    assert len(list(table.files())) == len(set(table.files()))


def test_very_many_small_folders_are_folded_into_their_parent():
    table = Table(folder_limit=8, entry_limit=1000)
    for number in range(5000):
        table.read("/data/hashed/%04d/object" % number, 1)
    table.write("/data/out", 1)
    assert len(table.folders) <= 1100
    assert table.folders["/data/hashed"].many + len(list(table.files())) - 1 >= 4500
    assert not table.full


def test_renamed_folders_keep_their_files():
    table = Table()
    table.write("/t/a", 1)
    table.write("/t/b/c", 2)
    table.write("/tt/x", 3)
    table.rename_folder("/t", "/final")
    assert list(table.files()) == ["/final/a", "/final/b/c", "/tt/x"]


def test_counting_files(tmp_path):
    for number in range(5):
        (tmp_path / str(number)).write_text("")
    (tmp_path / "folder").mkdir()
    assert _table.files_in(str(tmp_path), 100) == 5
    assert _table.files_in(str(tmp_path), 3) == 3
    assert _table.files_in(str(tmp_path / "gone"), 7) == 7
