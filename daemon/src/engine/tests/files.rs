use fanlight_shared::rpc::assets;
use fanlight_shared::value::Value;

use super::world::World;

const LIST: &str = "params: { photos: { type: dir } }
nodes:
  list: { uses: file.list, with: { folder: \"${{ params.photos }}\", glob: \"**/*.txt\" } }
  read: { uses: file.read, with: { path: PATH } }
outputs: { paths: \"${{ list.paths }}\", text: \"${{ read.text }}\", FILES }
";

/// Returns a folder with two text files, and a workflow that lists it.
fn folder(outputs: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    for name in ["a.txt", "sub/b.txt", "c.png"] {
        std::fs::write(folder.path().join(name), format!("{name} {outputs}")).unwrap();
    }
    let path = folder.path().join("a.txt").display().to_string();
    (folder, LIST.replace("PATH", &path).replace("FILES", outputs))
}

#[tokio::test]
async fn a_dir_param_is_listed_directly() {
    let world = World::new().await;
    let (folder, document) = folder("");
    let path = Value::from(folder.path().display().to_string());
    let run = world.try_start(&document, &[&[("photos", path)]]).await.unwrap().remove(0);
    world.idle().await;
    let ended = world.ended(run.id);
    assert_eq!(ended.error(), "");
    assert_eq!(ended.output("paths"), Some(&vec![Value::from("a.txt"), "sub/b.txt".into()].into()));
    assert_eq!(ended.output("text"), Some(&Value::from("a.txt ")));
}

#[tokio::test]
async fn files_of_the_user_are_not_products() {
    let world = World::new().await;
    for (outputs, expected) in [("", 0), ("files: \"${{ list.files }}\"", 2)] {
        let (folder, document) = folder(outputs);
        let path = Value::from(folder.path().display().to_string());
        let run = world.try_start(&document, &[&[("photos", path)]]).await.unwrap().remove(0);
        world.idle().await;
        let list = assets::List { run_id: Some(run.id), ..assets::List::default() };
        let media = world.store.assets(&list).unwrap().rows.iter().filter(|it| it.value.has_media()).count();
        assert_eq!(media, expected, "{outputs}");
    }
}
