mod branch;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use fanlight_shared::home::Home;
use fanlight_shared::testing::wait_for;

use super::*;
use crate::command::fixture;
use crate::store::Store;

/// A project, and a home whose attempts get copies of it.
struct World {
    temp: tempfile::TempDir,
    store: Store,
    home: Home,
}

fn world() -> World {
    world_with_home("home")
}

fn world_with_home(home: &str) -> World {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("project")).unwrap();
    let home = Home::below(&temp.path().join(home)).unwrap();
    World { store: Store::open(&home).unwrap(), home, temp }
}

impl World {
    fn project(&self) -> PathBuf {
        self.temp.path().join("project")
    }
    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.project().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
    fn new_attempt(&self) -> (Attempt, Folder) {
        let attempt = fixture::attempt();
        let folder = Folder::of(&self.home.attempts(), attempt.id);
        folder.make().unwrap();
        (attempt, folder)
    }
    fn make(&self, dir: &WorkDir) -> Result<Folder, FileError> {
        let (attempt, folder) = self.new_attempt();
        make(dir, &attempt, &folder, self.store.blobs()).map(|()| folder)
    }
    fn copy(&self, exclude: &[&str]) -> Folder {
        self.make(&self.copied(exclude)).unwrap()
    }
    fn copied(&self, exclude: &[&str]) -> WorkDir {
        let exclude = exclude.iter().map(|it| (*it).to_owned()).collect();
        WorkDir::Copy { from: self.project(), exclude }
    }
    fn worktree(&self, revision: &str) -> Result<Folder, FileError> {
        self.make(&WorkDir::Worktree { repo: self.project(), revision: revision.to_owned() })
    }
    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
        let output = command.current_dir(self.project()).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
    /// Makes the project a repository with one commit.
    fn commit(&self) {
        self.git(&["init", "-q"]);
        self.git(&["add", "."]);
        self.git(&["commit", "-qm", "begin"]);
    }
}

/// Returns the names of everything below a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut ahead = vec![folder.to_owned()];
    while let Some(next) = ahead.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            names.push(entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned());
            if entry.file_type().unwrap().is_dir() {
                ahead.push(entry.path());
            }
        }
    }
    names.sort();
    names
}

#[test]
fn a_copy_has_the_bytes_modes_times_and_links_of_the_folder_and_shares_no_inode() {
    let world = world();
    let old = SystemTime::now() - Duration::from_hours(48);
    let program = world.write("bin/run", "#!/bin/sh\n");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::File::options().write(true).open(&program).unwrap().set_modified(old).unwrap();
    symlink("bin/run", world.project().join("run")).unwrap();
    symlink("nowhere", world.project().join("dangling")).unwrap();
    fs::File::open(world.project().join("bin")).unwrap().set_modified(old).unwrap();
    fs::set_permissions(world.project().join("bin"), fs::Permissions::from_mode(0o555)).unwrap();
    let folder = world.copy(&[]);
    let copy = folder.separate();
    assert_eq!(names(&copy), ["bin", "bin/run", "dangling", "run"]);
    let (one, other) = (fs::metadata(&program).unwrap(), fs::metadata(copy.join("bin/run")).unwrap());
    assert_eq!(other.modified().unwrap(), one.modified().unwrap());
    assert_eq!((other.mode(), other.nlink()), (one.mode(), 1));
    assert_ne!(other.ino(), one.ino());
    let bin = fs::metadata(copy.join("bin")).unwrap();
    assert_eq!(
        bin.modified().unwrap(),
        fs::metadata(world.project().join("bin")).unwrap().modified().unwrap()
    );
    assert_eq!(bin.mode() & 0o777, 0o555);
    assert_eq!(fs::read_link(copy.join("run")).unwrap(), Path::new("bin/run"));
    fs::write(copy.join("bin/run"), "changed").unwrap();
    assert_eq!(fs::read_to_string(&program).unwrap(), "#!/bin/sh\n");

    folder.clean_up().unwrap();
    assert!(!copy.exists() && program.exists());
    fs::set_permissions(world.project().join("bin"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_a_pattern_matches_is_not_copied() {
    let world = world();
    for path in ["target/debug/a", "src/main.rs", "src/main.o", "deep/target/kept", ".git/HEAD"] {
        world.write(path, "x");
    }
    let folder = world.copy(&["target/", ".git", "**/*.o"]);
    assert_eq!(names(&folder.separate()), ["deep", "deep/target", "deep/target/kept", "src", "src/main.rs"]);
}

#[test]
fn strange_names_loops_and_special_files_neither_break_nor_block_a_copy() {
    let world = world();
    let names = [OsStr::new("two\nlines"), OsStr::from_bytes(b"not \xff utf-8"), OsStr::new("-f")];
    for name in names {
        fs::write(world.project().join(name), "x").unwrap();
    }
    world.write("a/b/file", "x");
    symlink("../..", world.project().join("a/b/loop")).unwrap();
    symlink("self", world.project().join("self")).unwrap();
    symlink("/etc/hosts", world.project().join("out")).unwrap();
    symlink("../beside", world.project().join("up")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        world.project().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(world.project().join("socket")).unwrap();
    let folder = world.copy(&[]);
    let copy = folder.separate();
    assert!(names.iter().all(|name| fs::read(copy.join(name)).unwrap() == b"x"));
    assert_eq!(fs::read_link(copy.join("a/b/loop")).unwrap(), Path::new("../.."));
    assert!(fs::symlink_metadata(copy.join("self")).unwrap().is_symlink());
    let special = fs::read_dir(&copy).unwrap().map(|it| it.unwrap().file_type().unwrap());
    assert!(special.into_iter().all(|kind| !kind.is_fifo() && !kind.is_socket()));
    let mut told = notes(&folder);
    told.sort();
    assert_eq!(
        told,
        [
            "`out` is a link out of the copy, to `/etc/hosts`: what is written through it is not separate",
            "`pipe` is not copied: it is a fifo",
            "`socket` is not copied: it is a socket",
            "`up` is a link out of the copy, to `../beside`: what is written through it is not separate",
        ]
    );
}

#[test]
fn a_copy_of_a_work_tree_says_that_its_repository_is_elsewhere() {
    let world = world();
    world.write(".git", "gitdir: /other/.git/worktrees/mine\n");
    world.write("module/.git", "gitdir: ../.git/modules/module\n");
    let expected = "`.git` names a repository out of the copy, `/other/.git/worktrees/mine`: what git writes to it, such as \
                    commits, is not separate";
    assert_eq!(notes(&world.copy(&[])), [expected]);
}

#[test]
fn a_file_that_never_rests_is_an_error_with_its_name() {
    let world = world();
    let path = world.write("growing.log", "x");
    let end = CancellationToken::new();
    let made = std::thread::scope(|scope| {
        // They end also if this test fails.
        let _end = end.clone().drop_guard();
        // Several, because one may have to wait for a processor.
        for _ in 0..4 {
            scope.spawn(|| {
                let mut file = fs::File::options().append(true).open(&path).unwrap();
                while !end.is_cancelled() {
                    file.write_all(b"more").unwrap();
                }
            });
        }
        wait_for("the first writes", || fs::metadata(&path).unwrap().len() > 1);
        world.make(&world.copied(&[]))
    });
    let why = made.unwrap_err().to_string();
    assert!(why.contains("growing.log changes while it is copied") && why.contains("`exclude`"), "{why}");
}

#[test]
fn a_home_in_the_folder_is_not_copied_into_itself() {
    let world = world_with_home("project/.fanlight");
    world.write("a", "x");
    let first = world.copy(&[]);
    let second = world.copy(&[]);
    for folder in [first, second] {
        assert_eq!(names(&folder.separate()), [".fanlight", "a"]);
        assert_eq!(notes(&folder).len(), 2);
    }
}

#[test]
fn a_cancelled_attempt_stops_copying() {
    let world = world();
    world.write("a", "x");
    let (attempt, folder) = world.new_attempt();
    attempt.cancel.cancel();
    assert!(make(&world.copied(&[]), &attempt, &folder, world.store.blobs()).is_err());
    assert!(!folder.separate().join("a").exists());
}

#[test]
fn a_work_tree_has_the_revision_and_the_repository_forgets_it_when_the_attempt_is_cleaned_up() {
    let world = world();
    world.write("a", "old");
    world.commit();
    world.git(&["branch", "stable"]);
    world.write("a", "new");
    world.git(&["commit", "-qam", "change"]);
    world.write("mine", "not committed");
    let before = world.git(&["status", "--porcelain", "--branch"]);
    let (old, new) = (world.worktree("stable").unwrap(), world.worktree("HEAD").unwrap());
    assert_eq!(fs::read_to_string(old.separate().join("a")).unwrap(), "old");
    assert_eq!(names(&new.separate()), [".git", "a"]);
    assert_eq!(fs::read_to_string(new.separate().join("a")).unwrap(), "new");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 3);
    // The command may leave it damaged and locked.
    let locked = old.separate().display().to_string();
    world.git(&["worktree", "lock", &locked]);
    fs::remove_file(old.separate().join(".git")).unwrap();
    old.clean_up().unwrap();
    old.clean_up().unwrap();
    new.remove().unwrap();
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
    assert!(!old.separate().exists() && !new.path().exists());
    assert_eq!(world.git(&["status", "--porcelain", "--branch"]), before);
}

#[test]
fn work_trees_of_the_user_that_are_away_stay_known() {
    let world = world();
    world.write("a", "x");
    world.commit();
    let usb = world.temp.path().join("usb").display().to_string();
    world.git(&["worktree", "add", "-q", &usb]);
    fs::rename(&usb, world.temp.path().join("away")).unwrap();
    world.worktree("HEAD").unwrap().clean_up().unwrap();
    assert!(world.git(&["worktree", "list"]).contains("usb"));
}

#[test]
fn many_attempts_add_and_remove_work_trees_of_one_repository_at_the_same_time() {
    let world = world();
    world.write("a", "x");
    world.commit();
    std::thread::scope(|scope| {
        let works: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..3 {
                        let folder = world.worktree("HEAD").unwrap();
                        assert!(folder.separate().join("a").exists());
                        folder.clean_up().unwrap();
                    }
                })
            })
            .collect();
        works.into_iter().for_each(|it| it.join().unwrap());
    });
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn hooks_and_monitors_of_a_repository_do_not_run() {
    let world = world();
    world.write("a", "x");
    world.commit();
    let trap = world.temp.path().join("trap");
    let script = format!("#!/bin/sh\necho ran >> '{}'\n", trap.display());
    for name in ["post-checkout", "reference-transaction", "post-index-change", "monitor"] {
        let hook = world.write(&format!(".git/hooks/{name}"), &script);
        fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    world.git(&["config", "core.fsmonitor", ".git/hooks/monitor"]);
    world.worktree("HEAD").unwrap().clean_up().unwrap();
    assert!(!trap.exists(), "{}", fs::read_to_string(trap).unwrap());
}

#[test]
fn a_folder_without_a_repository_and_an_unknown_revision_are_named() {
    let world = world();
    world.write("a", "x");
    let outside = world.worktree("HEAD").unwrap_err().to_string();
    assert!(outside.contains("project is in no git repository"), "{outside}");
    world.git(&["init", "-q"]);
    let unborn = world.worktree("HEAD").unwrap_err().to_string();
    assert!(unborn.contains("has no revision `HEAD`"), "{unborn}");
    world.commit();
    let unknown = world.worktree("no/such").unwrap_err().to_string();
    assert!(unknown.contains("has no revision `no/such`"), "{unknown}");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn a_bare_repository_and_one_with_submodules_have_work_trees() {
    let world = world();
    world.write("a", "x");
    world.commit();
    let inner = world.temp.path().join("inner").display().to_string();
    world.git(&["clone", "-q", ".", &inner]);
    world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &inner, "sub"]);
    world.git(&["commit", "-qm", "submodule"]);
    let folder = world.worktree("HEAD").unwrap();
    assert_eq!(names(&folder.separate()), [".git", ".gitmodules", "a", "sub"]);
    assert!(notes(&folder)[0].starts_with("submodules are not checked out"));
    folder.clean_up().unwrap();
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);

    let bare = world.temp.path().join("bare.git");
    world.git(&["clone", "-q", "--bare", ".", &bare.display().to_string()]);
    let folder = world.make(&WorkDir::Worktree { repo: bare, revision: "HEAD".into() }).unwrap();
    assert!(folder.separate().join("a").exists());
    folder.clean_up().unwrap();
}

#[test]
fn a_checkout_that_fails_while_the_disk_is_full_waits_for_space() {
    let world = world();
    world.write("a", "x");
    world.write(".gitattributes", "a filter=broken\n");
    world.commit();
    world.git(&["config", "filter.broken.smudge", "false"]);
    world.git(&["config", "filter.broken.required", "true"]);
    assert!(matches!(world.worktree("HEAD"), Err(FileError::Other(_))));
    world.store.blobs().set_full(true);
    assert!(matches!(world.worktree("HEAD"), Err(FileError::Full(_))));
}

#[test]
fn a_cancelled_checkout_ends_although_a_filter_ignores_the_signal() {
    let world = world();
    world.write("a", "x");
    world.write(".gitattributes", "a filter=slow\n");
    world.commit();
    let begun = world.temp.path().join("begun");
    let script = world.temp.path().join("filter");
    let text = "trap '' TERM\ntouch \"$1\"\nwhile [ -e \"$1\" ]; do sleep 0.1; done\n";
    fs::write(&script, text).unwrap();
    let filter = format!("sh '{}' '{}'", script.display(), begun.display());
    world.git(&["config", "filter.slow.smudge", &filter]);
    let (attempt, folder) = world.new_attempt();
    let dir = WorkDir::Worktree { repo: world.project(), revision: "HEAD".into() };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The checkout ends also if this fails.
            let _cancel = attempt.cancel.clone().drop_guard();
            wait_for("the filter", || begun.exists());
        });
        assert!(make(&dir, &attempt, &folder, world.store.blobs()).is_err());
    });
    folder.clean_up().unwrap();
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
}
