//! Branches of what a command changed.

use super::*;

#[test]
fn a_branch_is_refused_if_the_changes_are_in_a_repository_below_the_work_tree() {
    let world = world();
    world.write("a", "x");
    world.commit();
    let other = world.temp.path().join("other").display().to_string();
    world.git(&["clone", "-q", ".", &other]);
    world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &other, "module"]);
    world.git(&["commit", "-qm", "submodule"]);
    let commands = [
        ("sub", "git clone -q . sub".to_owned()),
        // Here HEAD has the clone already.
        ("sub", "git clone -q . sub; git add sub 2>/dev/null; git $who commit -qm sub".to_owned()),
        ("module", "cd module; echo y > a; git $who commit -qam y".to_owned()),
        ("module", "echo y > module/a".to_owned()),
    ];
    for (path, command) in commands {
        let (attempt, folder) = world.new_attempt();
        let dir = WorkDir::Worktree { repo: world.project(), revision: "HEAD".into() };
        make(&dir, &attempt, &folder, world.store.blobs()).unwrap();
        let begin = "who='-c user.name=a -c user.email=a@example.com'
            git -c protocol.file.allow=always submodule --quiet update --init\n";
        let mut shell = Command::new("sh");
        shell.args(["-ec", &format!("{begin}{command}")]).current_dir(folder.separate());
        assert!(shell.status().unwrap().success(), "{command}");
        let why = commit(&attempt, &folder, world.store.blobs()).unwrap_err().to_string();
        assert!(why.starts_with(&format!("`{path}` is a repository of its own")), "{command}: {why}");
        folder.clean_up().unwrap();
    }
    assert_eq!(world.git(&["branch", "--list", "fanlight/*"]), "");
}

#[test]
fn a_branch_has_files_in_the_folder_of_a_submodule_that_is_none_any_more() {
    let world = world();
    world.write("a", "x");
    world.commit();
    let other = world.temp.path().join("other").display().to_string();
    world.git(&["clone", "-q", ".", &other]);
    world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &other, "module"]);
    world.git(&["commit", "-qm", "submodule"]);
    let (attempt, folder) = world.new_attempt();
    let dir = WorkDir::Worktree { repo: world.project(), revision: "HEAD".into() };
    make(&dir, &attempt, &folder, world.store.blobs()).unwrap();
    fs::write(folder.separate().join("module/b"), "y").unwrap();
    let branch = commit(&attempt, &folder, world.store.blobs()).unwrap();
    assert_eq!(world.git(&["show", &format!("{branch}:module/b")]), "y");
    assert_eq!(commit(&attempt, &folder, world.store.blobs()).unwrap(), branch);
}

#[test]
fn a_branch_is_made_where_git_warns_of_line_ends_and_splits_its_index() {
    let world = world();
    world.write("a", "x\n");
    world.commit();
    for setting in ["core.autocrlf=input", "core.safecrlf=true", "core.splitIndex=true"] {
        let (name, value) = setting.split_once('=').unwrap();
        world.git(&["config", name, value]);
    }
    let (attempt, folder) = world.new_attempt();
    let dir = WorkDir::Worktree { repo: world.project(), revision: "HEAD".into() };
    make(&dir, &attempt, &folder, world.store.blobs()).unwrap();
    fs::write(folder.separate().join("a"), "one\r\ntwo\r\n").unwrap();
    let branch = commit(&attempt, &folder, world.store.blobs()).unwrap();
    assert_eq!(world.git(&["show", &format!("{branch}:a")]), "one\ntwo\n");
}

#[test]
fn a_branch_has_changes_that_the_index_hides() {
    let world = world();
    for name in ["assumed", "skipped", "gone", "same"] {
        world.write(name, "x");
    }
    world.commit();
    let (attempt, folder) = world.new_attempt();
    let dir = WorkDir::Worktree { repo: world.project(), revision: "HEAD".into() };
    make(&dir, &attempt, &folder, world.store.blobs()).unwrap();
    let command = "git update-index --assume-unchanged assumed
        git update-index --skip-worktree skipped gone same
        echo y > assumed; echo y > skipped; rm gone";
    let mut shell = Command::new("sh");
    shell.args(["-ec", command]).current_dir(folder.separate());
    assert!(shell.status().unwrap().success());
    let branch = commit(&attempt, &folder, world.store.blobs()).unwrap();
    let changed = world.git(&["diff", "--name-status", "HEAD", &branch]);
    assert_eq!(changed, "M\tassumed\nD\tgone\nM\tskipped\n");
}

#[test]
fn a_branch_of_a_sparse_checkout_has_new_files_anywhere_and_keeps_what_is_left_out() {
    let world = world();
    for name in ["in/a", "out/b", "out/c"] {
        world.write(name, "x");
    }
    world.commit();
    world.git(&["sparse-checkout", "set", "in"]);
    let (attempt, folder) = world.new_attempt();
    let dir = WorkDir::Worktree { repo: world.project(), revision: "HEAD".into() };
    make(&dir, &attempt, &folder, world.store.blobs()).unwrap();
    let out = folder.separate().join("out");
    assert!(!out.exists(), "the work tree is sparse too");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("new"), "y").unwrap();
    fs::write(out.join("b"), "y").unwrap();
    let branch = commit(&attempt, &folder, world.store.blobs()).unwrap();
    let changed = world.git(&["diff", "--name-status", "HEAD", &branch]);
    assert_eq!(changed, "M\tout/b\nA\tout/new\n");
}
