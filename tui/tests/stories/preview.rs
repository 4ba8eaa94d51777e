//! An intermediate picture, visible while its node runs.

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::home::Home;
use fanlight_shared::rpc::ErrorCode;
use fanlight_shared::rpc::previews::Thumbnail;

use crate::support::{Fanlight, wait_for};

const DRAFTS: &str = "nodes:
  sky:
    uses: image.generate
    with: { style: plasma, width: 640, height: 480 }
  refine:
    dir: .
    run: |
      cp \"$image\" \"$FANLIGHT_WORK/draft.png\"
      echo '{\"type\":\"preview\",\"name\":\"image\",\"path\":\"draft.png\"}' >> \"$FANLIGHT_EVENTS\"
      until [ -e go ]; do sleep 0.05; done
    with: { image: \"${{ sky.image }}\" }
";

#[test]
fn a_preview_is_shown_until_its_node_ends() {
    let fanlight = Fanlight::new();
    fanlight.file("drafts.yaml", DRAFTS);
    fanlight.say(&["run", "drafts.yaml", "--detach"]).exits(0);
    let status = fanlight.say(&["daemon", "status", "--json"]).exits(0).json().remove(0);
    let mut home = Home::below(&fanlight.path("../h")).unwrap();
    home.socket = status["socket"].as_str().unwrap().into();
    let run = fanlight.runs().remove(0);
    let draft = Thumbnail {
        run_id: run["id"].as_str().unwrap().parse().unwrap(),
        node: "refine".into(),
        item: Default::default(),
        port: "image".into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(Client::connect(&home)).unwrap();
    let look = |of: &Thumbnail| runtime.block_on(client.live_preview(of));
    let mut seen = None;
    wait_for("the draft", || {
        seen = look(&draft).ok();
        seen.is_some()
    });
    let (mime, picture) = seen.unwrap();
    assert!(mime.starts_with("image/") && !picture.is_empty(), "{mime}");
    let other = Thumbnail { port: "other".into(), ..draft.clone() };
    let gone = |answer: Result<_, ClientError>| matches!(answer, Err(ClientError::Rpc(error)) if error.is(ErrorCode::NotFound));
    assert!(gone(look(&other)));
    fanlight.file("go", "");
    fanlight.await_states(&["completed"]);
    assert!(gone(look(&draft)));
}
