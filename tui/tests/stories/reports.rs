//! Reports: a sweep as a page for a browser.

use std::fs;

use crate::support::Fanlight;

const TRAIN: &str = "params:
  rate: { type: float, default: 0.1 }
  note: { type: text, default: \"<script>alert('x')</script>\" }
nodes:
  train:
    with: { rate: \"${{ params.rate }}\" }
    run: |
      for step in 1 2 3; do
        echo \"{\\\"type\\\":\\\"metric\\\",\\\"name\\\":\\\"loss\\\",\\\"value\\\":$rate$step,\\\"step\\\":$step,\\\"goal\\\":\\\"min\\\"}\" >> \"$FANLIGHT_EVENTS\"
      done
      echo \"{\\\"loss\\\": ${rate}3}\"
    outputs: { loss: { json: loss, type: float } }
  sky: { uses: image.generate, with: { width: 32, height: 16 } }
  tone: { uses: audio.generate, with: { seconds: 0.1 } }
  said: { uses: text.template, with: { template: \"{{ note }}\", note: \"${{ params.note }}\" } }
outputs:
  loss: \"${{ train.loss }}\"
  sky: \"${{ sky.image }}\"
  tone: \"${{ tone.audio }}\"
  said: \"${{ said.text }}\"
";

#[test]
fn a_sweep_becomes_a_page_with_its_products_numbers_and_curves() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", TRAIN);
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=0.1,0.2,0.3", "--name", "<b>scan"]).exits(2);
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=0.1,0.2,0.3"]).exits(0);
    let said = fanlight.say(&["report", "train", "page"]).exits(0).out;
    assert_eq!(said, "page/index.html\n");
    let page = fs::read_to_string(fanlight.path("page/index.html")).unwrap();
    assert_eq!(page.matches("<article").count(), 3);
    assert_eq!(page.matches("<audio controls").count(), 3);
    assert_eq!(page.matches("<path d=\"M").count(), 3, "a curve for each run");
    assert_eq!(page.matches("class=\"best\"").count(), 2, "the lowest last loss, and the lowest of all");
    assert!(page.contains("<th>rate</th><th>loss</th><th>train.loss</th><th>best.train.loss</th>"));
    // Nothing that a run made is markup, and nothing is loaded from elsewhere.
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("http://") && !page.contains("https://"));
    for part in page.split("src=\"").skip(1).chain(page.split("href=\"files").skip(1)) {
        let link = part.split('"').next().unwrap();
        let path = if part.starts_with("files") { link.to_owned() } else { format!("files{link}") };
        assert!(link.is_empty() || fanlight.path(&format!("page/{path}")).is_file(), "{path}");
    }
    fanlight.say(&["assets", "show", "page/files/train-1/sky.png"]).exits(0);
    assert_eq!(fs::read_dir(fanlight.path("")).unwrap().count(), 2, "nothing temporary is left");

    fanlight.say(&["report", "train", "page"]).exits(2).complains("`page` exists already");
    fanlight.say(&["report", "nothing", "other"]).exits(1);
    assert!(!fanlight.path("other").exists());
}
