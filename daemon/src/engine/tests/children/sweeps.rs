//! Sweeps whose runs start others.

use fanlight_shared::rpc::runs::{Missing, ParamSet, Places, SweepOptions};

use super::*;

/// Runs `child.yaml` with a param.
const WITH_PARAM: &str = "
params: { who: { type: text, default: Ada } }
nodes:
  child:
    uses: workflow.run
    with: { workflow: child.yaml, who: '${{ params.who }}' }
    outputs: { words: text }
outputs: { said: '${{ child.words }}' }
";

#[tokio::test]
async fn a_sweep_is_extended_with_the_files_of_its_runs_which_tell_whether_there_is_a_result() {
    let world = World::with_cap(1).await;
    let path = write(&world, "parent.yaml", WITH_PARAM).display().to_string();
    write(&world, "child.yaml", GREETING);
    let start = |who: &'static str, sweep: SweepOptions| {
        let path = path.clone();
        let who = Value::from(who);
        let world = &world;
        async move {
            let runs = world
                .submit(WITH_PARAM, &[&[("who", who)]], |start| {
                    (start.path, start.sweep) = (Some(path), Some(sweep));
                })
                .await;
            world.idle().await;
            world.ended(runs.unwrap().remove(0).id).output("said").cloned()
        }
    };
    let named = SweepOptions { name: Some("scan".into()), ..SweepOptions::default() };
    assert_eq!(start("Ada", named).await, Some(Value::from("hello Ada")));
    let found = |extends: Option<&str>| {
        let sets = vec![ParamSet::default()];
        let (document, path) = (WITH_PARAM.to_owned(), Some(path.clone()));
        let extends = extends.map(str::to_owned);
        world.engine.missing(Missing { document, path, sets, extends, ..Missing::default() })
    };
    let here = vec![Places { from: 0, to: 1 }];
    assert_eq!(found(None).await.unwrap().found, here);

    write(&world, "child.yaml", &GREETING.replace("hello", "bye"));
    assert_eq!(found(None).await.unwrap().found, [], "the child has changed");
    assert_eq!(found(Some("scan")).await.unwrap().found, here);
    let extends = || SweepOptions { extends: Some("scan".into()), ..SweepOptions::default() };
    assert_eq!(start("Eve", extends()).await, Some(Value::from("hello Eve")));
    std::fs::remove_file(world.folder().join("child.yaml")).unwrap();
    assert_eq!(start("Bob", extends()).await, Some(Value::from("hello Bob")));
}
