//! The folder's rules, on folders of the tests' own.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn base() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let own = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(folder.path(), own).expect("it is ours");
    folder
}

fn tables(base: &Path) -> PathBuf {
    base.join("seam/tables")
}

#[test]
fn what_is_written_is_read() {
    let base = base();
    let folder = Folder::open(base.path()).expect("ours");
    assert_eq!(folder.read("one"), None);
    folder.write("one", b"words");
    assert_eq!(folder.read("one").as_deref(), Some(&b"words"[..]));
    let again = Folder::open(base.path()).expect("ours");
    assert_eq!(again.read("one").as_deref(), Some(&b"words"[..]));
    assert_eq!(again.tables().len(), 1);
}

#[test]
fn a_folder_of_others_is_not_used() {
    let open = base();
    Folder::open(open.path()).expect("ours");
    let all = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(tables(open.path()), all).expect("ours");
    let why = Folder::open(open.path()).expect_err("anyone may write there");
    assert!(why.ends_with("others may write to it"), "{why}");

    let (linked, elsewhere) = (base(), base());
    symlink(elsewhere.path(), linked.path().join("seam")).expect("a link");
    let why = Folder::open(linked.path()).expect_err("a link");
    assert!(why.ends_with("seam: not a folder"), "{why}");
    let left: Vec<_> = std::fs::read_dir(elsewhere.path()).expect("ours").collect();
    assert!(left.is_empty());

    let file = base();
    std::fs::write(file.path().join("seam"), "").expect("ours");
    assert!(Folder::open(file.path()).is_err());
    assert!(Folder::open(Path::new("/proc/nowhere/at/all")).is_err());
}

#[test]
fn tables_that_are_links_or_devices_are_not_read() {
    let base = base();
    let folder = Folder::open(base.path()).expect("ours");
    symlink("/etc/hostname", tables(base.path()).join("link")).expect("a link");
    assert_eq!(folder.read("link"), None);
    let pipe = tables(base.path()).join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).expect("a pipe");
    assert_eq!(folder.read("pipe"), None);
}

#[test]
fn the_folder_stays_within_its_bounds() {
    let base = base();
    let folder = Folder::open(base.path()).expect("ours");
    let now = SystemTime::now();
    // Sparse files: the sizes count, not the disk.
    for (name, age, mib) in [("old", 9, 100), ("older", 10, 100), ("new", 1, 50)] {
        let file = File::create(tables(base.path()).join(name)).expect("ours");
        file.set_len(mib << 20).expect("ours");
        let used = now - Duration::from_secs(age * 3600);
        file.set_modified(used).expect("ours");
    }
    let unfinished = tables(base.path()).join("new-1-x");
    let file = File::create(&unfinished).expect("ours");
    file.set_modified(now - Duration::from_secs(7200))
        .expect("ours");
    assert!(folder.make_room(20 << 20));
    let mut names: Vec<_> = folder.tables().into_iter().map(|t| t.name).collect();
    names.sort();
    assert_eq!(names, ["new", "old"]);
    assert!(!folder.make_room(FOLDER_BYTES_MAX + 1));
}

#[test]
fn only_what_was_made_of_this_file_is_used() {
    let base = base();
    let path = std::env::current_exe().expect("a test");
    let bytes = std::fs::read(&path).expect("its file");
    let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
    let file = FileFacts::of(&File::open(&path).expect("its file"));
    let Some(name) = key(&elf, file) else {
        // No build id from this linker: nothing would be kept.
        assert!(elf.build_id().is_none() || (bytes.len() as u64) < FILE_BYTES_MIN);
        return;
    };
    let mut cache = TableCache {
        folder: Folder::open(base.path()),
        stamp: own_stamp(),
        ..TableCache::default()
    };
    let (built, missing) = cache.table(&elf, file);
    let built = built.and_then(Found::table).expect("a table");
    assert_eq!((missing.as_ref(), cache.found()), (Some(&name), 0));
    let folder = Folder::open(base.path()).expect("ours");
    let stamp = format!("{name} {}", own_stamp());
    folder.write(&name, &built.to_stored(&stamp));
    let (found, missing) = cache.table(&elf, file);
    assert_eq!(
        (found.and_then(Found::table), missing, cache.found()),
        (Ok(built.clone()), None, 1)
    );
    // Another seam, another length or time, another file under this name: built anew.
    let (mut longer, mut later) = (file, file);
    longer.bytes += 1;
    later.modified.1 += 1;
    assert!(cache.table(&elf, later).1.is_some());
    cache.stamp = "another".to_owned();
    assert!(cache.table(&elf, file).1.is_some());
    cache.stamp = own_stamp();
    assert!(cache.table(&elf, longer).1.is_some());
    folder.write(&name, &built.to_stored("another file"));
    assert!(cache.table(&elf, file).1.is_some());
    assert_eq!(cache.found(), 1);
}
