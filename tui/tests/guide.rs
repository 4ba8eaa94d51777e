//! The guide in `docs`: every YAML and shell block of it works as it stands, and every link leads somewhere.
//!
//! Words after the language of a block say what is done with it:
//!
//! - `file=NAME`: it is saved under this name, for the following blocks; workflow files are checked too
//! - `check`: the workflow is checked and not run; other YAML blocks are run
//! - `exit=N`: the exit code, 0 where it isn't said
//! - `needs=PROGRAM`: skipped where there is no such program, which is printed
//!
//! A block of the language `output` is what the `sh` block before it prints: each of its lines is one of stdout or stderr, in this
//! order, where `…` stands for anything and blanks count as one. So a page shows what matters, and elides times and ids.
//!
//! The blocks of a page share a folder and a home. A block may be part of a list. A block without a fence is an error,
//! because it has no language.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/fanlight.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::Fanlight;

/// A fenced block of a page.
struct Block {
    language: String,
    words: Vec<String>,
    text: String,
    line: usize,
}

impl Block {
    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|it| it == word)
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    fn is_followed(&self) -> bool {
        matches!(self.language.as_str(), "yaml" | "sh")
    }

    fn exit(&self) -> i32 {
        self.value("exit").map_or(0, |code| code.parse().unwrap())
    }
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn read(page: &str) -> String {
    fs::read_to_string(docs().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

fn pages() -> Vec<String> {
    let entries =
        fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries.filter(|name| name.ends_with(".md")).collect()
}

/// Returns whether a line begins or ends a block.
fn is_fence(line: &str) -> bool {
    line.trim_start().starts_with("```")
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some((indent, info)) = line.split_once("```").filter(|_| is_fence(line)) else { continue };
        let mut words = info.split_whitespace().map(str::to_owned);
        let language = words.next().unwrap_or_default();
        let body = lines.by_ref().map(|(_, line)| line).take_while(|line| !is_fence(line));
        let body: Vec<&str> = body.map(|line| line.strip_prefix(indent).unwrap_or(line)).collect();
        blocks.push(Block { language, words: words.collect(), text: body.join("\n") + "\n", line: at + 1 });
    }
    blocks
}

/// A folder and a home for one page, with `fanlight` on the `PATH`.
struct Reader {
    page: String,
    fanlight: Fanlight,
}

impl Reader {
    fn new(page: &str) -> Self {
        let fanlight = Fanlight::new();
        fs::create_dir(fanlight.path("bin")).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_fanlight"), fanlight.path("bin/fanlight")).unwrap();
        Self { page: page.to_owned(), fanlight }
    }

    fn has_program(&self, program: &str) -> bool {
        Command::new("sh").args(["-c", "command -v \"$0\"", program]).output().unwrap().status.success()
    }

    /// Follows a block; `shown` is what the page says that it prints.
    fn follow(&self, block: &Block, shown: Option<&Block>) {
        if let Some(program) = block.value("needs")
            && !self.has_program(program)
        {
            fanlight_shared::testing::skip(&format!(
                "{}:{}: there is no `{program}` here",
                self.page, block.line
            ));
            return;
        }
        if let Some(name) = block.value("file") {
            self.fanlight.file(name, &block.text);
        }
        match block.language.as_str() {
            "yaml" => self.workflow(block),
            "sh" => self.shell(block, shown),
            _ => {}
        }
    }

    fn workflow(&self, block: &Block) {
        let name = block.value("file").map_or_else(|| format!("line-{}.yaml", block.line), str::to_owned);
        self.fanlight.file(&name, &block.text);
        self.expect(block, self.fanlight.command(&["check", &name]), 0);
        if block.value("file").is_none() && !block.has("check") {
            self.expect(block, self.fanlight.command(&["run", &name]), block.exit());
        }
    }

    fn shell(&self, block: &Block, shown: Option<&Block>) {
        let mut command = Command::new("sh");
        let path = format!("{}:{}", self.fanlight.path("bin").display(), std::env::var("PATH").unwrap());
        command
            .args(["-eu", "-c", &block.text])
            .env_clear()
            .envs(self.fanlight.environment())
            .env("PATH", path)
            .env("FANLIGHT_EVENTS", self.fanlight.path("events"))
            .current_dir(self.fanlight.path(""));
        let printed = self.expect(block, command, block.exit());
        if let Some(shown) = shown
            && let Err(line) = is_printed(&shown.text, &printed)
        {
            panic!("{}:{}: `{line}` is not printed, or not in this order:\n{printed}", self.page, shown.line);
        }
    }

    /// Runs a command and checks its exit code. Returns what it printed, stdout first.
    fn expect(&self, block: &Block, mut command: Command, code: i32) -> String {
        let output = command.output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{}:{}:\n{}\nstdout:\n{}\nstderr:\n{}",
            self.page,
            block.line,
            block.text,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

/// Returns the first line of an `output` block that was not printed.
fn is_printed<'a>(shown: &'a str, printed: &str) -> Result<(), &'a str> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut printed = printed.lines().map(words);
    let wanted = shown.lines().filter(|line| !line.trim().is_empty());
    for line in wanted {
        let pattern = words(line);
        if !printed.any(|line| is_like(&line, &pattern)) {
            return Err(line);
        }
    }
    Ok(())
}

/// Returns whether a line is a pattern with any text in the place of each `…`.
fn is_like(line: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('…') else { return line == pattern };
    let Some(mut line) = line.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('…').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = line.split_once(part) else { return false };
        line = after;
    }
    line.ends_with(last)
}

#[test]
fn output_blocks_are_compared_line_by_line() {
    let printed = "poster#1\ttitle\tHove\nrun   1.3 s\nend\n";
    for shown in ["poster#1 title Hove\nend\n", "run … s\n", "…\nend\n", "poster#1 … Hove\n"] {
        assert_eq!(is_printed(shown, printed), Ok(()), "{shown}");
    }
    assert_eq!(is_printed("end\nrun … s\n", printed), Err("run … s"), "the order counts");
    assert_eq!(is_printed("poster#1 title …e …\n", printed), Err("poster#1 title …e …"));
    assert_eq!(is_printed("poster#1 title\n", printed), Err("poster#1 title"), "the whole line counts");
}

/// Returns the numbers of the lines where a block without a fence begins: indented text after an empty line.
fn unfenced(text: &str) -> Vec<usize> {
    let (mut inside, mut after_empty, mut found) = (false, true, Vec::new());
    for (at, line) in text.lines().enumerate() {
        inside ^= is_fence(line);
        let is_indented = line.starts_with("    ") || line.starts_with('\t');
        if !inside && !is_fence(line) && after_empty && is_indented && !line.trim().is_empty() {
            found.push(at + 1);
        }
        after_empty = line.trim().is_empty();
    }
    found
}

#[test]
fn blocks_are_found_in_lists_and_without_a_fence() {
    let page = "1. Save this:\n\n   ```yaml file=a.yaml\n   nodes:\n     a: {}\n   ```\n\n2. Run it.\n\n    fanlight run\n";
    let found = blocks(page);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].language.as_str(), found[0].value("file"), found[0].line),
        ("yaml", Some("a.yaml"), 3)
    );
    assert_eq!(found[0].text, "nodes:\n  a: {}\n");
    assert_eq!(unfenced(page), [10]);
}

#[test]
fn every_block_has_a_fence() {
    for page in pages() {
        assert_eq!(
            unfenced(&read(&page)),
            [] as [usize; 0],
            "{page}: put the lines into a block with a language"
        );
    }
}

fn follow(page: &str) {
    let blocks = blocks(&read(page));
    assert!(blocks.iter().any(Block::is_followed), "{page} has nothing to follow");
    let reader = Reader::new(page);
    for (at, block) in blocks.iter().enumerate() {
        assert!(
            block.language != "output" || at > 0 && blocks[at - 1].language == "sh",
            "{page}:{}: an `output` block follows an `sh` block",
            block.line
        );
        reader.follow(block, blocks.get(at + 1).filter(|next| next.language == "output"));
    }
}

/// The pages with their own test, because each takes a while.
const LONG: [&str; 4] = ["ten-minutes.md", "workflow-file.md", "expressions.md", "recipes.md"];

#[test]
fn the_blocks_of_all_other_pages_work() {
    for page in pages().iter().filter(|page| !LONG.contains(&page.as_str())) {
        if blocks(&read(page)).iter().any(Block::is_followed) {
            follow(page);
        }
    }
}

#[test]
fn ten_minutes_go_as_the_guide_says() {
    follow("ten-minutes.md");
}

#[test]
fn the_examples_of_the_workflow_file_run() {
    follow("workflow-file.md");
}

#[test]
fn the_examples_of_expressions_run() {
    follow("expressions.md");
}

#[test]
fn every_recipe_runs() {
    follow("recipes.md");
}

#[test]
fn the_summary_lists_every_page_and_every_link_leads_somewhere() {
    let summary = read("SUMMARY.md");
    let entries =
        fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages: Vec<String> = entries.filter(|name| name.ends_with(".md")).collect();
    assert!(pages.len() > 5);
    for page in &pages {
        assert!(
            page == "SUMMARY.md" || summary.contains(&format!("({page})")),
            "{page} is not in SUMMARY.md"
        );
        for link in links(&read(page)) {
            if link.contains("://") {
                continue;
            }
            let (file, part) = link.split_once('#').unwrap_or((&link, ""));
            let file = if file.is_empty() { page.as_str() } else { file };
            assert!(docs().join(file).exists(), "{page}: {link} leads nowhere");
            if file.ends_with(".md") && !part.is_empty() {
                assert!(parts(&read(file)).iter().any(|it| it == part), "{page}: {file} has no part {part}");
            }
        }
    }
}

/// Returns the targets of the links outside of blocks and code spans.
fn links(text: &str) -> Vec<String> {
    let mut inside = false;
    let prose = text.lines().filter(|line| {
        inside ^= is_fence(line);
        !inside
    });
    let targets = |line: &str| -> Vec<String> {
        let is_prose = |at: usize| line[..at].matches('`').count().is_multiple_of(2);
        let links = line.match_indices("](").filter(|(at, _)| is_prose(*at));
        links.filter_map(|(at, _)| Some(line[at + 2..].split_once(')')?.0.to_owned())).collect()
    };
    prose.flat_map(targets).collect()
}

/// Returns the anchors of headings, as code hosts and mdBook create them.
fn parts(text: &str) -> Vec<String> {
    let headings = text
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    let part = |heading: &str| -> String {
        let kept = heading
            .to_lowercase()
            .chars()
            .filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'))
            .collect::<String>();
        kept.replace(' ', "-")
    };
    headings.map(part).collect()
}

#[test]
fn every_file_named_in_the_architecture_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let is_path = |it: &&str| {
        let ending = Path::new(it).extension().is_some_and(|it| it == "rs" || it == "md");
        (ending || it.contains("/src/") || it.ends_with('/'))
            && !it.contains(|c: char| c.is_whitespace() || c == ':')
    };
    let named: Vec<&str> =
        text.split('`').skip(1).step_by(2).filter(is_path).filter(|it| !it.contains("NOUN")).collect();
    assert!(named.len() > 50, "{named:?}");
    let exists =
        |path: &str| ["", "daemon/src", "tui/src"].iter().any(|it| root.join(it).join(path).exists());
    let missing: Vec<&&str> = named.iter().filter(|path| !exists(path)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names files that don't exist: {missing:?}");
}
