use std::fs;
use std::os::unix::fs::PermissionsExt;

use fanlight_shared::home::Home;
use fanlight_shared::workflow::Shell;

use super::*;
use crate::command::fixture;
use crate::executor::{Argument, Program};
use crate::store::Store;

/// A project with files, a folder of programs, and a command.
struct Place {
    temp: tempfile::TempDir,
    store: Store,
    daemon: Vec<(String, String)>,
    submitted: Vec<(String, String)>,
    withheld: Vec<String>,
    work: CommandWork,
    remember: Remember,
}

impl Place {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(&Home::below(&temp.path().join("home")).unwrap()).unwrap();
        let mut work = fixture::work();
        work.program = Program::Script { text: "true".into(), shell: Shell::Sh };
        let path = temp.path().join("bin").to_str().unwrap().to_owned();
        let place = Self {
            daemon: vec![("PATH".into(), path), ("LANG".into(), "C".into()), ("TZ".into(), "UTC".into())],
            temp,
            store,
            submitted: Vec::new(),
            withheld: Vec::new(),
            work,
            remember: Remember::default(),
        };
        place.program("bin/sh", "a shell");
        place.file("a.csv", "one");
        place.file("src/b.py", "two");
        place.file("src/deep/c.py", "three");
        place
    }

    fn file(&self, name: &str, content: &str) {
        let path = self.temp.path().join("project").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn program(&self, name: &str, content: &str) {
        let path = self.temp.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn files(mut self, files: &[&str]) -> Self {
        self.remember.files = files.iter().map(|it| (*it).to_owned()).collect();
        self
    }

    fn look(&self) -> Result<Surroundings, String> {
        let submitted: Vec<(&str, &str)> =
            self.submitted.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let attempt = fixture::attempt_with(&submitted);
        let mut run = RunFacts { project: None, ..facts(&attempt.run) };
        run.project = Some(self.temp.path().join("project"));
        let daemon = self.daemon.iter().map(|(name, value)| (name.into(), value.into()));
        let environment = Environment::inherit(daemon, &[]);
        of((&environment, self.store.blobs()), &run, &self.withheld, &self.work, &self.remember)
    }

    fn names(&self) -> Vec<String> {
        self.look().unwrap().parts.into_iter().map(|(name, _)| name).collect()
    }

    fn parts(&self) -> Vec<(String, Vec<u8>)> {
        self.look().unwrap().parts
    }
}

fn facts(run: &RunFacts) -> RunFacts {
    let RunFacts { id, number, label, workflow_id, workflow, project, environment } = run;
    RunFacts {
        id: *id,
        number: *number,
        label: label.clone(),
        workflow_id: *workflow_id,
        workflow: workflow.clone(),
        project: project.clone(),
        environment: environment.clone(),
    }
}

#[test]
fn files_count_by_their_path_and_content() {
    let place = Place::new().files(&["a.csv", "src/**"]);
    assert_eq!(place.names(), ["program", "file a.csv", "file src/b.py", "file src/deep/c.py"]);
    let before = place.parts();
    place.file("src/deep/c.py", "three");
    assert_eq!(place.parts(), before, "the same content");
    place.file("src/deep/c.py", "four!");
    let changed = place.parts();
    assert_ne!(changed, before);
    assert_eq!(changed[..3], before[..3]);
    place.file("src/new.py", "");
    assert_ne!(place.parts(), changed, "a new file matches");
}

#[test]
fn a_file_that_was_written_again_looks_different_even_with_its_old_content() {
    let place = Place::new().files(&["a.csv"]);
    let before = place.look().unwrap();
    assert_eq!(place.look().unwrap(), before);
    let path = place.temp.path().join("project/a.csv");
    fs::remove_file(&path).unwrap();
    place.file("a.csv", "one");
    let old = fs::File::options().write(true).open(&path).unwrap();
    old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let now = place.look().unwrap();
    assert_eq!(now.parts, before.parts);
    assert_ne!(now, before);
}

#[test]
fn what_cannot_be_looked_at_is_named() {
    let wrong = |files: &[&str]| Place::new().files(files).look().unwrap_err();
    assert!(wrong(&["b.csv"]).ends_with("matches `b.csv`"), "{}", wrong(&["b.csv"]));
    assert!(wrong(&["a.csv", "none/*.csv"]).contains("matches `none/*.csv`"));
    assert!(wrong(&["src"]).ends_with("it is a folder: write `src/**`"));

    let place = Place::new().files(&["*.csv"]);
    std::os::unix::fs::symlink("/etc/passwd", place.temp.path().join("project/out.csv")).unwrap();
    assert!(place.look().unwrap_err().contains("leads out of the folder"));
    let place = Place::new().files(&["*.csv"]);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.temp.path().join("project/pipe.csv"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    assert!(place.look().unwrap_err().contains("`pipe.csv` is"));
}

#[test]
fn a_linked_folder_whose_changes_would_be_missed_is_named() {
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("x.py"), "one").unwrap();
    let look = |pattern: &str| {
        let place = Place::new().files(&[pattern]);
        std::os::unix::fs::symlink(other.path(), place.temp.path().join("project/src/ext")).unwrap();
        place.look().map(drop)
    };
    for pattern in ["src/*/*.py", "src/**/*.py"] {
        let why = look(pattern).unwrap_err();
        assert!(why.contains("`src/ext` is a link to a folder") && why.contains(pattern), "{why}");
    }
    look("src/*.py").unwrap();
}

#[test]
fn files_that_match_twice_count_once_and_in_any_order() {
    let one = Place::new().files(&["src/**", "a.csv", "src/*.py"]).names();
    assert_eq!(one, Place::new().files(&["a.csv", "src/**"]).names());
}

#[test]
fn variables_that_are_passed_count_and_of_the_others_those_that_are_named() {
    let mut place = Place::new();
    place.submitted = vec![("MODE".into(), "fast".into()), ("TOKEN".into(), "x".into())];
    place.withheld = vec!["TOKEN".into()];
    place.remember.env = vec!["LANG".into(), "ABSENT".into()];
    assert_eq!(place.names(), ["env MODE", "daemon's env LANG", "program"]);
    let before = place.parts();
    place.daemon[2].1 = "CET".into();
    assert_eq!(place.parts(), before, "`TZ` is not named");
    place.daemon[1].1 = "de".into();
    assert_ne!(place.parts(), before);
}

#[test]
fn programs_count_by_their_path_and_content() {
    let mut place = Place::new();
    place.remember.tools = vec!["ffmpeg".into()];
    assert!(place.look().unwrap_err().contains("there is no program `ffmpeg` in PATH"));
    place.program("bin/ffmpeg", "7");
    let before = place.parts();
    place.program("bin/ffmpeg", "8");
    assert_ne!(place.parts()[1], before[1]);
    place.program("other/sh", "a shell");
    let other = place.temp.path().join("other").to_str().unwrap().to_owned();
    place.submitted = vec![("PATH".into(), format!("{other}:{}", place.daemon[0].1))];
    assert_ne!(place.parts()[0], before[0], "the same shell in another place");
    assert_eq!(place.names(), ["program", "tool ffmpeg"]);
}

#[test]
fn the_program_of_a_command_counts_too() {
    let mut place = Place::new();
    place.program("bin/tool", "1");
    let own = place.temp.path().join("bin/tool").to_str().unwrap().to_owned();
    for word in ["tool", &own] {
        place.work.program = Program::Arguments(vec![Argument::Text(word.to_owned())]);
        assert_eq!(place.names(), ["program"]);
    }
    place.work.program = Program::Arguments(vec![Argument::Text("missing".into())]);
    assert_eq!(place.names(), [""; 0], "its attempt fails, and says so");
}

#[test]
fn what_is_copied_counts_except_what_is_excluded() {
    let mut place = Place::new();
    let project = place.temp.path().join("project");
    place.work.dir = Some(WorkDir::Copy { from: project.clone(), exclude: vec!["*.log".into()] });
    let all = ["program", "copied ", "copied src", "copied src/deep", "copied a.csv", "copied src/b.py"];
    assert_eq!(place.names(), [&all[..], &["copied src/deep/c.py"]].concat());
    let mut before = place.look().unwrap();
    assert_eq!(place.look().unwrap(), before);
    place.file("build.log", "excluded");
    assert_eq!(place.look().unwrap(), before);

    let changes: [&dyn Fn(); 6] = [
        &|| place.file("a.csv", "two"),
        &|| place.file("new.csv", ""),
        &|| fs::remove_file(project.join("new.csv")).unwrap(),
        &|| fs::create_dir(project.join("empty")).unwrap(),
        &|| fs::set_permissions(project.join("a.csv"), fs::Permissions::from_mode(0o700)).unwrap(),
        &|| std::os::unix::fs::symlink("a.csv", project.join("link")).unwrap(),
    ];
    for (at, change) in changes.iter().enumerate() {
        change();
        let now = place.look().unwrap();
        assert_ne!(now.parts, before.parts, "{at}");
        before = now;
    }
    std::os::unix::fs::symlink("/etc", project.join("out")).unwrap();
    let why = place.look().unwrap_err();
    assert!(why.contains("`out` leads out of the folder, to `/etc`") && why.contains("`exclude`"), "{why}");
}
