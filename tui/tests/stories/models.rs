//! Language models: the stand-in by its name, and providers that can't be asked.

use serde_json::Value as Json;

use crate::support::Fanlight;

const STORY: &str = "params:
  provider: { type: text, default: offline }
nodes:
  opening:
    uses: llm.chat
    with: { provider: \"${{ params.provider }}\", model: m, prompt: Begin, offline: \"Once upon\\na time\" }
  second:
    uses: llm.chat
    with: { provider: offline, prompt: \"Go on: ${{ opening.text }}\", offline: there was a pen. }
outputs:
  story: \"${{ opening.text }} ${{ second.text }}\"
";

#[test]
fn a_story_is_printed_while_it_is_written() {
    let fanlight = Fanlight::new();
    fanlight.file("story.yaml", STORY);
    let said = fanlight.say(&["run", "story.yaml", "--stream"]).exits(0);
    assert_eq!(said.out, "Once upon\na time\nthere was a pen.\n");
    let said = fanlight.say(&["run", "story.yaml"]).exits(0);
    assert_eq!(said.out, "story#2\tstory\tOnce upon …\n");
    fanlight
        .say(&["run", "story.yaml", "--stream", "--repeat", "2"])
        .exits(2)
        .complains("this would start 2 runs");
    let log = fanlight.say(&["logs", "last", "second"]).exits(0);
    assert!(log.out.contains("the stand-in `offline` answers, no model"), "{}", log.out);
}

#[test]
fn where_text_and_progress_share_a_terminal_the_text_comes_first() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "parts.yaml",
        "nodes:\n  say: { run: 'for part in a b c d e f g h; do printf \"$part \"; done' }\n",
    );
    let both = std::fs::File::create(fanlight.path("both")).unwrap();
    let mut run = fanlight.command(&["run", "parts.yaml", "--stream"]);
    assert!(run.stdout(both.try_clone().unwrap()).stderr(both).status().unwrap().success());
    let both = std::fs::read_to_string(fanlight.path("both")).unwrap();
    let lines: Vec<&str> = both.lines().collect();
    let [.., text, end] = &lines[..] else { panic!("{both}") };
    assert!(text.ends_with("a b c d e f g h "), "{both}");
    assert!(end.contains("completed"), "{both}");
}

#[test]
fn a_provider_without_a_key_is_an_error_and_never_a_stand_in() {
    let fanlight = Fanlight::new();
    fanlight.file("story.yaml", STORY);
    fanlight
        .say(&["run", "story.yaml", "-p", "provider=openai"])
        .exits(1)
        .complains("the provider `openai` needs a key: set `OPENAI_API_KEY`");
    fanlight
        .say(&["run", "story.yaml", "-p", "provider=openay"])
        .exits(1)
        .complains("did you mean `openai`?");
}

#[test]
fn providers_list_their_models_and_say_what_is_missing() {
    let fanlight = Fanlight::new();
    let config = "[provider.house]\nurl = \"http://127.0.0.1:1/v1\"\nmodels = [\"qwen3\"]\n";
    let folder = fanlight.path("../h/config");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), config).unwrap();
    let offline = fanlight.say(&["models", "offline"]).exits(0);
    assert_eq!(offline.out.lines().last(), Some("offline   offline"), "{}", offline.out);
    let all = fanlight.say(&["models", "--json"]).exits(0).json();
    let named = |name: &str| -> Json { all.iter().find(|it| it["provider"] == name).unwrap().clone() };
    assert_eq!(
        (named("openai")["ready"].as_bool(), named("openai")["key_env"].as_str()),
        (Some(false), Some("OPENAI_API_KEY"))
    );
    let house = named("house");
    assert_eq!((&house["models"][0], house["ready"].as_bool()), (&"qwen3".into(), Some(true)));
    assert!(house["error"].as_str().unwrap().contains("http://127.0.0.1:1/v1 can't be reached"), "{house}");
    fanlight.say(&["models", "house"]).exits(0);
    fanlight.say(&["models", "gemini"]).exits(1).complains("set `GEMINI_API_KEY`");
    fanlight.say(&["models", "hause"]).complains("did you mean `house`?");
}

#[test]
fn the_examples_with_models_run_offline() {
    let fanlight = Fanlight::new();
    let said = fanlight.say(&["run", "ad_copy"]).exits(0);
    assert!(
        said.out.contains("ad_copy#1\tcopies[2]\tYour ice called. It says it is staying."),
        "{}",
        said.out
    );
    let said = fanlight.say(&["run", "judge", "--json"]).exits(0).json();
    let outputs = &said.last().unwrap()["runs"][0]["outputs"];
    assert_eq!(
        (&outputs["score"], outputs["answers"].as_array().map(Vec::len)),
        (&8.0.into(), Some(6)),
        "{outputs}"
    );
    assert!(outputs["best"].as_str().unwrap().contains("says the first stand-in at 0.2"), "{outputs}");
    let said = fanlight.say(&["run", "page_digest", "--json"]).exits(0).json();
    let outputs = &said.last().unwrap()["runs"][0]["outputs"];
    let tools: Vec<&Json> = outputs["calls"].as_array().unwrap().iter().map(|it| &it["tool"]).collect();
    assert_eq!(tools, ["plan", "text_count", "plan"], "{outputs}");
    assert!(outputs["digest"].as_str().unwrap().contains("(3 calls of tools)"), "{outputs}");
}
