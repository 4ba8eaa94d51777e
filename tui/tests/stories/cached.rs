//! Results that later runs reuse, through the whole program.

use crate::support::{Fanlight, png_size};

const POSTER: &str = "params:
  text: { type: text, default: Hello }
nodes:
  sky: { uses: image.generate, with: { width: 64, height: 32 } }
  wide: { uses: image.resize, with: { image: \"${{ sky.image }}\", width: 128 } }
  poster: { uses: image.text, with: { image: \"${{ wide.image }}\", text: \"${{ params.text }}\" } }
outputs:
  poster: \"${{ poster.image }}\"
";

/// Returns the states of the nodes of the last run, and the runs that computed their results.
fn nodes(fanlight: &Fanlight) -> Vec<String> {
    let shown = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
    let node = |node: &serde_json::Value| {
        let origin = node["origin"]["run"].as_str().map(|run| format!(" {run}")).unwrap_or_default();
        format!("{} {}{origin}", node["name"].as_str().unwrap(), node["state"].as_str().unwrap())
    };
    shown["nodes"].as_array().unwrap().iter().map(node).collect()
}

#[test]
fn a_run_computes_only_what_no_run_has_computed() {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER);
    fanlight.say(&["run", "poster.yaml", "--out", "o", "--no-recipe"]).exits(0);
    assert_eq!(nodes(&fanlight), ["sky completed", "wide completed", "poster completed"]);

    fanlight.say(&["run", "poster.yaml", "-p", "text=Bye", "--out", "o", "--no-recipe"]).exits(0);
    assert_eq!(nodes(&fanlight), ["sky cached poster#1", "wide cached poster#1", "poster completed"]);
    let shown = fanlight.say(&["show", "last"]).exits(0).out;
    assert!(shown.contains("≡ cached") && shown.contains("≡ poster#1"), "{shown}");

    // The next daemon knows the results too.
    fanlight.say(&["daemon", "stop"]).exits(0);
    fanlight.say(&["run", "poster.yaml", "--out", "o", "--no-recipe"]).exits(0);
    assert_eq!(nodes(&fanlight), ["sky cached poster#1", "wide cached poster#1", "poster cached poster#1"]);
    let bytes = |run: u32| std::fs::read(fanlight.path(&format!("o/poster-{run}/poster.png"))).unwrap();
    assert_eq!(png_size(&fanlight.path("o/poster-3/poster.png")), (128, 64));
    assert!(bytes(3) == bytes(1) && bytes(3) != bytes(2));

    fanlight.say(&["run", "poster.yaml", "--fresh=wide"]).exits(0);
    assert_eq!(nodes(&fanlight), ["sky cached poster#1", "wide completed", "poster cached poster#1"]);
    fanlight.say(&["run", "poster.yaml", "--fresh"]).exits(0);
    assert_eq!(nodes(&fanlight), ["sky completed", "wide completed", "poster completed"]);
    let sound = fanlight.say(&["doctor"]).exits(0).out;
    assert!(!sound.contains("wrong references"), "{sound}");
}

#[test]
fn runs_that_start_together_share_what_they_have_in_common() {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER);
    fanlight.say(&["run", "poster.yaml", "--sweep", "text=a,b,c,d,e,f,g,h"]).exits(0);
    let mut computed = 0;
    for number in 1..=8 {
        let run = format!("poster#{number}");
        let shown = fanlight.say(&["show", &run, "--json"]).exits(0).json().remove(0);
        let nodes = shown["nodes"].as_array().unwrap();
        computed += nodes.iter().filter(|node| node["state"] == "completed").count();
        assert_eq!(shown["state"], "completed");
    }
    assert_eq!(computed, 10, "two nodes once, and one for each run");
}

#[test]
fn results_can_be_listed_counted_and_removed() {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER);
    fanlight.say(&["run", "poster.yaml", "--repeat", "2"]).exits(0);
    let stats = || fanlight.say(&["cache", "stats", "--json"]).exits(0).json().remove(0);
    assert_eq!((stats()["entries"].as_u64(), stats()["limit"].as_u64()), (Some(3), Some(4 << 30)));
    assert!(fanlight.say(&["cache"]).exits(0).out.starts_with("3 results, "));
    let listed = fanlight.say(&["cache", "ls", "--json"]).exits(0).json();
    let types: Vec<&str> = listed.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(types.len(), 3, "{types:?}");
    let resize = listed.iter().find(|entry| entry["type"] == "image.resize").unwrap();
    assert_eq!(resize["node"], "wide");
    assert!(fanlight.say(&["cache", "ls", "--limit", "1"]).exits(0).out.contains("poster#"));

    fanlight.say(&["cache", "rm", "xyz"]).exits(2).complains("`xyz` is not a key");
    fanlight.say(&["cache", "rm", "0000000000"]).exits(1).complains("no result has the key");
    fanlight.say(&["cache", "rm", &resize["key"].as_str().unwrap()[..12]]).exits(0);
    assert_eq!(stats()["entries"], 2);
    let assets = || fanlight.say(&["assets", "list", "--json"]).exits(0).json().len();
    let before = assets();
    fanlight.say(&["cache", "rm", "--all"]).exits(0).complains("2 results removed");
    assert_eq!((stats()["entries"].as_u64(), assets()), (Some(0), before));
    fanlight.say(&["run", "poster.yaml"]).exits(0);
    assert_eq!(nodes(&fanlight), ["sky completed", "wide completed", "poster completed"]);
}

#[test]
fn a_fork_runs_again_from_one_node_on() {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER);
    fanlight.say(&["run", "poster.yaml"]).exits(0);
    let fork = ["fork", "poster#1", "--at", "wide", "-p", "text=Bye", "--times", "2"];
    let said = fanlight.say(&fork).exits(0).complains("poster#1: keeps sky; runs wide, poster again");
    assert_eq!(said.out, "poster#2\nposter#3\n");
    for run in ["poster#2", "poster#3"] {
        fanlight.say(&["watch", run]).exits(0);
        let shown = fanlight.say(&["show", run, "--json"]).exits(0).json().remove(0);
        assert_eq!(
            (shown["params"]["text"].as_str(), shown["label"].as_str()),
            (Some("Bye"), Some("text=Bye"))
        );
        let state = |at: usize| shown["nodes"][at]["state"].as_str().unwrap().to_owned();
        // Both compute `wide` again; one of them may take the poster from the other.
        assert_eq!((state(0).as_str(), state(1).as_str()), ("cached", "completed"));
    }
    fanlight.say(&["fork", "poster#1", "--at", "wied"]).exits(2).complains("did you mean `wide`?");
}

#[test]
fn a_fork_can_run_an_edited_version_of_the_file() {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER);
    fanlight.say(&["run", "poster.yaml"]).exits(0);
    let edit = |program: &str, arguments: &[&str]| {
        let output =
            crate::support::output(fanlight.command(arguments).env_remove("VISUAL").env("EDITOR", program));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, said) = edit("sed -i s/128/96/", &["fork", "poster#1", "--edit"]);
    assert_eq!((code, out.as_str()), (Some(0), "poster#2\n"), "{said}");
    assert!(said.contains("poster#1: keeps sky; runs wide, poster again"), "{said}");
    fanlight.say(&["watch", "poster#2"]).exits(0);
    assert_eq!(
        std::fs::read_to_string(fanlight.path("poster.yaml")).unwrap(),
        POSTER,
        "the file is left alone"
    );

    let (code, _, said) = edit("true", &["fork", "poster#1", "--edit"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the file is as it was; nothing was started"), "{said}");
    let (code, _, said) = edit("sed -i s/image.resize/image.resise/", &["fork", "poster#1", "--edit"]);
    assert_eq!(code, Some(2), "{said}");
    let kept = said.split("your version of the file is in ").nth(1).expect(&said).trim();
    assert!(std::fs::read_to_string(kept).unwrap().contains("image.resise"));
    std::fs::remove_file(kept).unwrap();
    let (code, _, said) = edit("false", &["fork", "poster#1", "--edit"]);
    assert!(code == Some(2) && said.contains("false ended with"), "{said}");
}

#[test]
fn a_remembered_command_runs_only_when_something_that_it_reads_has_changed() {
    let fanlight = Fanlight::new();
    std::fs::create_dir(fanlight.path("notes")).unwrap();
    let workflow = |more: &str| {
        format!(
            "params: {{ day: {{ type: text, default: monday }} }}
nodes:
  count:
    run: |
      echo again >> \"$FANLIGHT_PROJECT/counted\"
      wc -w < \"$FANLIGHT_PROJECT/notes/$day.txt\" > count.txt
    with: {{ day: \"${{{{ params.day }}}}\" }}
    pass_env: MODE
    remember: {{ files: notes/*.txt, tools: wc }}
    outputs: {{ words: {{ path: count.txt, type: int }}{more} }}
outputs: {{ words: \"${{{{ count.words }}}}\" }}
"
        )
    };
    fanlight.file("report.yaml", &workflow(""));
    let notes = |name: &str, text: &str| fanlight.file(&format!("notes/{name}.txt"), text);
    notes("monday", "one two three");
    notes("tuesday", "one");
    let run = |arguments: &[&str], words: i64, count: usize| {
        let line = [&["run", "report.yaml", "--json"], arguments].concat();
        let ended = fanlight.say(&line).exits(0).json().pop().unwrap();
        assert_eq!(ended["runs"][0]["outputs"]["words"], words, "{ended}");
        let counted = std::fs::read_to_string(fanlight.path("counted")).unwrap();
        assert_eq!(counted.lines().count(), count, "{arguments:?}");
    };
    run(&[], 3, 1);
    run(&[], 3, 1);
    assert_eq!(nodes(&fanlight), ["count cached report#1"]);
    let entry = fanlight.say(&["cache", "ls", "--json"]).exits(0).json().remove(0);
    assert_eq!((entry["type"].as_str(), entry["node"].as_str()), (Some("run"), Some("count")));
    run(&["-p", "day=tuesday"], 1, 2);
    run(&["--env", "MODE=fast"], 3, 3);
    run(&["--repeat", "3", "--env", "MODE=fast"], 3, 3);
    run(&["--fresh"], 3, 4);

    // Another file that matches counts too.
    notes("wednesday", "");
    run(&[], 3, 5);
    notes("monday", "one two three four");
    run(&[], 4, 6);
    fanlight.say(&["daemon", "stop"]).exits(0);
    run(&[], 4, 6);
    notes("monday", "one two three");
    run(&[], 3, 6);
    fanlight
        .file("report.yaml", &workflow(", more: { event: true, type: int }").replace("wc -w", "echo 7 #"));
    fanlight.say(&["run", "report.yaml"]).exits(1);
    fanlight.say(&["run", "report.yaml"]).exits(1);
    let counted = std::fs::read_to_string(fanlight.path("counted")).unwrap();
    assert_eq!(counted.lines().count(), 8, "failures are not kept");

    fanlight.file("report.yaml", &workflow("").replace("notes/*.txt", "note/*.txt"));
    fanlight.say(&["run", "report.yaml"]).exits(1).complains("matches `note/*.txt`");
    fanlight.file("report.yaml", &workflow("").replace("notes/*.txt", "\"notes/[.txt\""));
    fanlight.say(&["run", "report.yaml"]).exits(2).complains("not a valid glob");
    fanlight.file("report.yaml", &workflow("").replace("    remember", "    dir: .\n    remember"));
    fanlight.say(&["check", "report.yaml"]).exits(2).complains("remember_not_here");
    let sound = fanlight.say(&["doctor"]).exits(0).out;
    assert!(!sound.contains("wrong references"), "{sound}");
}

#[test]
fn show_says_which_part_of_the_key_differed() {
    let fanlight = Fanlight::new();
    fanlight.file("notes.txt", "one");
    fanlight.file(
        "poster.yaml",
        "params: { text: { type: text, default: Hello }, size: { type: int, default: 64 } }
nodes:
  sky: { uses: image.generate, with: { width: \"${{ params.size }}\", height: 32 } }
  poster: { uses: image.text, with: { image: \"${{ sky.image }}\", text: \"${{ params.text }}\" } }
  said: { run: 'echo \"$text\"; cat \"$FANLIGHT_PROJECT/notes.txt\"', with: { text: \"${{ params.text }}\" }, remember: { files: notes.txt } }
  loud: { run: echo loud }
  each: { uses: image.generate, each: \"${{ [params.size, 7] }}\", with: { width: \"${{ item }}\", height: 8 } }
",
    );
    let explain = |run: &str| {
        let shown = fanlight.say(&["show", run, "--cache"]).exits(0).out;
        shown
            .lines()
            .skip(2)
            .map(|line| line.split_whitespace().skip(3).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    let run = |more: &[&str]| fanlight.say(&[&["run", "poster.yaml"], more].concat()).exits(0);
    run(&[]);
    let loud = "is a command without `remember`";
    let first = "found no earlier result of this node";
    assert_eq!(
        explain("last"),
        [first, first, first, loud, "2 items computed, the first one: found no earlier result of this node"]
    );

    run(&["-p", "text=Bye"]);
    let mine = explain("last");
    assert_eq!(mine[..2], ["reused from poster#1 · sky", "input `text` differs from poster#1 · poster"]);
    assert_eq!(mine[2..4], ["input `text` differs from poster#1 · said", loud]);
    assert_eq!(mine[4], "2 items reused from poster#1 · each[0]");

    fanlight.file("notes.txt", "two");
    run(&["-p", "text=Bye", "-p", "size=48"]);
    let mine = explain("last");
    assert_eq!(
        mine[..3],
        [
            "input `width` differs from poster#1 · sky",
            "input `image` differs from poster#2 · poster",
            "the file `notes.txt` differs from poster#2 · said"
        ]
    );
    let items =
        "1 item reused from poster#1 · each[1]; 1 item computed: input `width` differs from poster#1 · each";
    assert!(mine[4].starts_with(items), "{}", mine[4]);

    run(&["--fresh=sky"]);
    assert_eq!(explain("last")[0], "was computed because it is fresh in this run");
    fanlight.say(&["run", "poster.yaml", "--env", "TOKEN=hunter2"]).exits(0);
    let shown = fanlight.say(&["show", "last", "--cache", "--json"]).exits(0);
    assert!(!shown.out.contains("hunter2"), "{}", shown.out);
    let said = shown.json().remove(2);
    assert_eq!(said["miss"]["differs"], serde_json::json!(["env `TOKEN`"]), "{said}");

    fanlight.say(&["cache", "rm", "--all"]).exits(0);
    let gone = explain("last");
    assert!(gone[2].starts_with("has no stored result"), "{gone:?}");
    let sound = fanlight.say(&["doctor"]).exits(0).out;
    assert!(!sound.contains("wrong references"), "{sound}");
}

#[test]
fn show_says_that_the_earlier_result_was_damaged() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "sky.yaml",
        "params: { seed: { type: int, default: 1 } }
nodes:
  sky: { uses: image.generate, with: { width: 2000, height: 1500, seed: \"${{ params.seed }}\" } }
",
    );
    let explain = || {
        let shown = fanlight.say(&["show", "last", "--cache", "--json"]).exits(0).json().remove(0);
        (shown["miss"]["kind"].clone(), shown["miss"]["nearest"]["run"].clone())
    };
    fanlight.say(&["run", "sky.yaml"]).exits(0);
    fanlight.say(&["run", "sky.yaml", "-p", "seed=2"]).exits(0);
    fanlight.say(&["daemon", "stop"]).exits(0);
    let (mut folders, mut damaged) = (vec![fanlight.path("../h/data/blobs")], 0);
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if file.is_dir() {
                folders.push(file);
                continue;
            }
            let bytes = std::fs::read(&file).unwrap();
            std::fs::remove_file(&file).unwrap();
            std::fs::write(&file, vec![0; bytes.len()]).unwrap();
            damaged += 1;
        }
    }
    assert!(damaged > 0);
    fanlight.say(&["run", "sky.yaml"]).exits(0);
    assert_eq!(explain(), ("damaged".into(), "sky#1".into()));
    let shown = fanlight.say(&["show", "last", "--cache"]).exits(0).out;
    assert!(
        shown.contains("found an earlier result with the same key gone or damaged: sky#1 · sky"),
        "{shown}"
    );
    // The result that was made then is as good as any other.
    fanlight.say(&["run", "sky.yaml", "-p", "seed=3"]).exits(0);
    assert_eq!(explain(), ("differs".into(), "sky#3".into()));
    fanlight.say(&["show", "sky#1", "--cache"]).exits(0);
}

#[test]
fn a_fork_says_that_the_values_of_its_run_were_forgotten() {
    let fanlight = Fanlight::new();
    fanlight.config("keep_values = 1\n");
    fanlight.file(
        "st.yaml",
        "nodes:
  a: { uses: text.template, with: { template: a } }
  b: { uses: text.template, with: { template: '{{ x }}b', x: \"${{ a.text }}\" } }
  c: { uses: text.template, with: { template: '{{ x }}c', x: \"${{ b.text }}\" } }
  other: { uses: text.template, with: { template: other } }
",
    );
    fanlight.say(&["run", "st.yaml"]).exits(0);
    let kept = fanlight.say(&["fork", "st#1", "--at", "c"]).exits(0);
    assert!(!kept.err.contains("forgotten"), "{}", kept.err);
    fanlight.say(&["watch", "st#2"]).exits(0);
    let forgotten = fanlight.say(&["fork", "st#1", "--at", "c"]).exits(0);
    forgotten.complains("the values of a").complains("in st#1 were forgotten: only the newest ended runs");
}

#[test]
fn a_hundred_runs_that_differ_in_the_last_of_five_nodes_compute_the_first_four_once() {
    let fanlight = Fanlight::new();
    fanlight.file("count.txt", "");
    fanlight.file(
        "chain.yaml",
        "params: { text: { type: text } }
nodes:
  a: { run: 'echo a >> \"$FANLIGHT_PROJECT/count.txt\"; echo a', remember: true }
  b: { run: 'echo b >> \"$FANLIGHT_PROJECT/count.txt\"; echo \"$from\"b', with: { from: \"${{ a.stdout }}\" }, remember: true }
  c: { uses: image.generate, with: { width: 16, height: 16, seed: 1 } }
  d: { uses: image.text, with: { image: \"${{ c.image }}\", text: \"${{ b.stdout }}\" } }
  e: { run: 'echo \"$text\"', with: { text: \"${{ params.text }}\", image: \"${{ d.image }}\" }, remember: true, outputs: {} }
outputs: { text: \"${{ e.stdout }}\" }
",
    );
    let texts: Vec<String> = (0..100).map(|number| format!("t{number}")).collect();
    let printed =
        fanlight.say(&["run", "chain.yaml", "--sweep", &format!("text={}", texts.join(","))]).exits(0).out;
    for text in &texts {
        assert!(printed.contains(text.as_str()), "{text}");
    }
    assert_eq!(std::fs::read_to_string(fanlight.path("count.txt")).unwrap(), "a\nb\n", "both ran once");
    let mut computed = std::collections::BTreeMap::<String, usize>::new();
    for number in 1..=100 {
        for node in fanlight.say(&["show", &format!("chain#{number}"), "--cache", "--json"]).exits(0).json() {
            let name = node["node"].as_str().unwrap().to_owned();
            *computed.entry(name).or_default() += usize::from(node["state"] == "completed");
        }
    }
    let counts: Vec<usize> = computed.into_values().collect();
    assert_eq!(counts, [1, 1, 1, 1, 100]);
}
