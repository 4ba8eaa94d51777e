use fanlight_shared::problem::Span;
use fanlight_shared::types::Type;

use super::*;
use crate::command::fixture;

/// A project folder, and attempts that work in it.
struct Project {
    temp: tempfile::TempDir,
    shared: SharedFolders,
}

fn project() -> Project {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir_all(temp.path().join("project/build")).unwrap();
    let shared = SharedFolders::load(&temp.path().join("attempts"));
    Project { temp, shared }
}

fn outputs(sources: &[OutputSource]) -> IndexMap<String, CommandOutput> {
    let output = |source: &OutputSource| CommandOutput {
        source: source.clone(),
        ty: Type::Any,
        name: None,
        take_unchanged: false,
        span: Span::default(),
    };
    sources.iter().enumerate().map(|(number, it)| (format!("o{number}"), output(it))).collect()
}

fn path(path: &str) -> OutputSource {
    OutputSource::Path(path.into())
}

fn glob(glob: &str) -> OutputSource {
    OutputSource::Glob(glob.into())
}

impl Project {
    fn dir(&self) -> PathBuf {
        self.temp.path().join("project")
    }
    fn write(&self, file: &str, text: &str) {
        fs::write(self.dir().join(file), text).unwrap();
    }
    /// Starts an attempt of a node with this name in a folder of the project.
    fn begin_in(&self, dir: &str, node: &str, source: OutputSource) -> AttemptId {
        let attempt = Attempt { node: node.into(), ..fixture::attempt() };
        let dir = self.dir().join(dir);
        let before = self.shared.begin(&attempt, &dir, &outputs(&[source])).unwrap();
        let folder = Folder::of(&self.temp.path().join("attempts"), attempt.id);
        folder.make().unwrap();
        before.save(&folder.before()).unwrap();
        attempt.id
    }
    fn begin(&self, node: &str, source: OutputSource) -> AttemptId {
        self.begin_in(".", node, source)
    }
    /// Collects a file of the project for an ended attempt; returns its error.
    fn collects(&self, id: AttemptId, file: &str) -> Result<(), String> {
        let now = Snapshot::now(&self.dir(), &[path(file)]).unwrap();
        self.shared.check(id, Path::new(file), now.files())
    }
    /// Loads the sessions as the next daemon does.
    fn restart(&mut self) {
        self.shared = SharedFolders::load(&self.temp.path().join("attempts"));
    }
}

#[test]
fn a_file_that_changed_while_two_collectors_ran_belongs_to_neither() {
    let project = project();
    let a = project.begin("a", path("result.txt"));
    let b = project.begin("b", path("./result.txt"));
    project.write("result.txt", "a");
    project.shared.ended(a, &[]);
    let said = project.collects(a, "result.txt").unwrap_err();
    assert!(said.contains("`result.txt` changed while `b` of poster#1 was running"), "{said}");
    assert!(
        said.contains("`lock: NAME`") && said.contains("`concurrency: 1`") && said.contains("private"),
        "{said}"
    );
    project.shared.leave(a);
    // It may have built on the other one's output.
    project.write("result.txt", "b too");
    project.shared.ended(b, &[]);
    let said = project.collects(b, "result.txt").unwrap_err();
    assert!(said.contains("`a` of poster#1"), "{said}");
}

#[test]
fn a_file_that_changed_after_the_other_attempt_ended_is_collected() {
    let project = project();
    project.write("result.txt", "old");
    let a = project.begin("a", path("result.txt"));
    let b = project.begin("b", path("result.txt"));
    project.shared.ended(a, &[]);
    assert_eq!(project.collects(a, "result.txt"), Ok(()), "nobody changed it");
    project.shared.leave(a);
    project.write("result.txt", "from b");
    project.shared.ended(b, &[]);
    assert_eq!(project.collects(b, "result.txt"), Ok(()));
}

#[test]
fn a_file_that_another_attempt_changes_before_it_is_read_is_refused() {
    let project = project();
    let a = project.begin("a", path("result.txt"));
    project.write("result.txt", "a");
    project.shared.ended(a, &[]);
    let b = project.begin("b", path("result.txt"));
    assert_eq!(project.collects(a, "result.txt"), Ok(()), "the other one has not changed it");
    project.write("result.txt", "by b");
    assert!(project.collects(a, "result.txt").unwrap_err().contains("`b` of poster#1"));
    project.shared.leave(a);
    project.shared.ended(b, &[]);
    assert_eq!(project.collects(b, "result.txt"), Ok(()), "the first one had ended before it began");
}

#[test]
fn the_changes_of_a_cancelled_attempt_count_too() {
    let project = project();
    let a = project.begin("a", path("result.txt"));
    let b = project.begin("b", glob("*.txt"));
    project.write("result.txt", "a");
    project.shared.leave(a);
    project.shared.ended(b, &[]);
    assert!(project.collects(b, "result.txt").unwrap_err().contains("`a` of poster#1"));
    assert_eq!(project.collects(b, "other.txt"), Ok(()));
}

#[test]
fn a_file_that_is_only_reported_is_compared_with_what_others_collected() {
    let project = project();
    let a = project.begin("a", glob("*.none"));
    let b = project.begin("b", glob("*.none"));
    project.write("result.txt", "a");
    project.shared.ended(a, &["result.txt".into()]);
    project.shared.leave(a);
    project.shared.ended(b, &["result.txt".into()]);
    assert!(project.collects(b, "result.txt").unwrap_err().contains("`a` of poster#1"));
}

#[test]
fn a_file_behind_a_link_is_the_same_file() {
    let project = project();
    project.write("out.txt", "old");
    std::os::unix::fs::symlink("out.txt", project.dir().join("latest")).unwrap();
    let a = project.begin("a", path("latest"));
    let b = project.begin("b", path("out.txt"));
    project.write("out.txt", "whose?");
    project.shared.ended(a, &[]);
    assert!(project.collects(a, "latest").unwrap_err().contains("`b` of poster#1"));
    project.shared.leave(a);
    project.shared.ended(b, &[]);
    assert!(project.collects(b, "out.txt").unwrap_err().contains("`a` of poster#1"));
}

#[test]
fn attempts_that_collect_different_files_do_not_conflict() {
    let project = project();
    let a = project.begin("a", path("a.txt"));
    let b = project.begin("b", glob("b*.txt"));
    project.write("a.txt", "a");
    project.write("b1.txt", "b");
    for (id, file) in [(a, "a.txt"), (b, "b1.txt")] {
        project.shared.ended(id, &[]);
        assert_eq!(project.collects(id, file), Ok(()));
    }
}

#[test]
fn a_nested_folder_is_shared_too() {
    let project = project();
    let a = project.begin("a", path("build"));
    let b = project.begin_in("build", "b", path("m"));
    project.write("build/m", "b");
    project.shared.ended(b, &[]);
    project.shared.leave(b);
    project.shared.ended(a, &[]);
    let said = project.collects(a, "build").unwrap_err();
    assert!(said.contains("`build/m` changed while `b`"), "{said}");
}

#[test]
fn the_next_daemon_knows_earlier_changes_and_running_attempts() {
    let mut project = project();
    let a = project.begin("a", path("result.txt"));
    let b = project.begin("b", path("result.txt"));
    project.write("result.txt", "a");
    project.restart();
    project.shared.ended(a, &[]);
    assert!(project.collects(a, "result.txt").unwrap_err().contains("`b` of poster#1"));
    project.shared.leave(a);
    project.restart();
    assert_eq!(project.shared.found, [b]);
    project.shared.ended(b, &[]);
    assert!(project.collects(b, "result.txt").unwrap_err().contains("`a` of poster#1"));
    project.shared.leave(b);
    project.restart();
    assert!(project.shared.found.is_empty());
}

#[test]
fn an_attempt_that_ends_while_another_lists_its_files_makes_it_list_them_again() {
    let project = project();
    let attempt = Attempt { node: "b".into(), ..fixture::attempt() };
    let dir = project.dir().canonicalize().unwrap();
    let a = project.begin("a", path("result.txt"));
    let mut session =
        Session::new(who(&attempt), dir, vec![path("result.txt")], next(&project.shared.lock())).unwrap();
    let stale = Arc::new(Snapshot::now(&project.dir(), &[path("result.txt")]).unwrap());
    project.shared.lock().insert(attempt.id, session);
    project.write("result.txt", "a");
    project.shared.ended(a, &[]);
    session = project.shared.lock().remove(&attempt.id).unwrap();
    assert!(!session.noted(&stale), "it is to be noted again");
    assert!(session.noted(&stale));
}

#[test]
fn a_file_that_a_glob_reaches_through_a_link_is_the_same_file() {
    for link_first in [true, false] {
        let project = project();
        project.write("build/result.txt", "old");
        std::os::unix::fs::symlink("build/result.txt", project.dir().join("l1.txt")).unwrap();
        let (mut a, mut l) = (None, None);
        for link in [link_first, !link_first] {
            if link {
                l = Some(project.begin("l", glob("l*.txt")));
            } else {
                a = Some(project.begin("a", path("build/result.txt")));
            }
        }
        let (a, l) = (a.unwrap(), l.unwrap());
        project.write("build/result.txt", "by one of them");
        project.shared.ended(a, &[]);
        let said = project.collects(a, "build/result.txt").unwrap_err();
        assert!(said.contains("`l` of poster#1"), "{said}");
        project.shared.leave(a);
        project.shared.ended(l, &[]);
        let said = project.collects(l, "l1.txt").unwrap_err();
        assert!(said.contains("`a` of poster#1"), "{said}");
    }
}

#[test]
fn a_file_that_a_glob_reaches_through_a_folder_that_is_linked_later_is_the_same_file() {
    let project = project();
    let l = project.begin("l", glob("latest/*.txt"));
    let a = project.begin("a", path("build/result.txt"));
    std::os::unix::fs::symlink("build", project.dir().join("latest")).unwrap();
    project.write("latest/result.txt", "by l");
    project.shared.ended(a, &[]);
    let said = project.collects(a, "build/result.txt").unwrap_err();
    assert!(said.contains("`l` of poster#1"), "{said}");
    project.shared.leave(a);
    project.shared.ended(l, &[]);
    assert!(project.collects(l, "latest/result.txt").is_err());
    let unlinked = glob("build/*.txt");
    assert!(linked_sources(&project.dir().canonicalize().unwrap(), &[unlinked]).is_empty());
}
