//! Environments of submissions.

use super::*;

fn submitted(variables: &[(&str, &str)], runs: usize) -> Submit {
    let mut environment = Environment::default();
    variables.iter().for_each(|(name, value)| environment.insert(*name, *value));
    Submit { environment, ..submission(runs) }
}

fn stored(at: &Fixture) -> i64 {
    let db = Connection::open(at.home.database()).unwrap();
    db.query_row("SELECT count(*) FROM environment", [], |row| row.get(0)).unwrap()
}

#[test]
fn an_environment_outlives_daemons_and_is_stored_once() {
    let mut at = Fixture::new();
    let variables = [("PATH", "/opt/bin:/bin"), ("TOKEN", "hunter2")];
    at.submit_with(submitted(&variables, 3));
    at.submit_with(submitted(&variables, 1));
    at.submit(1);
    at.reopen();
    let open: Vec<_> = at.store.open_runs().unwrap().into_iter().map(Result::unwrap).collect();
    let paths: Vec<_> = open.iter().map(|open| open.environment.get("PATH")).collect();
    assert_eq!(paths, [Some("/opt/bin:/bin"); 4].into_iter().chain([None]).collect::<Vec<_>>());
    assert_eq!(stored(&at), 1);
    assert_eq!(at.store.environment_names(open[0].run.id).unwrap(), ["PATH", "TOKEN"]);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(at.home.database()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_environment_is_deleted_with_its_last_run() {
    let at = Fixture::new();
    let runs = at.submit_with(submitted(&[("TOKEN", "hunter2")], 2)).runs;
    at.product(&runs[0], "sky", b"a picture");
    for (run, left) in runs.iter().zip([1, 0]) {
        at.end(run);
        at.commit(vec![Op::DeleteRun { run: run.id, assets: false }]);
        assert_eq!(stored(&at), left);
    }
}
