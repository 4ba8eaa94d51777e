//! Links among the files of a command.

use super::*;

#[test]
fn links_within_the_folder_are_followed() {
    let ended = ended()
        .file("o/real.dat", "real")
        .file("y2.dat", "two")
        .path("one", "x.dat", "text")
        .glob("some", "y*.dat", "text")
        .glob("deep", "also/*.dat", "text")
        .path("folder", "folder", "dir");
    let work = ended.folder.work();
    symlink("o/real.dat", work.join("x.dat")).unwrap();
    symlink(work.join("o/real.dat"), work.join("y1.dat")).unwrap();
    symlink("o", work.join("also")).unwrap();
    fs::create_dir(work.join("folder")).unwrap();
    symlink("../o/real.dat", work.join("folder/l.dat")).unwrap();
    assert_eq!(ended.value("one"), Value::from("real"));
    assert_eq!(ended.value("some"), Value::from(vec![Value::from("real"), Value::from("two")]));
    assert_eq!(ended.value("deep"), Value::from(vec![Value::from("real")]));
    assert_eq!(ended.value("folder").as_media().unwrap().bytes, 4);
}

#[test]
fn a_broken_or_escaping_link_fails_its_output_by_name_even_in_a_glob() {
    for (to, part) in
        [("/etc/passwd", "leads out of the folder"), ("nowhere", "a link to `nowhere`, which does not exist")]
    {
        let ended = ended()
            .file("a.dat", "a")
            .file("folder/b", "b")
            .path("one", "x.dat", "file")
            .glob("some", "*.dat", "file")
            .path("folder", "folder", "dir");
        symlink(to, ended.folder.work().join("x.dat")).unwrap();
        symlink(to, ended.folder.work().join("folder/x.dat")).unwrap();
        let collected = ended.collect();
        assert!(collected.values.is_empty(), "{:?}", collected.values);
        for (problem, name) in collected.problems.iter().zip(["one", "some", "folder"]) {
            let named = problem.starts_with(&format!("output `{name}`: `"))
                && problem.contains("x.dat`: it is a link");
            assert!(named && problem.contains(part), "{problem}");
        }
        assert_eq!(collected.problems.len(), 3);
    }
}

#[test]
fn an_older_broken_link_in_a_shared_folder_is_ignored() {
    let ended = ended().glob("all", "*.txt", "text");
    let dir = ended.temp.path().join("project");
    fs::create_dir(&dir).unwrap();
    symlink("nowhere", dir.join("old.txt")).unwrap();
    let before = ended.shared.begin(&ended.attempt, &dir, &ended.outputs).unwrap();
    before.save(&ended.folder.before()).unwrap();
    let ended = Ended { dir: Some(dir.clone()), ..ended };
    fs::write(dir.join("new.txt"), "new").unwrap();
    assert_eq!(ended.value("all"), Value::from(vec![Value::from("new")]));
    symlink("nowhere", dir.join("own.txt")).unwrap();
    assert!(ended.problem().contains("`own.txt`: it is a link to `nowhere`"), "{}", ended.problem());
}

#[test]
fn nothing_is_collected_from_a_work_folder_that_became_a_link() {
    let ended = ended().path("one", "passwd", "file");
    fs::remove_dir(ended.folder.work()).unwrap();
    symlink("/etc", ended.folder.work()).unwrap();
    assert!(places(&ended.folder, None, ended.claim()).unwrap_err().starts_with("can't read"));
}
