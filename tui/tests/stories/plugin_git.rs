//! Plugins from git repositories: pinned to a commit, and agreed to before they run.

use std::fs;
use std::process::Command;

use crate::support::{Fanlight, wait_for};

/// A plugin in the language of shells that says a word.
const SHELL: &str = r#"
while read -r line <&3; do
  id=$(printf %s "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  case $line in
    *'"method":"hello"'*) result='{"protocol":1,"name":"word"}' ;;
    *'"method":"describe"'*) result='{"node_types":[{"name":"word.say","summary":"Says a word.","effects":"none","outputs":{"text":{"type":"text","summary":"The word."}}}]}' ;;
    *'"method":"execute"'*) result='{"outputs":{"text":"WORD"}}' ;;
    *) continue ;;
  esac
  echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":$result}" >&4
done
"#;

const MANIFEST: &str = "name = \"word\"\nversion = \"1\"\nprotocol = 1\ncommand = [\"sh\", \"word.sh\"]\n";

/// A home, and a repository with a plugin in the folder `plugin`.
struct Story {
    fanlight: Fanlight,
}

impl Story {
    /// Returns nothing where there is no git, and prints that the story is skipped.
    fn new() -> Option<Self> {
        if !Command::new("git").arg("--version").output().is_ok_and(|it| it.status.success()) {
            fanlight_shared::testing::skip("there is no git");
            return None;
        }
        let fanlight = Fanlight::new();
        fs::create_dir_all(fanlight.path("repo/plugin")).unwrap();
        fanlight.file("say.yaml", "nodes: { a: { uses: word.say } }\noutputs: { text: '${{ a.text }}' }");
        let story = Self { fanlight };
        story.git(&["init", "--quiet", "--initial-branch=main"]);
        Some(story)
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(self.fanlight.path("repo"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits the plugin with another word, and returns the commit.
    fn commit(&self, word: &str) -> String {
        self.fanlight.file("repo/plugin/plugin.toml", MANIFEST);
        self.fanlight.file("repo/plugin/word.sh", &SHELL.replace("WORD", word));
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", &format!("Say {word}")]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn url(&self) -> String {
        format!("file://{}", self.fanlight.path("repo").display())
    }

    fn add(&self, more: &[&str]) -> crate::support::Said {
        let url = self.url();
        let arguments = ["plugin", "add", &url, "--path", "plugin"];
        self.fanlight.say(&[&arguments[..], more].concat())
    }

    fn says(&self) -> String {
        let out = self.fanlight.say(&["run", "say.yaml"]).exits(0).out;
        out.trim().rsplit('\t').next().unwrap().to_owned()
    }

    /// Returns the names of what was fetched.
    fn fetched(&self) -> Vec<String> {
        let entries = fs::read_dir(self.fanlight.path("../h/data/plugins")).into_iter().flatten();
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn a_plugin_of_a_repository_stays_at_its_commit_until_it_is_added_again() {
    let Some(story) = Story::new() else { return };
    let first = story.commit("one");
    let asked = story.add(&[]).exits(2);
    for words in [&first, "Say one", "  plugin/word.sh", "The plugin `word` 1 runs `sh word.sh` at commit"] {
        assert!(asked.err.contains(words), "no `{words}` in {}", asked.err);
    }
    assert_eq!(story.fetched(), [""; 0], "without a yes nothing is kept");

    assert_eq!(story.add(&["--yes"]).exits(0).out, "word.say\tadded\n");
    assert_eq!(story.says(), "one");
    let second = story.commit("two");
    assert_eq!(story.says(), "one");
    story.add(&["--yes"]).exits(0);
    assert_eq!(story.says(), "two");
    let listed = story.fanlight.say(&["plugin", "list"]).exits(0).out;
    assert!(listed.contains(&format!("{} at {}", story.url(), &second[..12])), "{listed}");
    let listed = story.fanlight.say(&["plugin", "list", "--json"]).exits(0).json();
    assert_eq!(listed[0]["origin"]["commit"], second.as_str());

    story.add(&["--yes", "--at", &first]).exits(0);
    assert_eq!(story.says(), "one");
    story.git(&["tag", "newest"]);
    story.add(&["--yes", "--at", "newest"]).exits(0);
    assert_eq!(story.says(), "two");
    assert_eq!(story.fetched().len(), 4, "what may be in use stays");

    story.fanlight.say(&["daemon", "stop"]).exits(0);
    assert_eq!(story.says(), "two");
    wait_for("the removal of others", || story.fetched() == [format!("word-{}-2", &second[..12])]);
    story.fanlight.say(&["plugin", "remove", "word"]).exits(0);
    story.fanlight.say(&["daemon", "stop"]).exits(0);
    story.fanlight.say(&["daemon", "start"]).exits(0);
    wait_for("the removal of the last one", || story.fetched().is_empty());
}

#[test]
fn what_can_t_be_fetched_is_explained_and_leaves_nothing() {
    let Some(story) = Story::new() else { return };
    story.commit("one");
    story.add(&["--yes", "--at", "nowhere"]).exits(1).complains("`nowhere` of file://");
    story.add(&["--yes", "--at", "-x"]).exits(2);
    story.add(&["--yes", "--at=--upload-pack=id"]).exits(2).complains("can't be a branch, a tag or a commit");
    let add = |arguments: &[&str]| story.fanlight.say(&[&["plugin", "add", "--yes"], arguments].concat());
    add(&[&story.url()]).exits(1).complains("the repository has no plugin.toml").complains("`--path`");
    add(&[&story.url(), "--path", "../.."]).exits(2).complains("is not a path in the repository");
    add(&["file:///nowhere/at/all"]).exits(1).complains("can't be fetched");
    add(&["https://127.0.0.1:1/none.git"]).exits(1).complains("can't be fetched");
    add(&["ext::sh -c id"]).exits(2).complains("is not the address of a repository");
    add(&["http://example.org/clip"]).exits(2).complains("in a way that is not safe");
    add(&["--at", "main", "repo/plugin"]).exits(2).complains("for the URL of a repository");
    assert_eq!(story.fetched(), [""; 0]);
    assert_eq!(story.fanlight.say(&["plugin", "list"]).exits(0).out, "");
}

#[test]
fn nothing_of_a_repository_runs_before_the_yes() {
    let Some(story) = Story::new() else { return };
    let mark = story.fanlight.path("ran");
    let hook = format!("#!/bin/sh\ntouch {}\n", mark.display());
    story.commit("one");
    story.fanlight.file("repo/plugin/word.sh", &hook);
    story.fanlight.file("repo/.gitattributes", "* filter=evil\n");
    story.fanlight.file("repo/.gitmodules", "[submodule \"a\"]\n\tpath = a\n\turl = ext::sh -c id\n");
    story.git(&["add", "."]);
    story.git(&["commit", "--quiet", "-m", "Be \u{1b}[2J evil"]);
    let asked = story.add(&[]).exits(2);
    assert!(!mark.exists() && !asked.err.contains('\u{1b}'), "{}", asked.err);
    // A filter of the user's own config, as that of Git LFS, which the repository names.
    let asked = crate::support::output(
        story
            .fanlight
            .command(&["plugin", "add", &story.url(), "--path", "plugin"])
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "filter.evil.smudge")
            .env("GIT_CONFIG_VALUE_0", format!("touch {}; cat", mark.display())),
    );
    assert!(String::from_utf8_lossy(&asked.stderr).contains("Add it?") && !mark.exists());
    // A program that doesn't speak the protocol is no plugin, and is not kept.
    story.add(&["--yes"]).exits(1).complains("the plugin `word` can't be added");
    assert!(mark.exists());
    assert_eq!(story.fetched(), [""; 0]);
}

#[test]
fn a_link_leads_to_no_plugin_outside_of_the_repository() {
    let Some(story) = Story::new() else { return };
    fs::create_dir(story.fanlight.path("outside")).unwrap();
    story.fanlight.file("outside/plugin.toml", MANIFEST).file("outside/word.sh", SHELL);
    std::os::unix::fs::symlink(story.fanlight.path("outside"), story.fanlight.path("repo/out")).unwrap();
    std::os::unix::fs::symlink("plugin", story.fanlight.path("repo/within")).unwrap();
    story.commit("one");
    let url = story.url();
    let add = |path: &str| story.fanlight.say(&["plugin", "add", &url, "--yes", "--path", path]);
    add("out").exits(1).complains("`out` is a link that leads out of the repository");
    assert_eq!(story.fetched(), [""; 0]);
    add("within").exits(0);
    assert_eq!(story.says(), "one");
}
