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
fn what_lies_below_is_found() {
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
fn no_path_climbs_out() {
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
fn no_link_is_followed() {
    let temp = folder();
    let work = temp.path().join("work");
    symlink(temp.path().join("secret"), work.join("link")).unwrap();
    symlink("a.txt", work.join("sub/near")).unwrap();
    symlink(temp.path(), work.join("up")).unwrap();
    symlink("sub", work.join("also")).unwrap();
    let root = open(&temp);
    for path in ["link", "sub/near", "up/secret", "also/a.txt", "up"] {
        assert!(matches!(text(&root, Path::new(path)), Err(Refusal::Link)), "{path}");
    }
    for path in ["up", "also", "sub/near"] {
        assert!(root.subfolder_by_parts(Path::new(path)).is_err(), "{path}");
    }
    assert!(matches!(root.subfolder_by_parts(Path::new("also")), Err(Refusal::Link)));
    assert!(root.subfolder_by_parts(Path::new("sub")).is_ok());
}

#[test]
fn what_is_no_file_is_refused_without_opening_it() {
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

#[test]
fn a_walk_follows_nothing_and_keeps_name_order() {
    let temp = folder();
    let work = temp.path().join("work");
    symlink(temp.path(), work.join("loop")).unwrap();
    fs::write(work.join("b"), "").unwrap();
    fs::write(work.join("B"), "").unwrap();
    let Entry::Folder(fd) = open(&temp).entry(Path::new(".")).unwrap() else { panic!("no folder") };
    let mut seen = Vec::new();
    walk(fd.as_fd(), Path::new(""), DEEPEST, &mut |path, met| {
        let mark = match met {
            Met::File(_) => "",
            Met::Folder => "/",
            Met::Other(_) | Met::Shut(_) => "!",
        };
        seen.push(format!("{}{mark}", path.display()));
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, ["B", "b", "loop!", "sub/", "sub/a.txt"]);
}
