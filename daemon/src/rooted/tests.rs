use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;

use super::*;

fn folder() -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir_all(temp.path().join("work/sub")).unwrap();
    fs::write(temp.path().join("work/sub/a.txt"), "inside").unwrap();
    fs::write(temp.path().join("secret"), "outside").unwrap();
    temp
}
fn open(temp: &tempfile::TempDir) -> Root {
    Root::open(&temp.path().join("work")).unwrap()
}
fn text(root: &Root, path: &Path) -> Result<String, Refusal> {
    match root.entry(path)? {
        Entry::File(mut file) => {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            Ok(text)
        }
        Entry::Folder(_) => Ok("(folder)".into()),
    }
}

#[test]
fn entries_below_the_folder_are_found() {
    let temp = folder();
    let root = open(&temp);
    for path in ["sub/a.txt", "./sub/./a.txt", "sub//a.txt"] {
        assert_eq!(text(&root, Path::new(path)).unwrap(), "inside", "{path}");
    }
    assert_eq!(text(&root, &temp.path().join("work/sub/a.txt")).unwrap(), "inside");
    for path in ["sub", "sub/", ".", ""] {
        assert_eq!(text(&root, Path::new(path)).unwrap(), "(folder)", "{path}");
    }
    assert!(matches!(text(&root, Path::new("sub/b.txt")), Err(Refusal::Absent)));
    assert!(matches!(text(&root, Path::new("no/b.txt")), Err(Refusal::Absent)));
    assert!(matches!(text(&root, Path::new("sub/a.txt/b")), Err(Refusal::Absent)));
}

#[test]
fn no_path_escapes_the_folder() {
    let temp = folder();
    let root = open(&temp);
    let secret = temp.path().join("secret");
    let climbing = temp.path().join("work/../secret");
    for path in ["../secret", "sub/../../secret", "sub/../sub/a.txt", "/etc/passwd", ".."] {
        assert!(matches!(text(&root, Path::new(path)), Err(Refusal::Outside)), "{path}");
    }
    assert!(matches!(text(&root, &secret), Err(Refusal::Outside)));
    assert!(matches!(text(&root, &climbing), Err(Refusal::Outside)));
}

#[test]
fn a_link_that_stays_inside_is_followed() {
    let temp = folder();
    let work = temp.path().join("work");
    let real = work.canonicalize().unwrap();
    symlink("a.txt", work.join("sub/near")).unwrap();
    symlink("sub", work.join("also")).unwrap();
    symlink("../also/near", work.join("sub/far")).unwrap();
    symlink(work.join("sub/a.txt"), work.join("absolute")).unwrap();
    symlink(real.join("sub"), work.join("real")).unwrap();
    symlink("../work/sub/a.txt", work.join("around")).unwrap();
    let root = open(&temp);
    for path in ["sub/near", "also/a.txt", "also/near", "sub/far", "absolute", "real/near", "around"] {
        assert_eq!(text(&root, Path::new(path)).unwrap(), "inside", "{path}");
    }
    assert_eq!(text(&root, Path::new("also")).unwrap(), "(folder)");
}

#[test]
fn a_broken_or_escaping_link_is_refused_by_name() {
    let temp = folder();
    let work = temp.path().join("work");
    symlink(temp.path().join("secret"), work.join("link")).unwrap();
    symlink(temp.path(), work.join("up")).unwrap();
    symlink("../secret", work.join("beside")).unwrap();
    symlink("up/secret", work.join("twice")).unwrap();
    symlink("/proc/self/root", work.join("magic")).unwrap();
    symlink("gone", work.join("dangling")).unwrap();
    symlink("b", work.join("a")).unwrap();
    symlink("a", work.join("b")).unwrap();
    let root = open(&temp);
    for path in ["link", "up/secret", "up", "beside", "twice", "magic/etc/passwd"] {
        assert!(matches!(text(&root, Path::new(path)), Err(Refusal::LinkOut(_))), "{path}");
    }
    let said = |path: &str| text(&root, Path::new(path)).unwrap_err().to_string();
    assert!(said("beside").contains("leads out of the folder, to `../secret`"), "{}", said("beside"));
    assert_eq!(said("dangling"), "it is a link to `gone`, which does not exist");
    assert!(matches!(text(&root, Path::new("a")), Err(Refusal::Cycle)));
}

#[test]
fn fanlights_own_files_are_never_links() {
    let temp = folder();
    symlink(temp.path().join("work"), temp.path().join("moved")).unwrap();
    symlink("../secret", temp.path().join("work/log")).unwrap();
    assert!(Root::open_own(temp.path(), "work").is_ok());
    assert!(Root::open_own(temp.path(), "moved").is_err());
    assert!(Root::open_own(&temp.path().join("moved"), "sub").is_err());
    for (folder, name) in [("work", "log"), ("moved", "log"), ("moved", "sub")] {
        assert!(
            matches!(open_own(&temp.path().join(folder), name), Err(Refusal::Replaced)),
            "{folder}/{name}"
        );
    }
    assert!(open_own(&temp.path().join("work/sub"), "a.txt").is_ok());
}

#[test]
fn special_files_are_refused_without_opening_them() {
    let temp = folder();
    let work = temp.path().join("work");
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, work.join("fifo"), mode).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(work.join("socket")).unwrap();
    let root = open(&temp);
    assert!(matches!(text(&root, Path::new("fifo")), Err(Refusal::Special("a fifo"))));
    assert!(matches!(text(&root, Path::new("socket")), Err(Refusal::Special("a socket"))));
    let devices = Root::open(Path::new("/dev")).unwrap();
    assert!(matches!(text(&devices, Path::new("null")), Err(Refusal::Special("a device"))));
}

/// Returns the entries of a walk, with a mark for those that aren't files.
fn met(root: &Root, depth: usize, links: Links) -> Vec<String> {
    let mut seen = Vec::new();
    walk(root, Path::new(""), depth, links, &mut |path, met| {
        let mark = match met {
            WalkEntry::File(_) => "",
            WalkEntry::Folder => "/",
            WalkEntry::Passed => "|",
            WalkEntry::Link(_) => "@",
            WalkEntry::BrokenLink(..) => "?",
            WalkEntry::Other(_) | WalkEntry::Unreadable | WalkEntry::TooDeep => "!",
        };
        seen.push(format!("{}{mark}", path.display()));
        Ok(())
    })
    .unwrap();
    seen
}

#[test]
fn a_walk_is_in_name_order_and_treats_links_as_configured() {
    let temp = folder();
    let work = temp.path().join("work");
    symlink(temp.path(), work.join("out")).unwrap();
    symlink(".", work.join("sub/loop")).unwrap();
    symlink("sub", work.join("also")).unwrap();
    symlink("sub/a.txt", work.join("a")).unwrap();
    fs::write(work.join("b"), "").unwrap();
    fs::write(work.join("B"), "").unwrap();
    let root = open(&temp);
    let ignored = ["B", "a!", "also!", "b", "out!", "sub/", "sub/a.txt", "sub/loop!"];
    assert_eq!(met(&root, MAX_DEPTH, Links::Ignore), ignored);
    let themselves = ["B", "a@", "also@", "b", "out@", "sub/", "sub/a.txt", "sub/loop@"];
    assert_eq!(met(&root, MAX_DEPTH, Links::Themselves), themselves);
    let files = ["B", "a", "also|", "b", "out?", "sub/", "sub/a.txt", "sub/loop|"];
    assert_eq!(met(&root, MAX_DEPTH, Links::ToFiles), files);
    let followed =
        ["B", "a", "also/", "also/a.txt", "also/loop?", "b", "out?", "sub/", "sub/a.txt", "sub/loop?"];
    assert_eq!(met(&root, MAX_DEPTH, Links::Follow), followed);
    assert_eq!(met(&root, 0, Links::Follow), ["B", "a", "also|", "b", "out?", "sub|"]);
}
